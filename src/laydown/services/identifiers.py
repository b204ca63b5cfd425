"""New identifiers: UUIDs of version 7, which sort by the time they were made."""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

_RANDOM_BITS = 74

EPOCH = datetime.fromtimestamp(0, UTC)
"""What stands in a new thing for its time, until the ledger's clock decides."""


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562, section 5.7): milliseconds since 1970, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(_RANDOM_BITS)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (high << 64) | (2 << 62) | low)

"""What happened, as the event log keeps it and viewers see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from laydown.domain.lifecycle import State
from laydown.domain.reasons import Reason
from laydown.domain.upload import BatchId, OrganizationId, UploadId


class Kind(StrEnum):
    """The kinds of things that happen."""

    OPENED = "opened"  # a batch began
    DECLARED = "declared"  # files were declared; the detail says how many
    MOVED = "moved"  # an upload changed its state
    RESTARTED = "restarted"  # an upload began a new attempt: other bytes, or sent again
    PROMOTED = "promoted"  # a twin became the leader: the client must send it
    CLOSED = "closed"  # a batch takes no more entries
    INFECTED = "infected"  # malware was found in what an upload brought, after it was published


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened in a batch, before it has a number."""

    kind: Kind
    batch: BatchId
    upload: UploadId | None = None
    state: State | None = None
    reason: Reason | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A happening with its number: dense per organization, in commit order."""

    organization: OrganizationId
    number: int
    at: datetime
    happening: Happening
    key: str | None = None  # of the upload
    path: str | None = None  # of the upload


Heads = Mapping[OrganizationId, int]
"""The newest number of each organization."""

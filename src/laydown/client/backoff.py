"""When to ask again, and when to stop asking."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_PAUSE = 0.25  # seconds
LONGEST_PAUSE = 10.0  # seconds; a restarted server is noticed within it
LONGEST_WISH = 60.0  # seconds of `Retry-After` that are honoured; more is taken as so many

_DOUBLINGS = 16  # beyond this many, the pause has long been the longest one


def pause(attempt: int, *, chance: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after failed attempt *attempt*, counted from 0.

    Exponential with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog): any
    time up to the ceiling, so that a thousand clients don't come back in the same second.
    """
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt, _DOUBLINGS))
    return ceiling * chance()


def wished(retry_after: str | None, *, now: datetime) -> float:
    """Return the seconds that a `Retry-After` header asks for: a number or a date (RFC 9110).

    Nothing, or nothing that can be read, is 0.
    """
    if not retry_after:
        return 0.0
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), LONGEST_WISH)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_WISH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client puts up with a server that does not answer, in seconds."""

    first: float = 10.0  # before the server ever answered: the URL may be wrong
    lasting: float = 120.0  # of silence afterwards: a restart or a failover takes less

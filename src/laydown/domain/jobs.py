"""The kinds of later work, and when a failed one is tried again."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from laydown.domain.trace import Trace
from laydown.domain.upload import OrganizationId, UploadId


@dataclass(frozen=True, slots=True)
class JoinParts:
    """Make the parts of a sent upload one durable object."""

    upload_id: UploadId


@dataclass(frozen=True, slots=True)
class ProveUpload:
    """Compare the stored object with what was declared, and publish it."""

    upload_id: UploadId


@dataclass(frozen=True, slots=True)
class DiscardBytes:
    """Delete an object that nothing refers to any more."""

    upload_id: UploadId
    object_key: str


@dataclass(frozen=True, slots=True)
class QuarantineBytes:
    """Keep an object that was refused from every reader, and discard it later."""

    upload_id: UploadId
    object_key: str


@dataclass(frozen=True, slots=True)
class RescanBytes:
    """Look through published bytes again, with what the scanner knows by now."""

    upload_id: UploadId
    object_key: str


Job: TypeAlias = JoinParts | ProveUpload | DiscardBytes | QuarantineBytes | RescanBytes


class JobState(StrEnum):
    """Where a job is; finished ones leave the table."""

    WAITING = "waiting"
    RUNNING = "running"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job that this worker holds until its lease runs out."""

    id: UUID
    organization: OrganizationId
    job: Job
    attempt: int  # 1 for the first
    trace: Trace | None = None  # that of its upload's batch; housekeeping has none


@dataclass(frozen=True, slots=True, kw_only=True)
class JobListing:
    """A job as an operator sees it."""

    id: UUID
    kind: str
    state: JobState
    attempt: int
    run_at: datetime
    created_at: datetime
    upload: UploadId | None
    last_error: str | None


MOST_ATTEMPTS = 8
"""With the back-off below: two minutes of trying on average, four at most, before a job is dead."""

_FIRST_DELAY = 1.0  # seconds
_LONGEST_DELAY = 300.0  # seconds


def delay_after(attempt: int, *, luck: random.Random) -> timedelta:
    """Return how long to wait after the *attempt*-th failure: exponential, full jitter.

    Full jitter (a uniform draw below the exponential bound) spreads retries best when many
    jobs fail together; see Brooker, "Exponential Backoff And Jitter", 2015.
    """
    bound = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0**attempt)
    return timedelta(seconds=luck.uniform(_FIRST_DELAY / 2, bound))


def is_last(attempt: int) -> bool:
    """Say whether a failure of this attempt makes the job dead."""
    return attempt >= MOST_ATTEMPTS

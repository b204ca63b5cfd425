"""Jobs, as operators see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RescanRequest:
    """What `POST /v1/projects/{id}/rescan` takes; without a body, the whole project is meant."""

    path: str | None = None  # a document, or a folder with all that is in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescan:
    """How many different contents will be scanned again."""

    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job that waits, runs or is dead."""

    id: UUID
    kind: str
    state: Literal["waiting", "running", "dead"]
    attempt: int
    run_at: datetime
    created_at: datetime
    upload_id: UUID | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Some jobs, oldest first, and how many there are in each state."""

    items: Sequence[JobRow]
    counts: Mapping[str, int]
    oldest_waiting_seconds: float | None = None
    next_cursor: str | None = None

"""Deliveries: what is declared, and the verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from laydown.wire.projects import Position
from laydown.wire.states import BatchState, OnConflict, UploadState, VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file to be declared."""

    key: str  # the client's own, unique in the batch
    path: str  # relative, with slashes
    size: int
    sha256: str | None = None
    content_type: str | None = None
    modified_at: datetime | None = None
    captured_at: datetime | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """What `POST /v1/projects/{id}/batches` takes; at most 5,000 entries."""

    reference: str  # the client's own; the same one again is the same batch while it is open
    label: str | None = None
    on_conflict: OnConflict = "new_version"
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntries:
    """What `POST /v1/batches/{id}/entries` takes; at most 5,000 entries."""

    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """So many files of so many bytes."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A delivery in numbers; the counts add up to `declared.count`."""

    id: UUID
    project_id: UUID
    reference: str
    label: str | None
    on_conflict: OnConflict
    state: BatchState
    created_at: datetime
    closed_at: datetime | None
    declared: Amount
    counts: Mapping[UploadState, int]  # only the states that occur
    reasons: Mapping[str, int]
    settled: Amount
    received_bytes: int  # bytes that are durable here
    declared_by: UUID | None = None  # a member, or a drop link
    declared_by_name: str | None = None  # the member's name, or who the link was made for
    bytes_per_second: float | None = None  # since the first byte; None before it
    seconds_left: float | None = None  # None when nothing tells
    number: int | None = None  # in an event stream: the last change these numbers include


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """Some batches, newest first, and where the next page begins."""

    items: Sequence[Batch]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to send a file: whole, or in parts of `part_size` bytes (the last one shorter)."""

    kind: Literal["single", "multipart"]
    part_size: int | None
    parts: int
    concurrency: int  # how many parts at once make sense


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do about one declared entry."""

    key: str
    verdict: VerdictKind
    upload_id: UUID | None = None  # None: the entry could not be recorded, see `reason`
    state: UploadState | None = None
    plan: Plan | None = None  # with `send` and `resume`
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The answer to a declaration: the batch, and one verdict an entry, in order."""

    batch: Batch
    verdicts: Sequence[Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """How many uploads a retry set going again."""

    uploads: int

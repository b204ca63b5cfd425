"""The JSON shapes of the native API, shared by the server and the SDK.

Ids are UUIDs in text, times RFC 3339 in UTC, sizes bytes, digests hexadecimal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

UploadState = Literal[
    "declared",
    "receiving",
    "sealing",
    "checking",
    "processing",
    "ready",
    "duplicate",
    "skipped",
    "rejected",
    "cancelled",
    "expired",
    "failed",
]
VerdictKind = Literal["send", "resume", "wait", "duplicate", "skipped", "rejected", "settled"]
BatchState = Literal["open", "closed", "settled"]
OnConflict = Literal["new_version", "skip", "reject"]

SUCCEEDED: frozenset[UploadState] = frozenset({"ready", "duplicate", "skipped"})
SETTLED: frozenset[UploadState] = SUCCEEDED | {"rejected", "cancelled", "expired", "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a request body."""

    pointer: str  # JSON pointer (RFC 6901) to the value at fault
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error, as RFC 9457 `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    code: str  # stable; listed in docs/reference/errors.md
    instance: str | None = None
    errors: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on Earth, WGS 84."""

    latitude: float  # degrees, north positive
    longitude: float  # degrees, east positive


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What `POST /v1/projects` takes."""

    code: str
    name: str | None = None
    time_zone: str | None = None  # IANA name
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChange:
    """What `PATCH /v1/projects/{id}` takes; absent fields stay as they are."""

    name: str | None = None
    time_zone: str | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A construction project."""

    id: UUID
    code: str
    name: str
    created_at: datetime
    time_zone: str | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage:
    """Some projects, and where the next page begins."""

    items: Sequence[Project]
    next_cursor: str | None = None


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
    bytes_per_second: float | None = None  # since the first byte; None before it
    seconds_left: float | None = None  # None when nothing tells


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
class WantedPart:
    """A part to be granted; a checksum is signed into its URL."""

    number: int
    checksum: str | None = None  # "crc64nvme:<base64>"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedUpload:
    """An upload to be granted; no parts named: the next ones that are missing."""

    id: UUID
    parts: Sequence[WantedPart] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRequest:
    """What `POST /v1/batches/{id}/grants` takes: the next `limit` parts, or those of `uploads`."""

    limit: int = 64
    uploads: Sequence[WantedUpload] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartGrant:
    """A permission to send one part; `headers` must be sent exactly."""

    number: int
    url: str
    expires_at: datetime
    method: Literal["PUT"] = "PUT"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadGrant:
    """The next parts of an upload, and the numbers of those already here."""

    id: UUID
    parts: Sequence[PartGrant] = ()
    have: Sequence[int] = ()
    code: str | None = None  # why nothing is granted, such as `not_receiving`


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """The answer to a grant request."""

    uploads: Sequence[UploadGrant]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentUpload:
    """An upload all of whose parts were sent."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """What `POST /v1/batches/{id}/completions` takes; at most 5,000 uploads."""

    uploads: Sequence[SentUpload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What completing one upload came to."""

    id: UUID
    state: UploadState | None  # None: no such upload
    code: str | None = None  # why it is not complete, such as `parts_missing`
    missing: Sequence[int] = ()  # the first thousand part numbers still to be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Completions:
    """The answer to a completion request, in its order."""

    uploads: Sequence[Completion]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file of a batch."""

    id: UUID
    batch_id: UUID
    key: str
    path: str
    size: int
    state: UploadState
    attempt: int
    received_bytes: int
    declared_at: datetime
    moved_at: datetime
    reason: str | None = None
    detail: str | None = None
    sha256: str | None = None  # proven
    version_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPage:
    """Some uploads in order of declaration, and where the next page begins."""

    items: Sequence[Upload]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened to an upload."""

    at: datetime
    kind: str  # declared, moved, promoted, …
    state: UploadState | None = None
    reason: str | None = None
    detail: str | None = None
    number: int | None = None  # the event's number; None for what is told by the row itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything that happened to an upload, oldest first."""

    upload: Upload
    items: Sequence[Happening]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An SSE `change`: one upload moved, or (kind `promoted`) must be sent by the client."""

    number: int  # dense per organization, in commit order; also the SSE id
    kind: str
    at: datetime
    upload_id: UUID | None = None
    key: str | None = None
    path: str | None = None
    state: UploadState | None = None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """What became of one file."""

    path: str
    size: int
    state: UploadState
    key: str
    upload_id: UUID
    reason: str | None = None
    message: str | None = None  # what the reason means
    remedy: str | None = None  # what the user can do
    detail: str | None = None
    sha256: str | None = None
    version_id: UUID | None = None
    version: int | None = None
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The ledger of a batch; `final` once it is closed and every file is settled."""

    batch: Batch
    final: bool
    scanner: str  # which malware scanner judged the files; "none" says that none did
    rows: Sequence[ReceiptRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One immutable revision of a document."""

    id: UUID
    document_id: UUID
    path: str
    number: int
    current: bool
    size: int
    sha256: str
    kind: str
    media_type: str
    upload_id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """The versions of a document, newest first."""

    items: Sequence[Version]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A path inside a project."""

    id: UUID
    project_id: UUID
    path: str
    versions: int
    current: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """Some documents by path, and where the next page begins."""

    items: Sequence[Document]
    next_cursor: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """How many uploads a retry set going again."""

    uploads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing `readyz` looked at."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether this server can take and answer requests."""

    ok: bool
    version: str
    checks: Sequence[Check] = ()

"""Uploads, what happens to them, and receipts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from laydown.wire.batches import Batch
from laydown.wire.states import UploadState


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
    number: int | None = None  # the last change these include; None from an older server


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
    scanned_by: str | None = None  # of what is published: "clamav", "none", "unscanned", …
    infected: bool = False  # malware was found after it was published; nobody can fetch it


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The ledger of a batch; `final` once it is closed and every file is settled."""

    batch: Batch
    final: bool
    scanner: str  # which malware scanner judged the files; "none" says that none did
    rows: Sequence[ReceiptRow]

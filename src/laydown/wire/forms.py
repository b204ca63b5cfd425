"""Files sent as a plain form."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from laydown.wire.states import UploadState


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """What became of one file of a form, as far as it has come."""

    field: str  # the form's name for it
    filename: str  # as it was sent
    size: int
    path: str | None = None  # what it is called here; None: it could not even be recorded
    state: UploadState | None = None
    upload_id: UUID | None = None
    reason: str | None = None
    message: str | None = None  # what the reason means
    remedy: str | None = None  # what the user can do
    detail: str | None = None
    sha256: str | None = None  # of the bytes that came
    version_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFiles:
    """The answer to a form: its files, in their order."""

    batch_id: UUID
    reference: str  # the form's, or one of ours: then the batch is closed, and has no other files
    files: Sequence[SentFile]
    ignored_fields: Sequence[str] = ()  # names of fields that meant nothing, or came too late

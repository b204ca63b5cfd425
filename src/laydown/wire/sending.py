"""Grants and completions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from laydown.wire.states import UploadState


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
    """A permission to send one part; `headers` must be sent exactly.

    A `url` that begins with `/` is at the server that gave it, however that was reached.
    """

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
    needs_completion: bool = False
    """Whether the client must complete it once all is sent. Files of several parts always must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """The answer to a grant request."""

    uploads: Sequence[UploadGrant]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBytes:
    """How much of one upload has gone to the store, as its client counts."""

    id: UUID
    sent_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport:
    """What `POST /v1/batches/{id}/progress` takes; at most 5,000 uploads. Only ever shown."""

    uploads: Sequence[SentBytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPart:
    """What a store answered for one part."""

    number: int
    etag: str | None = None
    checksum: str | None = None  # "crc64nvme:<base64>"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentUpload:
    """An upload all of whose parts were sent; the store is asked itself what it has of them."""

    id: UUID
    parts: Sequence[SentPart] = ()


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

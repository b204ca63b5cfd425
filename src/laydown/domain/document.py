"""What a project holds: documents by path, and their immutable versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from laydown.domain.scanning import NOBODY
from laydown.domain.upload import OrganizationId, ProjectId, UploadId

DocumentId = NewType("DocumentId", UUID)
VersionId = NewType("VersionId", UUID)
BlobId = NewType("BlobId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Proven bytes: one per organization and SHA-256."""

    id: BlobId
    organization: OrganizationId
    sha256: bytes
    size: int  # bytes
    kind: str  # what the content is, as `filetypes` names it
    media_type: str
    object_key: str
    store_version: str | None = None  # what the store calls exactly these bytes, if it does
    scanned_by: str = NOBODY  # who looked through them for malware
    is_infected: bool = False  # malware was found after they were published
    is_missing: bool = False  # the store has lost them


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One immutable revision of a document."""

    id: VersionId
    document: DocumentId
    project: ProjectId
    path: str
    number: int  # from 1, in order of publication
    is_current: bool  # the one declared last
    upload: UploadId
    blob: Blob
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What lies directly in a folder: a document, or a folder with documents somewhere below."""

    path: str  # as it was delivered first
    folded: str  # the same as it is compared; a folder's ends with a slash
    document: "Document | None"  # None: a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A path inside a project, with its current version."""

    id: DocumentId
    project: ProjectId
    path: str
    versions: int
    current: Version

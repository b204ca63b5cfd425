"""Documents and their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


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
    scanned_by: str = "none"  # who looked for malware; "unscanned" when the scanner could not
    infected: bool = False  # malware was found after it was published; nobody can fetch it


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
class Child:
    """What lies directly in a folder."""

    name: str
    path: str
    document: Document | None = None  # None: it is a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPage:
    """Some of what lies in a folder, by path, and where the next page begins."""

    items: Sequence[Child]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """Some documents by path, and where the next page begins."""

    items: Sequence[Document]
    next_cursor: str | None = None

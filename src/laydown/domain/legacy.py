"""What another system kept before us: its rows, its objects, and what they are here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from laydown.domain.document import Version
from laydown.domain.lifecycle import State
from laydown.domain.names import RefusedName, download_name, normalised
from laydown.domain.reasons import Reason
from laydown.domain.upload import Entry, OrganizationId, ProjectId, UploadId

FOLDER = "Legacy"
"""Where documents of the old system are in a project, each in a folder named by its id: the old one
let any number of them have the same name, and a name is kept as people know it."""


class Origin(StrEnum):
    """Which system a document with an old id came in by."""

    OLD = "old"  # its bytes are in the old bucket, and stay there
    OURS = "ours"  # the old table was told of it


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDocument:
    """A row of the old table."""

    id: int
    project: int
    filename: str
    mime: str | None
    size: int  # bytes, as the row says
    key: str  # of its object
    uploaded_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OldObject:
    """An object of the old bucket."""

    key: str
    size: int  # bytes


Pair: TypeAlias = tuple[OldDocument, OldObject | None] | tuple[None, OldObject]
"""A row with its object, or either alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldProject:
    """A project of the old system, and which of ours it is."""

    old: int
    organization: OrganizationId
    project: ProjectId
    writes_back: bool = False  # the old table is told of what becomes a version in it
    prefix: str = ""  # before our keys in the bucket that both systems use


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A document's old id, and the upload that brings its bytes."""

    id: int
    project: ProjectId
    upload: UploadId
    origin: Origin
    filename: str
    mime: str | None
    uploaded_by: str | None
    created_at: datetime | None  # None: now


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What became of a document with an old id."""

    id: int
    upload: UploadId
    origin: Origin
    filename: str
    state: State | None  # None: its upload never was declared
    reason: Reason | None = None
    version: Version | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it is still being looked at."""
        return self.state in (State.CHECKING, State.SEALING, State.PROCESSING)

    @property
    def is_worth_another_try(self) -> bool:
        """Whether reading it again may end better: we gave up, or the store had something else."""
        return self.state in (None, State.FAILED) or self.reason in (
            Reason.SIZE_MISMATCH,
            Reason.SCAN_UNAVAILABLE,
        )


def entry_of(
    old_id: int, filename: str, *, size: int, created_at: datetime | None, mime: str | None
) -> Entry:
    """Return the entry under which a document with an old id is declared.

    A name that we don't take is changed until we do; the old system's API still gives its own.
    """
    for name in (filename, download_name(filename)):
        path = f"{FOLDER}/{old_id}/{name}"
        try:
            if "/" not in name:
                found = normalised(path)
                break
        except RefusedName:
            continue
    else:
        found = normalised(f"{FOLDER}/{old_id}/document")
    return Entry(
        key=f"old-{old_id}",
        path=found.path,
        folded=found.folded,
        size=size,
        content_type=mime,
        modified_at=created_at,
    )

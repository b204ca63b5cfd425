"""Another system that we take over from: its table, its bucket, and what is kept of both."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from laydown.domain.access import PrincipalId
from laydown.domain.legacy import Kept, OldDocument, OldObject, OldProject, Standing
from laydown.domain.lifecycle import State
from laydown.domain.upload import OrganizationId
from laydown.ports.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How so many imported documents stand."""

    state: State
    reason: str | None
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What one step of taking an import back came to."""

    gone: int  # documents
    kept: int  # those that have been delivered to since
    last: int | None  # where to go on; None: that was all


class LegacyRows(Protocol):
    """What one transaction knows of the old system, for one organization."""

    async def map_project(self, mapped: OldProject) -> None:
        """Say which project of ours one of the old system is; raise `Conflict` if taken."""
        ...

    async def old_projects(self, old: int | None = None) -> Sequence[OldProject]:
        """Return the projects of the old system that are mapped, or that one, by their old id."""
        ...

    async def keep_old_ids(self, documents: Sequence[Kept]) -> None:
        """Note which upload brings each document; one that was noted before has another by now."""
        ...

    async def standings(self, ids: Sequence[int]) -> Mapping[int, Standing]:
        """Return what became of the documents with these old ids, of those that are known."""
        ...

    async def old_document(self, id_: int) -> OldDocument | None:
        """Return a row of the old table, if its project is mapped."""
        ...

    async def old_documents(self, project: int, page: Page) -> Sequence[OldDocument]:
        """Return the rows of a mapped project by id; the cursor is an id."""
        ...

    async def count_reading(self) -> int:
        """Return how many documents are being looked at where they are."""
        ...

    async def fates(self) -> Sequence[Fate]:
        """Return how the documents stand that were imported."""
        ...

    async def forget_imported(self, *, after: int, limit: int) -> Forgotten:
        """Delete what an import wrote of the next so many documents by old id.

        Those stay whose documents have got versions since, or were delivered again as they are.
        Nothing is told to any store.
        """
        ...

    async def keep_old_key(self, key_sha256: bytes, token: UUID) -> None:
        """Let a key of the old API stand for a token; raise `Conflict` if it is another's."""
        ...


class OldTable(Protocol):
    """The old table, read across organizations. Raises `LedgerUnavailable`."""

    def by_key(self) -> AsyncIterator[OldDocument]:
        """Yield all rows by their objects' keys, byte by byte; memory doesn't grow with them."""
        ...

    def by_id(self) -> AsyncIterator[OldDocument]:
        """Yield all rows by id."""
        ...

    async def next_id(self) -> int:
        """Return an id that no document has or gets."""
        ...

    async def mapped(self) -> Mapping[int, OldProject]:
        """Return all mapped projects by their old id."""
        ...

    async def owner_of(self, organization: str) -> tuple[OrganizationId, PrincipalId, str] | None:
        """Return an organization by its name with one of its owners, and what they are called."""
        ...

    async def owner_in(self, organization: OrganizationId) -> tuple[PrincipalId, str]:
        """Return an owner of an organization, in whose name its documents are imported."""
        ...

    async def token_of(self, key_sha256: bytes) -> UUID | None:
        """Return the token that a key of the old API stands for, or None."""
        ...


class OldBucket(Protocol):
    """The old bucket: it is listed and read, and nothing in it is ever changed.

    Raises `StoreUnavailable` for anything a later try may fix.
    """

    name: str

    def listed(self) -> AsyncIterator[OldObject]:
        """Yield all objects by key, byte by byte."""
        ...

    async def weight(self, key: str) -> int | None:
        """Return an object's size in bytes, or None when there is no such object."""
        ...

    async def digest(self, key: str) -> tuple[int, bytes] | None:
        """Read an object; return its size in bytes and its SHA-256, None when there is none."""
        ...

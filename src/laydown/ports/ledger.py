"""The ledger, its event log, and who asks across organizations."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from laydown.domain.document import Blob
from laydown.domain.happening import Heads, Recorded
from laydown.domain.upload import (
    BatchId,
    ObjectName,
    OrganizationId,
    UploadId,
)
from laydown.ports.rows import Tx


class Ledger(Protocol):
    """The record of everything. Raises `LedgerUnavailable` for what a later try may fix."""

    def begin(self, organization: OrganizationId) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction; leaving the block commits, an exception undoes.

        Its rows are those of *organization*; another one's don't exist for it.
        """
        ...

    def snapshot(self, organization: OrganizationId) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction that reads one moment and writes nothing."""
        ...


class EventLog(Protocol):
    """The numbered events of all organizations, for the tail that feeds viewers."""

    async def heads(self) -> Heads:
        """Return the newest committed number of each organization."""
        ...

    async def since(
        self, organization: OrganizationId, number: int, *, limit: int
    ) -> Sequence[Recorded]:
        """Return the events after *number*, in order; never one whose predecessor is missing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How long things may stay quiet before the sweeper acts."""

    upload: timedelta
    batch: timedelta
    store: timedelta = timedelta(minutes=20)  # longer than a URL lives: then nothing more comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the ledger says about an object key the store has."""

    key: str
    is_wanted: bool  # an upload under way, or a blob, refers to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """What is proven and waits for the word of a scanner that tells us by itself."""

    files: int
    oldest: timedelta  # since the first of them was proven; none: zero


class Patrol(Protocol):
    """What the sweeper asks about all organizations at once."""

    async def silent_uploads(
        self, silence: Silence, *, limit: int
    ) -> Sequence[tuple[OrganizationId, UploadId]]:
        """Return uploads that are declared or receiving and have been quiet for too long."""
        ...

    async def unreported_uploads(
        self, silence: Silence, *, after: UploadId | None, limit: int
    ) -> Sequence[tuple[OrganizationId, UploadId]]:
        """Return receiving uploads without a usable URL by now, by id after *after*.

        Their bytes may be with the store, and nobody said so.
        """
        ...

    async def idle_batches(
        self, silence: Silence, *, limit: int
    ) -> Sequence[tuple[OrganizationId, BatchId]]:
        """Return open batches that nobody has touched for too long."""
        ...

    async def holdings(self, names: Sequence[ObjectName]) -> Sequence[Holding]:
        """Return what refers to each of these objects."""
        ...

    async def blobs_after(self, after: str | None, *, limit: int) -> Sequence[Blob]:
        """Return blobs the ledger believes present, by object key and byte by byte."""
        ...

    async def mark_missing(self, blobs: Sequence[Blob]) -> None:
        """Take blobs whose object is gone out of deduplication."""
        ...

    async def fold_usage(self, *, limit: int) -> int:
        """Add changes of what is used, the oldest *limit*, to its sums; return how many."""
        ...

"""Verifying: what the old system gives, and what we give, are the same, document by document."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from laydown.domain.document import Blob
from laydown.domain.errors import ContentGone
from laydown.domain.legacy import OldDocument, OldProject, Origin, Standing
from laydown.domain.upload import is_foreign, place_of
from laydown.ports import Ledger, ObjectStore, OldBucket, OldTable

_AT_ONCE: Final = 500  # documents
_READ_AT_ONCE: Final = 8  # documents


class Difference(StrEnum):
    """How a document is other here than there."""

    UNMAPPED = "unmapped"  # nobody has said which project of ours its project is
    NOT_HERE = "not_imported"
    UNDER_WAY = "under_way"  # workers haven't proven it yet
    NOT_TAKEN = "not_taken"  # refused or given up, the reason says why
    INFECTED = "infected"  # the old system gives it out, we don't
    LOST = "lost"  # it was proven, and its object is gone
    SIZE = "size"
    HASH = "hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One document of the old table, compared."""

    id: int
    difference: Difference | None
    detail: str | None = None
    is_absent: bool = False  # its object is gone from both
    has_been_read: bool = False


@dataclass(frozen=True, kw_only=True)
class Verifying:
    """Compares the old table and bucket with the ledger and the store; changes nothing."""

    ledger: Ledger
    table: OldTable
    bucket: OldBucket
    store: ObjectStore

    async def compared(self, *, share: float) -> AsyncIterator[Compared]:
        """Yield every document of the old table, compared by status and size.

        The bytes of a *share* of them, from 0 to 1 and always the same ones, are read in both
        places and compared by SHA-256. Raises `StoreUnavailable` and `LedgerUnavailable`.
        """
        mapped = await self.table.mapped()
        async with aclosing(_grouped(self.table.by_id())) as groups:
            async for rows in groups:
                standings = await self._standings(rows, mapped)
                turns = asyncio.Semaphore(_READ_AT_ONCE)

                async def one(
                    row: OldDocument,
                    turns: asyncio.Semaphore = turns,
                    standings: Mapping[int, Standing] = standings,
                ) -> Compared:
                    async with turns:
                        if row.project not in mapped:
                            return Compared(id=row.id, difference=Difference.UNMAPPED)
                        is_read = _is_chosen(row.id, share)
                        return await self._one(row, standings.get(row.id), is_read=is_read)

                for compared in await asyncio.gather(*map(one, rows)):
                    yield compared

    async def _standings(
        self, rows: Sequence[OldDocument], mapped: Mapping[int, OldProject]
    ) -> Mapping[int, Standing]:
        ids: dict[object, list[int]] = defaultdict(list)
        organizations = {}
        for row in rows:
            if row.project in mapped:
                organization = mapped[row.project].organization
                organizations[organization] = organization
                ids[organization].append(row.id)
        found: dict[int, Standing] = {}
        for organization in organizations:
            async with self.ledger.snapshot(organization) as tx:
                found |= await tx.standings(ids[organization])
        return found

    async def _one(self, row: OldDocument, standing: Standing | None, *, is_read: bool) -> Compared:
        there = await self.bucket.weight(row.key)
        version = None if standing is None else standing.version
        if standing is None or version is None:
            if there is None:
                return Compared(id=row.id, difference=None, is_absent=True)
            return _without_version(row, standing)
        if difference := _of_blob(row, version.blob, there):
            return difference
        if not is_read:
            return Compared(id=row.id, difference=None)
        return await self._read(row, standing, version.blob.object_key, version.blob.sha256)

    async def _read(
        self, row: OldDocument, standing: Standing, object_key: str, sha256: bytes
    ) -> Compared:
        """Compare SHA-256s: what the old row names, what we give, and what was proven."""
        old = await self.bucket.digest(row.key)
        digests = {sha256, old[1] if old else b""}
        is_same_object = standing.origin is Origin.OURS or (
            is_foreign(object_key) and place_of(object_key) == (self.bucket.name, row.key)
        )
        if not is_same_object:  # the same bytes were here already, elsewhere
            try:
                digests.add(await self._digest(object_key))
            except ContentGone:
                return Compared(id=row.id, difference=Difference.LOST, detail=object_key)
        if len(digests) == 1:
            return Compared(id=row.id, difference=None, has_been_read=True)
        detail = f"proven as {sha256.hex()}"
        return Compared(id=row.id, difference=Difference.HASH, detail=detail, has_been_read=True)

    async def _digest(self, object_key: str) -> bytes:
        digest = hashlib.sha256()
        async for block in self.store.read(object_key):
            await asyncio.to_thread(digest.update, block)
        return digest.digest()


def _without_version(row: OldDocument, standing: Standing | None) -> Compared:
    if standing is None:
        return Compared(id=row.id, difference=Difference.NOT_HERE)
    if standing.is_under_way:
        return Compared(id=row.id, difference=Difference.UNDER_WAY)
    said = standing.reason or standing.state
    return Compared(id=row.id, difference=Difference.NOT_TAKEN, detail=said)


def _of_blob(row: OldDocument, blob: Blob, there: int | None) -> Compared | None:
    """Return how what we give differs from what the old row names, without reading either."""
    if blob.is_infected:
        return Compared(id=row.id, difference=Difference.INFECTED)
    if there is None or blob.is_missing:
        return Compared(id=row.id, difference=Difference.LOST, detail=row.key)
    if there != blob.size:
        detail = f"{there:,} bytes there, {blob.size:,} here"
        return Compared(id=row.id, difference=Difference.SIZE, detail=detail)
    return None


def _is_chosen(id_: int, share: float) -> bool:
    """Say whether a document is among those that are read; the same share chooses the same."""
    drawn = int.from_bytes(hashlib.sha256(str(id_).encode()).digest()[:4], "big")
    return drawn < share * 2**32


async def _grouped(
    rows: AsyncIterator[OldDocument],
) -> AsyncGenerator[Sequence[OldDocument]]:
    group: list[OldDocument] = []
    async for row in rows:
        group.append(row)
        if len(group) == _AT_ONCE:
            yield group
            group = []
    if group:
        yield group

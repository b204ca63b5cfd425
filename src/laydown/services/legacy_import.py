"""Importing: the old system's documents become documents here, and their bytes stay where they are.

A document is declared as an upload whose one object is there already, and workers prove it as they
prove all others: they read it once, in place, for its size, its SHA-256 and the scanner.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from laydown.domain.access import PrincipalId
from laydown.domain.audit import Audited, Deed
from laydown.domain.batch import ENTRIES_PER_BATCH, Batch, OnConflict
from laydown.domain.happening import Happening, Kind
from laydown.domain.jobs import ProveUpload
from laydown.domain.legacy import Kept, OldDocument, OldObject, OldProject, Origin, entry_of
from laydown.domain.lifecycle import Event, State
from laydown.domain.upload import (
    BatchId,
    OrganizationId,
    Upload,
    UploadId,
    change,
    foreign_key,
)
from laydown.ports import Fate, Ledger, OldBucket, OldTable, Tx
from laydown.services.completing import close
from laydown.services.identifiers import EPOCH, new_id
from laydown.services.legacy_scan import Found, Scanning

REFERENCE: Final = "legacy-import"
_AT_ONCE: Final = 500  # documents a transaction
_GLANCE: Final = 0.5  # seconds between two looks at how much is being read


@dataclass(slots=True)
class Progress:
    """What an import has done so far."""

    declared: int = 0  # by this run
    known: int = 0  # imported before, or written by us
    without_object: int = 0
    unmapped: int = 0  # of projects that nobody has mapped
    seen: int = 0  # rows
    batches: dict[BatchId, OrganizationId] = field(default_factory=dict)  # in which they are


@dataclass(frozen=True, kw_only=True)
class Importing:
    """Use cases that bring the old system's documents in. All are safe to repeat."""

    ledger: Ledger
    table: OldTable
    bucket: OldBucket
    scanning: Scanning

    async def run(self, progress: Progress, *, most_at_once: int) -> AsyncGenerator[Progress]:
        """Declare every document that isn't here, and yield how far that is, again and again.

        At most *most_at_once* of an organization are being read at a time, so that deliveries
        aren't held up by it. Broken off, it goes on where it was when it is run again.
        """
        mapped = await self.table.mapped()
        group: list[tuple[OldDocument, OldObject]] = []
        async with aclosing(self.scanning.pairs()) as pairs:
            async for found, (row, stored) in pairs:
                if row is None:
                    continue
                progress.seen += 1
                if row.project not in mapped:
                    progress.unmapped += 1
                elif found is Found.ROW_ALONE or stored is None:
                    progress.without_object += 1
                else:
                    group.append((row, stored))
                if len(group) == _AT_ONCE:
                    await self._take(group, mapped, progress, most_at_once)
                    group = []
                    yield progress
        await self._take(group, mapped, progress, most_at_once)
        for batch, organization in progress.batches.items():
            async with self.ledger.begin(organization) as tx:
                await tx.batch(batch, lock=True)
                await close(tx, batch)
        yield progress

    async def organizations(self) -> Sequence[OrganizationId]:
        """Return those to which old projects belong."""
        return sorted({each.organization for each in (await self.table.mapped()).values()})

    async def settled(self, organizations: Sequence[OrganizationId]) -> None:
        """Return when workers have looked at all that was declared."""
        for organization in organizations:
            await self._until_fewer(organization, than=1)

    async def fates(self, organizations: Sequence[OrganizationId]) -> Mapping[str, Fate]:
        """Return how the imported documents stand, by state and reason."""
        sums: dict[str, Fate] = {}
        for organization in organizations:
            async with self.ledger.snapshot(organization) as tx:
                found = await tx.fates()
            for fate in found:
                name = fate.state + (f": {fate.reason}" if fate.reason else "")
                before = sums.get(name, replace(fate, files=0, bytes=0))
                sums[name] = replace(
                    fate, files=before.files + fate.files, bytes=before.bytes + fate.bytes
                )
        return sums

    async def adopt(
        self, mapped: OldProject, pairs: Sequence[tuple[OldDocument, OldObject]]
    ) -> tuple[int, BatchId | None]:
        """Have documents of one project read where they are.

        Returns how many of them hadn't been, and the batch in which they are, left open.
        """
        async with self.ledger.snapshot(mapped.organization) as tx:
            if not await _unknown(tx, pairs):
                return 0, None
        principal, name = await self.table.owner_in(mapped.organization)
        async with self.ledger.begin(mapped.organization) as tx:
            batch = await _open(tx, mapped, principal)  # which holds off everybody else who adopts
            new = await _unknown(tx, pairs)
            if new:
                await _declare(tx, batch, self.bucket.name, new)
                await tx.note(_did(principal, name, batch, len(new)))
        return len(new), batch.id

    async def _take(
        self,
        group: Sequence[tuple[OldDocument, OldObject]],
        mapped: Mapping[int, OldProject],
        progress: Progress,
        most_at_once: int,
    ) -> None:
        by_project: dict[int, list[tuple[OldDocument, OldObject]]] = defaultdict(list)
        for row, stored in group:
            by_project[row.project].append((row, stored))
        for old, pairs in sorted(by_project.items()):
            await self._until_fewer(mapped[old].organization, than=most_at_once)
            declared, batch = await self.adopt(mapped[old], pairs)
            progress.declared += declared
            progress.known += len(pairs) - declared
            if batch is not None:
                progress.batches[batch] = mapped[old].organization

    async def _until_fewer(self, organization: OrganizationId, *, than: int) -> None:
        while True:
            async with self.ledger.snapshot(organization) as tx:
                if await tx.count_reading() < than:
                    return
            await asyncio.sleep(_GLANCE)


async def _unknown(
    tx: Tx, pairs: Sequence[tuple[OldDocument, OldObject]]
) -> Sequence[tuple[OldDocument, OldObject]]:
    """Return those that aren't here, and those that are worth reading again."""
    standings = await tx.standings([row.id for row, _ in pairs])
    return [
        (row, stored)
        for row, stored in pairs
        if row.id not in standings or standings[row.id].is_worth_another_try
    ]


async def _open(tx: Tx, mapped: OldProject, principal: PrincipalId) -> Batch:
    """Return the open batch of the import, another one when that is full."""
    batch, is_new = await tx.open_batch(_batch(mapped, principal))
    if not is_new and (await tx.tally(batch.id)).declared > ENTRIES_PER_BATCH - _AT_ONCE:
        await close(tx, batch.id)
        batch, is_new = await tx.open_batch(_batch(mapped, principal))
    if is_new:
        await tx.say([Happening(kind=Kind.OPENED, batch=batch.id, detail=batch.label)])
    return await tx.touch_batch(batch.id)


def _batch(mapped: OldProject, principal: PrincipalId) -> Batch:
    return Batch(
        id=BatchId(new_id()),
        organization=mapped.organization,
        project=mapped.project,
        reference=REFERENCE,
        label="Imported from the old system",
        on_conflict=OnConflict.NEW_VERSION,
        declared_by=principal,
        created_at=EPOCH,  # the ledger's clock decides
        closed_at=None,
    )


async def _declare(
    tx: Tx, batch: Batch, bucket: str, pairs: Sequence[tuple[OldDocument, OldObject]]
) -> None:
    """Write uploads whose bytes are there already, and have each of them proven."""
    uploads = [_upload(batch, row, stored) for row, stored in pairs]
    await tx.declare(uploads)
    await tx.keep_old_ids(
        [
            Kept(
                id=row.id,
                project=batch.project,
                upload=upload.id,
                origin=Origin.OLD,
                filename=row.filename,
                mime=row.mime,
                uploaded_by=row.uploaded_by,
                created_at=row.created_at,
            )
            for (row, _), upload in zip(pairs, uploads, strict=True)
        ]
    )
    await tx.say([Happening(kind=Kind.DECLARED, batch=batch.id, detail=f"{len(uploads)} files")])
    await tx.move(
        [
            change(
                upload,
                upload.after(
                    Event.ARRIVED,
                    received=upload.entry.size,
                    object_key=foreign_key(upload, bucket, stored.key),
                ),
            )
            for (_, stored), upload in zip(pairs, uploads, strict=True)
        ]
    )
    await tx.enqueue([ProveUpload(upload.id) for upload in uploads])


def _upload(batch: Batch, row: OldDocument, stored: OldObject) -> Upload:
    """Return a new upload; the size is the object's, whatever the row says."""
    id_ = UploadId(new_id())
    entry = entry_of(
        row.id, row.filename, size=stored.size, created_at=row.created_at, mime=row.mime
    )
    return Upload(
        id=id_,
        organization=batch.organization,
        project=batch.project,
        batch=batch.id,
        entry=replace(entry, key=f"{entry.key}.{id_}"),
        state=State.DECLARED,
    )


def _did(principal: PrincipalId, name: str, batch: Batch, files: int) -> Audited:
    return Audited(
        id=new_id(),
        at=EPOCH,  # the ledger's clock decides
        deed=Deed.LEGACY_IMPORTED,
        principal=principal,
        name=name,
        token=None,
        address=None,
        request=None,
        subject=batch.id,
        project=batch.project,
        detail={"files": files},
    )

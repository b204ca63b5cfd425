"""Arriving: bytes that went straight to the store, and who says that they are there.

The client, the store's own notices and the sweeper all say it, in any order and any number of
times; whoever is first moves the upload on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from laydown.domain.jobs import Job, JoinParts, ProveUpload
from laydown.domain.lifecycle import Event, State
from laydown.domain.plan import Plan, PlanKind, part_range
from laydown.domain.scanning import Verdict
from laydown.domain.upload import (
    ObjectName,
    OrganizationId,
    Upload,
    UploadId,
    change,
    parse_key,
)
from laydown.ports import Arrival, DirectEntry, Judgement, Landed, Ledger, Tx
from laydown.services.rescanning import withdraw


@dataclass(frozen=True, kw_only=True)
class Arriving:
    """Use cases for what the store and its scanner tell us. All are safe to repeat."""

    ledger: Ledger

    async def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Have those uploads proven whose one object the store says it has.

        Parts of a multipart upload make no object until we join them, so their news is no news.
        """
        for organization, names in _by_organization(each.name for each in arrivals):
            async with self.ledger.begin(organization) as tx:
                found = await tx.uploads([name.upload for name in names], lock=True)
                attempts = {(name.upload, name.attempt) for name in names}
                await seal(
                    tx,
                    [
                        whole(upload)
                        for upload in found
                        if (upload.id, upload.attempt) in attempts and not upload.is_multipart
                    ],
                )

    async def judged(self, judgements: Sequence[Judgement]) -> None:
        """Keep what a scanner beside the store said, and go on with the uploads it speaks of.

        The proof takes the same lock: whichever comes second finds the other's word.
        """
        by_key = {each.name.key: each.scan for each in judgements}
        for organization, names in _by_organization(each.name for each in judgements):
            async with self.ledger.begin(organization) as tx:
                found = await tx.uploads([name.upload for name in names], lock=True)
                known = {upload.id for upload in found}
                scans = {name.key: by_key[name.key] for name in names if name.upload in known}
                await tx.keep_scans(scans)
                await tx.enqueue(
                    [ProveUpload(upload.id) for upload in found if upload.state is State.CHECKING]
                )
                for key, scan in scans.items():
                    if scan.verdict is Verdict.INFECTED:
                        await withdraw(tx, parse_key(key).upload, key, scan)


def whole(upload: Upload) -> Upload:
    """Return an upload all of whose bytes are with the store."""
    return replace(upload, received=upload.entry.size)


async def seal(tx: Tx, uploads: Sequence[Upload]) -> None:
    """Have those uploads joined, or found, and proven whose bytes have all landed."""
    ready = [
        upload
        for upload in uploads
        if upload.state is State.RECEIVING and upload.received == upload.entry.size
    ]
    moved = await tx.move(
        [change(upload, upload.after(Event.SENT, object_key=upload.key)) for upload in ready]
    )
    jobs: list[Job] = [
        JoinParts(upload.id) if upload.is_multipart else ProveUpload(upload.id)
        for upload in ready
        if upload.id in moved
    ]
    await tx.enqueue(jobs)


async def landed_in_store(
    direct: DirectEntry, uploads: Iterable[Upload]
) -> Mapping[UploadId, Landed]:
    """Return what a store holds of those of these uploads that are under way."""
    asked = [each for each in uploads if each.state is State.RECEIVING]
    return await direct.landed(asked) if asked else {}


async def attempts_in_store(
    direct: DirectEntry, uploads: Iterable[Upload]
) -> Mapping[tuple[UploadId, int], Sequence[int]]:
    """Return the numbers of their parts by (upload, attempt), for whoever looks again later."""
    asked = list(uploads)
    landed = await landed_in_store(direct, asked)
    return {
        (each.id, each.attempt): numbers(each, landed[each.id])
        for each in asked
        if each.id in landed
    }


def numbers(upload: Upload, landed: Landed) -> Sequence[int]:
    """Return the parts that need not be sent: those that are there with the right length."""
    if landed.is_object:
        return list(range(1, upload.parts + 1))
    plan = Plan(kind=PlanKind.MULTIPART, part_size=upload.part_size, parts=upload.parts)
    return sorted(
        number
        for number, size in landed.parts.items()
        if 1 <= number <= upload.parts and part_range(plan, upload.entry.size, number)[1] == size
    )


def _by_organization(
    names: Iterable[ObjectName],
) -> Iterable[tuple[OrganizationId, Sequence[ObjectName]]]:
    ordered = sorted(names, key=lambda name: name.organization)
    for organization, alike in groupby(ordered, key=lambda name: name.organization):
        yield organization, list(alike)

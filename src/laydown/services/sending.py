"""Sending: permissions to send bytes, and the record of those that are durable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from laydown.domain.access import Act
from laydown.domain.errors import Conflict
from laydown.domain.lifecycle import TAKES_BYTES, Event, State
from laydown.domain.plan import Plan, PlanKind, part_range
from laydown.domain.upload import (
    BatchId,
    OrganizationId,
    Part,
    PartOutcome,
    Upload,
    UploadId,
    change,
    missing_parts,
)
from laydown.ports import DirectEntry, Ledger, SignedUrl, UrlSigner
from laydown.services.access import batch_for
from laydown.services.arriving import landed_in_store, numbers
from laydown.services.identity import Caller
from laydown.services.repeating import repeated

PARTS_AT_ONCE = 1_000
"""How many URLs one answer holds at most: signing them takes about 10 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An upload whose parts a client wants to send; none named: the next that are missing."""

    upload: UploadId
    parts: Sequence[tuple[int, str | None]] = ()  # number; checksum to be bound, if any


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The URLs for an upload's next parts, and the numbers of those already here."""

    upload: UploadId
    parts: Sequence[tuple[int, SignedUrl]] = ()
    have: Sequence[int] = ()
    code: str | None = None  # why nothing is granted
    needs_completion: bool = False  # even of a file of one part: nobody sees it arrive


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Use cases while bytes are on their way."""

    ledger: Ledger
    signer: UrlSigner
    direct: DirectEntry | None = None  # where bytes go past us

    async def grant(
        self, caller: Caller, batch_id: BatchId, *, limit: int, wanted: Sequence[Wanted]
    ) -> Sequence[Granted]:
        """Sign the next *limit* parts of the batch, or parts of the uploads that are *wanted*.

        An upload that takes no bytes gets the code `not_receiving`, an unknown one `not_found`.
        """

        async def grant() -> Sequence[Granted]:
            return await self._granted(caller, batch_id, min(limit, PARTS_AT_ONCE), wanted)

        return await repeated(grant)

    async def _granted(
        self, caller: Caller, batch_id: BatchId, limit: int, wanted: Sequence[Wanted]
    ) -> Sequence[Granted]:
        async with self.ledger.begin(caller.organization) as tx:
            batch_for(caller, Act.DELIVER, await tx.touch_batch(batch_id))
            if wanted:
                found = await tx.uploads([each.upload for each in wanted])
            else:
                found = await tx.sendable(batch_id, limit=limit)
                wanted = [Wanted(upload=upload.id) for upload in found]
            landed = await tx.landed(found)
        uploads = {upload.id: upload for upload in found if upload.batch == batch_id}
        if self.direct is not None:
            resumed = {each.upload for each in wanted if not each.parts}
            asked = [upload for upload in uploads.values() if upload.id in resumed]
            in_store = await landed_in_store(self.direct, asked)
            landed = {id_: numbers(uploads[id_], there) for id_, there in in_store.items()}
            dropped = {
                id_: uploads[id_].multipart_id
                for id_, there in in_store.items()
                if there.is_dropped
            }
            uploads |= await self._opened(caller, self.direct, list(uploads.values()), dropped)
        await self.signer.refresh()
        return self._signed(uploads, landed, wanted, room=limit)

    def _signed(
        self,
        uploads: Mapping[UploadId, Upload],
        landed: Mapping[UploadId, Sequence[int]],
        wanted: Sequence[Wanted],
        *,
        room: int,
    ) -> Sequence[Granted]:
        granted = []
        for each in wanted:
            upload = uploads.get(each.upload)
            if upload is None:
                granted.append(Granted(upload=each.upload, code="not_found"))
                continue
            grant = self._grant(upload, each, have=landed.get(upload.id, ()), room=room)
            room -= len(grant.parts)
            granted.append(grant)
        return granted

    async def _opened(
        self,
        caller: Caller,
        direct: DirectEntry,
        uploads: Sequence[Upload],
        dropped: Mapping[UploadId, str | None],
    ) -> Mapping[UploadId, Upload]:
        """Have the store ready for bytes, and say that they may be on their way.

        What it has *dropped*, as its life cycle does with parts of days ago, is begun anew. Where
        two begin the same multipart upload, the one that was recorded counts for both.
        """
        fresh = {
            upload.id: upload for upload in uploads if _is_unopened(upload, dropped.get(upload.id))
        }
        if not fresh:
            return {}
        begun = await direct.begin([each for each in fresh.values() if each.is_multipart])
        async with self.ledger.begin(caller.organization) as tx:
            now = await tx.uploads(list(fresh), lock=True)
            if any(upload.attempt != fresh[upload.id].attempt for upload in now):
                raise Conflict("files were declared anew meanwhile; repeat the request")
            opened = {
                upload.id: upload.after(Event.GRANTED, multipart_id=begun.get(upload.id))
                for upload in now
                if _is_unopened(upload, dropped.get(upload.id))
            }
            await tx.move([change(each, opened[each.id]) for each in now if each.id in opened])
        return {upload.id: opened.get(upload.id, upload) for upload in now}

    def _grant(self, upload: Upload, wanted: Wanted, *, have: Sequence[int], room: int) -> Granted:
        if not _takes_bytes(upload):
            return Granted(upload=upload.id, have=have, code="not_receiving")
        asked = wanted.parts or [(number, None) for number in missing_parts(upload, have)]
        plan = Plan(
            kind=PlanKind.MULTIPART if upload.is_multipart else PlanKind.SINGLE,
            part_size=upload.part_size,
            parts=upload.parts,
        )
        parts = []
        for number, checksum in asked[: max(room, 0)]:
            if not 1 <= number <= upload.parts or number in have:
                continue
            _, length = part_range(plan, upload.entry.size, number)
            url = self.signer.sign_part(upload, number, length=length, checksum=checksum)
            parts.append((number, url))
        return Granted(
            upload=upload.id,
            parts=parts,
            have=have,
            needs_completion=self.signer.needs_completion,
        )

    async def record(
        self, organization: OrganizationId, parts: Sequence[Part]
    ) -> Sequence[PartOutcome]:
        """Record parts that are durable, one outcome each, in one transaction."""

        async def record() -> Sequence[PartOutcome]:
            async with self.ledger.begin(organization) as tx:
                return await tx.record(parts)

        return await repeated(record)

    async def recorded(
        self, organization: OrganizationId, attempts: Sequence[tuple[UploadId, int]]
    ) -> Mapping[tuple[UploadId, int], Sequence[int]]:
        """Return which parts of these (upload, attempt) are recorded and must not be rewritten."""
        async with self.ledger.begin(organization) as tx:
            return await tx.recorded(attempts)

    async def progress(
        self, caller: Caller, batch_id: BatchId, sent: Mapping[UploadId, int]
    ) -> None:
        """Note how many bytes clients say have gone straight to the store. Only shown, never used.

        What is recorded for good is not overruled, and nothing exceeds what was declared.
        """
        async with self.ledger.begin(caller.organization) as tx:
            batch_for(caller, Act.DELIVER, await tx.touch_batch(batch_id))
            if self.direct is not None:
                await tx.say_received(batch_id, sent)


def _is_unopened(upload: Upload, dropped: str | None) -> bool:
    """Say whether a store that is sent bytes directly doesn't expect any of this upload.

    Not yet, or no more: *dropped* is the name of a multipart upload that is gone.
    """
    lacks_name = upload.is_multipart and upload.multipart_id in (None, dropped)
    return _takes_bytes(upload) and (upload.state is State.DECLARED or lacks_name)


def _takes_bytes(upload: Upload) -> bool:
    return upload.state in TAKES_BYTES and upload.leader is None

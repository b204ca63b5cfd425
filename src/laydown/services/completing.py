"""Completing: all parts are sent; or the client takes files back, or tries again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from laydown.domain.access import Act, PrincipalId
from laydown.domain.audit import Audited, Deed
from laydown.domain.batch import Batch, Tally
from laydown.domain.errors import IllegalMove
from laydown.domain.happening import Happening, Kind
from laydown.domain.jobs import DiscardBytes, Job, ProveUpload
from laydown.domain.lifecycle import TAKES_BYTES, Event, State
from laydown.domain.quotas import usage_of
from laydown.domain.reasons import RETRYABLE, Reason
from laydown.domain.upload import BatchId, Upload, UploadId, change, missing_parts
from laydown.ports import BatchFilter, DirectEntry, Ledger, Page, Tx, UploadFilter, UploadRecord
from laydown.services.access import batch_for, upload_for
from laydown.services.arriving import attempts_in_store, seal, whole
from laydown.services.identity import Caller
from laydown.services.quotas import room_in
from laydown.services.repeating import repeated
from laydown.services.twins import promote_twins

_MISSING_SHOWN = 1_000
_AT_ONCE = 5_000
_BATCHES_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What completing one upload came to."""

    upload: UploadId
    state: State | None  # None: no such upload in this batch
    code: str | None = None
    missing: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True)
class Completing:
    """Use cases that end the sending of files."""

    ledger: Ledger
    direct: DirectEntry | None = None  # where bytes go past us

    async def complete(
        self, caller: Caller, batch_id: BatchId, ids: Sequence[UploadId]
    ) -> Sequence[Completion]:
        """Have the parts of each upload joined, if they have all landed. Repeatable.

        Of a file of one part that went straight to the store we take the caller's word: whether
        the bytes are there, and are those declared, is what the proof finds out.
        """
        parts_in_store = await self._in_store(caller, batch_id, ids)
        async with self.ledger.begin(caller.organization) as tx:
            batch_for(caller, Act.DELIVER, await tx.touch_batch(batch_id))
            found = await tx.uploads(ids, lock=True)
            uploads = {upload.id: upload for upload in found if upload.batch == batch_id}
            landed = dict(await tx.landed(list(uploads.values())))
            for upload in uploads.values():  # what was found of an attempt says nothing of another
                if (upload.id, upload.attempt) in parts_in_store:
                    landed[upload.id] = parts_in_store[upload.id, upload.attempt]
            for upload in uploads.values():
                if upload.id in landed and not missing_parts(upload, landed[upload.id]):
                    uploads[upload.id] = whole(upload)
            await seal(tx, list(uploads.values()))
        return [_completion(each, uploads.get(each), landed.get(each, ())) for each in ids]

    async def _in_store(
        self, caller: Caller, batch_id: BatchId, ids: Sequence[UploadId]
    ) -> Mapping[tuple[UploadId, int], Sequence[int]]:
        """Return the parts of each attempt that are with a store that doesn't report to us."""
        if self.direct is None:
            return {}
        async with self.ledger.begin(caller.organization) as tx:
            found = await tx.uploads(ids)
        ours = [each for each in found if each.batch == batch_id]
        said = {
            (each.id, each.attempt): [1]
            for each in ours
            if each.state is State.RECEIVING and not each.is_multipart
        }
        asked = [each for each in ours if each.is_multipart]
        return {**said, **await attempts_in_store(self.direct, asked)}

    async def cancel(self, caller: Caller, upload_id: UploadId) -> UploadRecord:
        """Take one upload back; raise `IllegalMove` once its bytes are all here."""
        async with self.ledger.begin(caller.organization) as tx:
            record = await upload_for(tx, caller, Act.DELIVER, upload_id)
            [upload] = await tx.uploads([upload_id], lock=True)
            if upload.state is State.CANCELLED:
                return record
            if upload.state not in TAKES_BYTES:
                raise IllegalMove(upload.state, Event.CANCELLED)
            await _cancel(tx, [upload], Reason.CANCELLED_BY_USER)
            await tx.note(
                caller.did(
                    Deed.UPLOAD_CANCELLED,
                    subject=upload_id,
                    project=upload.project,
                    path=upload.entry.path,
                )
            )
            return await tx.upload(upload_id)

    async def close_batch(self, caller: Caller, batch_id: BatchId) -> tuple[Batch, Tally]:
        """Take no more entries; what is in flight finishes. Repeatable."""
        async with self.ledger.begin(caller.organization) as tx:
            batch_for(caller, Act.DELIVER, await tx.batch(batch_id, lock=True))
            batch = await close(tx, batch_id)
            await tx.note(_did(caller, Deed.BATCH_CLOSED, batch))
            return batch, await tx.tally(batch_id)

    async def cancel_batch(self, caller: Caller, batch_id: BatchId) -> tuple[Batch, Tally]:
        """Close the batch and take back every upload that still waits for bytes. Repeatable."""
        async with self.ledger.begin(caller.organization) as tx:
            batch_for(caller, Act.DELIVER, await tx.batch(batch_id, lock=True))
            await _take_back(tx, batch_id, Reason.CANCELLED_BY_USER)
            batch = await close(tx, batch_id)
            await tx.note(_did(caller, Deed.BATCH_CANCELLED, batch))
            return batch, await tx.tally(batch_id)

    async def retry_batch(self, caller: Caller, batch_id: BatchId) -> int:
        """Set going again what can be retried; return how many uploads that were.

        Failed ones are checked again; expired ones, and those rejected for a reason that needn't
        be met again, wait for bytes again, as a new attempt. Where there is no room for one that
        expired or was damaged, that is its reason from now on; others stay as they are.
        """

        async def retry() -> int:
            async with self.ledger.begin(caller.organization) as tx:
                batch = batch_for(caller, Act.DELIVER, await tx.touch_batch(batch_id))
                moved = await _retry(tx, caller, batch)
                await tx.note(_did(caller, Deed.BATCH_RETRIED, batch, files=moved))
                return moved

        return await repeated(retry)


async def _retry(tx: Tx, caller: Caller, batch: Batch) -> int:
    room = await room_in(tx, caller, batch.project)
    failed = await _all_in(tx, batch.id, UploadFilter(state=State.FAILED))
    again = await _all_in(tx, batch.id, UploadFilter(state=State.EXPIRED))
    for reason in sorted(RETRYABLE):
        which = UploadFilter(state=State.REJECTED, reason=reason)
        again += await _all_in(tx, batch.id, which)
    changes = [change(upload, retried(upload)) for upload in failed]
    changes += [change(upload, resent(upload)) for upload in again]
    short = {each.now.id: room.take(batch.project, usage_of(each.now)) for each in changes}
    moved = await tx.move([each for each in changes if not short[each.now.id]])
    checked = [upload.id for upload in failed if upload.id in moved]
    await tx.forget_dead_jobs(checked)
    await tx.enqueue([ProveUpload(upload) for upload in checked])
    await _refuse(tx, {id_: why for id_, why in short.items() if why is not None}, among=again)
    return len(moved)


async def _refuse(tx: Tx, short: Mapping[UploadId, str], *, among: Sequence[Upload]) -> None:
    """Say of uploads that would be sent again that there is no room, unless that was said before.

    There is no way from where they are but through `declared`.
    """
    refused = [
        upload
        for upload in among
        if upload.id in short and upload.reason is not Reason.QUOTA_EXCEEDED
    ]
    waiting = [resent(upload) for upload in refused]
    await tx.move([change(was, now) for was, now in zip(refused, waiting, strict=True)])
    await tx.move(
        [
            change(
                upload,
                upload.after(Event.REFUSED, reason=Reason.QUOTA_EXCEEDED, detail=short[upload.id]),
            )
            for upload in waiting
        ]
    )


def _did(caller: Caller, deed: Deed, batch: Batch, **detail: str | int) -> Audited:
    return caller.did(deed, subject=batch.id, project=batch.project, **detail)


def retried(upload: Upload) -> Upload:
    """Return a failed upload as it is checked again."""
    return upload.after(Event.RETRIED, reason=None, detail=None)


def resent(upload: Upload) -> Upload:
    """Return an upload as it waits for its bytes again: a new attempt, nothing received."""
    return upload.after(
        Event.RETRIED,
        attempt=upload.attempt + 1,
        reason=None,
        detail=None,
        received=0,
        object_key=None,
        multipart_id=None,
    )


def may_have_bytes(upload: Upload) -> bool:
    """Say whether the store may hold bytes of an upload that is not sealed."""
    return upload.is_multipart or upload.received > 0 or upload.state is State.RECEIVING


async def close(tx: Tx, batch_id: BatchId) -> Batch:
    """Close a batch that the transaction has locked, and say so once."""
    before = await tx.batch(batch_id)
    batch = await tx.touch_batch(batch_id, close=True)
    if before.is_open:
        await tx.say([Happening(kind=Kind.CLOSED, batch=batch.id)])
    return batch


async def give_up_deliveries(tx: Tx, principal: PrincipalId) -> None:
    """Close the open batches of somebody who may deliver no more; what lacks bytes is cancelled."""
    own = BatchFilter(principal=principal, visible=())
    page = Page(limit=_BATCHES_AT_ONCE)
    while True:
        batches = await tx.batches(page, own, project=None)
        for batch in batches:
            if batch.is_open:
                await tx.batch(batch.id, lock=True)
                await _take_back(tx, batch.id, Reason.NO_PERMISSION)
                await close(tx, batch.id)
        if len(batches) < page.limit:
            return
        page = Page(after=str(batches[-1].id), limit=page.limit)


async def _take_back(tx: Tx, batch_id: BatchId, why: Reason) -> None:
    """Cancel every upload of a batch that still waits for bytes."""
    for state in sorted(TAKES_BYTES):
        await _cancel(tx, await _all_in(tx, batch_id, UploadFilter(state=state)), why)


async def _cancel(tx: Tx, uploads: Sequence[Upload], why: Reason) -> None:
    moved = await tx.move(
        [
            change(upload, upload.after(Event.CANCELLED, reason=why, leader=None))
            for upload in uploads
        ]
    )
    await promote_twins(tx, sorted(moved))
    jobs: list[Job] = [  # of those only: bytes of one that was sealed meanwhile are wanted
        DiscardBytes(upload.id, upload.key)
        for upload in uploads
        if upload.id in moved and may_have_bytes(upload)
    ]
    await tx.enqueue(jobs)


async def _all_in(tx: Tx, batch_id: BatchId, which: UploadFilter) -> list[Upload]:
    """Return every upload of a batch that matches."""
    found: list[Upload] = []
    after: str | None = None
    while True:
        page = await tx.records(batch_id, Page(after=after, limit=_AT_ONCE), which)
        found += [record.upload for record in page]
        if len(page) < _AT_ONCE:
            return found
        after = str(page[-1].order)


def _completion(asked: UploadId, upload: Upload | None, have: Sequence[int]) -> Completion:
    if upload is None:
        return Completion(upload=asked, state=None, code="not_found")
    if upload.state not in TAKES_BYTES:
        return Completion(upload=asked, state=upload.state)
    if upload.state is State.RECEIVING and upload.received == upload.entry.size:
        return Completion(upload=asked, state=State.SEALING)
    missing = missing_parts(upload, have)[:_MISSING_SHOWN]
    return Completion(upload=asked, state=upload.state, code="parts_missing", missing=missing)

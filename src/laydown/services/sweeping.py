"""Sweeping: what silence, crashes and hands leave behind is found and put right."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from laydown.domain.document import Blob
from laydown.domain.errors import StoreUnavailable
from laydown.domain.jobs import DiscardBytes
from laydown.domain.lifecycle import TAKES_BYTES, Event, State
from laydown.domain.reasons import Reason
from laydown.domain.upload import (
    NO_OBJECT,
    ObjectName,
    OrganizationId,
    Upload,
    UploadId,
    change,
    missing_parts,
    parse_key,
)
from laydown.ports import DirectEntry, Ledger, ObjectStore, Patrol, Silence, StoredObject, Transient
from laydown.services.arriving import attempts_in_store, seal, whole
from laydown.services.completing import close, may_have_bytes
from laydown.services.twins import promote_twins

_AT_ONCE = 1_000
_ROUNDS = 100  # a whole abandoned batch, and then it is the others' turn
KEEP_UNWANTED = timedelta(hours=24)
"""How old an object nothing refers to must be before it is deleted: far longer than any URL lives
and any transaction takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one round of sweeping did."""

    expired: int = 0  # uploads given up after silence
    closed: int = 0  # idle batches
    discarded: int = 0  # objects nothing referred to
    missing: int = 0  # blobs whose object is gone
    found: int = 0  # uploads whose bytes the store had, and nobody had said so


@dataclass(frozen=True, kw_only=True)
class Sweeping:
    """Use cases nobody asks for by name. Safe to run anywhere, any time, twice at once."""

    ledger: Ledger
    patrol: Patrol
    store: ObjectStore
    silence: Silence
    direct: DirectEntry | None = None  # a store that takes bytes without our seeing them
    transients: Sequence[Transient] = ()  # what is forgotten in time, which is nothing to report

    async def tidy(self) -> Report:
        """Expire silent uploads, seal those that lack only a completion, close idle batches.

        Folds what is used into its sums, too, which is nothing to report.
        """
        await self._fold_usage()
        found = await self._find_unreported()
        expired = 0
        for _ in range(_ROUNDS):
            silent = sorted(await self.patrol.silent_uploads(self.silence, limit=_AT_ONCE))
            for organization, pairs in groupby(silent, key=lambda pair: pair[0]):
                expired += await self._expire(organization, [upload for _, upload in pairs])
            if len(silent) < _AT_ONCE:
                break
        closed = 0
        for organization, batch in await self.patrol.idle_batches(self.silence, limit=_AT_ONCE):
            async with self.ledger.begin(organization) as tx:
                await tx.batch(batch, lock=True)
                if await tx.is_idle(batch, self.silence.batch):
                    await close(tx, batch)
                    closed += 1
        await self._forget()
        return Report(expired=expired, closed=closed, found=found)

    async def _forget(self) -> None:
        for transient in self.transients:
            for _ in range(_ROUNDS):
                if await transient.forget(limit=_AT_ONCE) < _AT_ONCE:
                    break

    async def _fold_usage(self) -> None:
        """Keep what is used quick to ask for: sums, and few changes that aren't in them."""
        for _ in range(_ROUNDS):
            if await self.patrol.fold_usage(limit=_AT_ONCE) < _AT_ONCE:
                break

    async def _find_unreported(self) -> int:
        """Ask the store for uploads whose URLs have run out: whoever sent them may be gone."""
        if self.direct is None:
            return 0
        total, after = 0, None
        while found := await self.patrol.unreported_uploads(
            self.silence, after=after, limit=_AT_ONCE
        ):
            for organization, pairs in groupby(sorted(found), key=lambda pair: pair[0]):
                ids = [upload for _, upload in pairs]
                landed = await self._in_store(organization, ids)
                async with self.ledger.begin(organization) as tx:
                    uploads = await tx.uploads([upload for upload, _ in landed], lock=True)
                    arrived = _whole(uploads, landed)
                    await seal(tx, arrived)
                total += len(arrived)
            after = found[-1][1]
        return total

    async def _in_store(
        self, organization: OrganizationId, ids: Sequence[UploadId]
    ) -> Mapping[tuple[UploadId, int], Sequence[int]]:
        if self.direct is None:
            return {}
        async with self.ledger.begin(organization) as tx:
            uploads = await tx.uploads(ids)
        try:
            return await attempts_in_store(self.direct, uploads)
        except StoreUnavailable:  # perhaps it is only one of them
            return await self._one_by_one(self.direct, uploads)

    async def _one_by_one(
        self, direct: DirectEntry, uploads: Sequence[Upload]
    ) -> Mapping[tuple[UploadId, int], Sequence[int]]:
        """Return what the store has of each; what it won't speak of counts as sent.

        The proof tells then what is wrong with it, and it settles. Raises `StoreUnavailable` when
        it is the store that is away.
        """
        landed: dict[tuple[UploadId, int], Sequence[int]] = {}
        for upload in uploads:
            try:
                landed |= await attempts_in_store(direct, [upload])
            except StoreUnavailable:
                await self.store.size(NO_OBJECT)
                landed[upload.id, upload.attempt] = range(1, upload.parts + 1)
        return landed

    async def _expire(self, organization: OrganizationId, ids: Sequence[UploadId]) -> int:
        landed = await self._in_store(organization, ids)
        async with self.ledger.begin(organization) as tx:
            uploads = [
                upload for upload in await tx.uploads(ids, lock=True) if upload.state in TAKES_BYTES
            ]
            await seal(tx, _whole(uploads, landed))
            still = await tx.still_silent(ids, self.silence.upload)
            silent = [upload for upload in uploads if upload.id in still]
            moved = await tx.move(
                [
                    change(
                        upload,
                        upload.after(Event.WENT_SILENT, reason=Reason.EXPIRED, leader=None),
                    )
                    for upload in silent
                ]
            )
            await promote_twins(tx, sorted(moved))
            await tx.enqueue(
                [DiscardBytes(upload.id, upload.key) for upload in silent if may_have_bytes(upload)]
            )
        return len(moved)

    async def reconcile(self) -> Report:
        """Compare ledger and store both ways: delete what nothing wants, mark what is gone.

        Both are read once, in the order of keys and a page at a time. What the store's listing
        lacks is asked for by its key before it is marked: a list says too little to lose content
        over. Raises `StoreUnavailable`, and then what is left is another round's.
        """
        before = datetime.now(UTC) - KEEP_UNWANTED
        unknown: list[ObjectName] = []
        suspect: list[Blob] = []
        discarded = missing = 0
        async with aclosing(_side_by_side(self.store.objects(), self._blobs())) as pairs:
            async for stored, blob in pairs:
                if blob is None and stored is not None and stored.stored_at < before:
                    unknown.append(parse_key(stored.key))
                if blob is not None and (stored is None or stored.size != blob.size):
                    suspect.append(blob)
                if len(unknown) == _AT_ONCE:
                    discarded += await self._discard(unknown)
                    unknown = []
                if len(suspect) == _AT_ONCE:
                    missing += await self._mark_missing(suspect)
                    suspect = []
        discarded += await self._discard(unknown)
        missing += await self._mark_missing(suspect)
        return Report(discarded=discarded, missing=missing)

    async def _blobs(self) -> AsyncGenerator[Blob]:
        after = None
        while blobs := await self.patrol.blobs_after(after, limit=_AT_ONCE):
            for blob in blobs:
                yield blob
            after = blobs[-1].object_key

    async def _discard(self, names: Sequence[ObjectName]) -> int:
        unwanted = [each for each in await self.patrol.holdings(names) if not each.is_wanted]
        return sum([await self._is_discarded(holding.key) for holding in unwanted])

    async def _is_discarded(self, key: str) -> bool:
        """Delete an object; one that the store won't let go of is another round's."""
        try:
            await self.store.discard(key)
        except StoreUnavailable:  # perhaps it is only this one
            await self.store.size(NO_OBJECT)
            return False
        return True

    async def _mark_missing(self, blobs: Sequence[Blob]) -> int:
        gone = [blob for blob in blobs if await self._is_gone(blob)]
        if gone:
            await self.patrol.mark_missing(gone)
        return len(gone)

    async def _is_gone(self, blob: Blob) -> bool:
        """Ask the store for it by its key; what it won't speak of is not gone."""
        try:
            return await self.store.size(blob.object_key) != blob.size
        except StoreUnavailable:  # perhaps it is only this one
            await self.store.size(NO_OBJECT)
            return False


async def _side_by_side(
    objects: AsyncIterator[StoredObject], blobs: AsyncGenerator[Blob]
) -> AsyncGenerator[tuple[StoredObject | None, Blob | None]]:
    """Yield each object with the blob that it is, and alone whatever has no counterpart.

    Both come in the order of keys. Where a store's list does not, blobs come alone that have a
    counterpart, and so do their objects.
    """
    async with aclosing(blobs):
        blob = await anext(blobs, None)
        async for stored in objects:
            while stored.is_object and blob is not None and blob.object_key < stored.key:
                yield None, blob
                blob = await anext(blobs, None)
            if stored.is_object and blob is not None and blob.object_key == stored.key:
                yield stored, blob
                blob = await anext(blobs, None)
            else:
                yield stored, None
        while blob is not None:
            yield None, blob
            blob = await anext(blobs, None)


def _whole(
    uploads: Sequence[Upload], landed: Mapping[tuple[UploadId, int], Sequence[int]]
) -> Sequence[Upload]:
    """Return those all of whose bytes are here, as the ledger or the store knows."""
    return [
        whole(upload)
        for upload in uploads
        if upload.state is State.RECEIVING
        and (0 < upload.entry.size == upload.received or _is_there(upload, landed))
    ]


def _is_there(upload: Upload, landed: Mapping[tuple[UploadId, int], Sequence[int]]) -> bool:
    attempt = upload.id, upload.attempt
    return attempt in landed and not missing_parts(upload, landed[attempt])

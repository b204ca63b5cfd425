"""Proving: what the worker does to bytes that have all arrived, many files at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from laydown.domain.document import Blob
from laydown.domain.errors import ScannerUnavailable, StoreUnavailable
from laydown.domain.filetypes import pointer_stub
from laydown.domain.jobs import DiscardBytes
from laydown.domain.lifecycle import Event, State
from laydown.domain.policy import Policy
from laydown.domain.proof import Proof
from laydown.domain.quotas import Room
from laydown.domain.reasons import Reason
from laydown.domain.scanning import UNSCANNED, Scan, Verdict
from laydown.domain.sniffing import sniff
from laydown.domain.upload import NO_OBJECT, OrganizationId, Upload, UploadId, change
from laydown.ports import (
    Fingerprint,
    Fingerprinter,
    Ledger,
    Look,
    ObjectStore,
    Patrol,
    Scanner,
    Tx,
)
from laydown.services.concluding import Finding, Passed, Refusal, by_content, conclude
from laydown.services.quotas import room_at_the_end, within
from laydown.services.twins import promote_twins

_JOINED_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Proving:
    """Use cases between the last byte and the published version. All are safe to run twice.

    With a *scanner*, bytes go through it while they are proven. With *awaits_verdicts*, a scanner
    beside the store judges them and tells us: what is proven then waits for its word.
    """

    ledger: Ledger
    store: ObjectStore
    reader: Fingerprinter
    patrol: Patrol
    policy: Policy
    scanner: Scanner | None = None
    awaits_verdicts: bool = False

    async def join(self, organization: OrganizationId, ids: Sequence[UploadId]) -> None:
        """Make the parts of each upload one durable object, then prove it."""
        async with self.ledger.begin(organization) as tx:
            found = await tx.uploads(ids)
        sealing = [upload for upload in found if upload.state is State.SEALING]
        turn = asyncio.Semaphore(_JOINED_AT_ONCE)

        async def join(upload: Upload) -> tuple[str, int | None]:
            async with turn:
                return upload.key, await self.store.join(upload)

        sizes = dict(await asyncio.gather(*map(join, sealing)))
        async with self.ledger.begin(organization) as tx:
            now = await tx.uploads([upload.id for upload in sealing], lock=True)
            tried = [each for each in now if each.state is State.SEALING and each.key in sizes]
            joined = [each for each in tried if sizes[each.key] == each.entry.size]
            await tx.move([change(each, each.after(Event.JOINED)) for each in joined])
            broken = {each.id: each for each in tried if sizes[each.key] != each.entry.size}
            refusals = {
                each.id: _wrong_size(each, sizes[each.key] or 0) for each in broken.values()
            }
            await conclude(tx, broken, refusals, self.policy)
        await self.prove(organization, ids)

    async def prove(self, organization: OrganizationId, ids: Sequence[UploadId]) -> None:
        """Look at the bytes of these uploads once each, and publish or refuse every one.

        Raises `StoreUnavailable` when some can't be read now, and `ScannerUnavailable` when some
        must wait for the scanner; the others are done.
        """
        async with self.ledger.begin(organization) as tx:
            found = [upload for upload in await tx.uploads(ids) if _is_to_prove(upload)]
            proofs = await self._known(tx, found)
        for upload in found:
            if upload.is_multipart:  # a retry of one that failed while it was being joined
                await self.store.join(upload)
        unread = [upload.key for upload in found if upload.key not in proofs]
        seen = await self.reader.fingerprints(unread, scanner=self.scanner)
        looks = {key: look for key, look in seen.items() if isinstance(look, Look)}
        unreadable = {key: why for key, why in seen.items() if isinstance(why, StoreUnavailable)}
        found = [upload for upload in found if upload.key not in unreadable]
        proofs = {**proofs, **{key: _proof(look.fingerprint) for key, look in looks.items()}}
        await self._mark_lost(organization, [proof.sha256 for proof in proofs.values()])
        async with self.ledger.begin(organization) as tx:
            room = await room_at_the_end(tx, [upload.project for upload in found])
            now = await tx.uploads([upload.id for upload in found], lock=True)
            looked_at = {upload.key for upload in found}  # and not what was sent again since
            still = [each for each in now if _is_to_prove(each) and each.key in looked_at]
            uploads = await _found(tx, still, proofs)
            waiting = await self._conclude(tx, uploads, proofs, looks, room)
        for why in unreadable.values():  # before the scanner's: a wait for that has no end
            raise why
        if waiting:
            raise waiting[0]

    async def _mark_lost(self, organization: OrganizationId, digests: Sequence[bytes]) -> None:
        """Take out what is kept of these contents but gone from the store.

        Bytes that came again are discarded as spare ones, and may be the only ones.
        """
        async with self.ledger.begin(organization) as tx:
            kept = await tx.kept_blobs(digests)
        gone = [blob for blob in kept if await self._is_gone(blob)]
        if gone:
            await self.patrol.mark_missing(gone)

    async def _is_gone(self, blob: Blob) -> bool:
        """Ask the store for it by its key; what it won't speak of is not gone."""
        try:
            return await self.store.size(blob.object_key) != blob.size
        except StoreUnavailable:  # perhaps it is only this one
            await self.store.size(NO_OBJECT)
            return False

    async def _known(self, tx: Tx, uploads: Sequence[Upload]) -> Mapping[str, Proof]:
        """Return what was proven before and waited for a scanner since."""
        if not self.awaits_verdicts:
            return {}
        return await tx.proofs([upload.key for upload in uploads])

    async def _conclude(
        self,
        tx: Tx,
        uploads: Sequence[Upload],
        proofs: Mapping[str, Proof],
        looks: Mapping[str, Look],
        room: Room,
    ) -> Sequence[ScannerUnavailable]:
        """Publish and refuse; return why those wait that are neither published nor refused."""
        said: Mapping[str, Scan | ScannerUnavailable] = {}
        if self.awaits_verdicts:
            said = await tx.scans([upload.key for upload in uploads])
        findings: dict[UploadId, Finding] = {}
        unjudged: dict[str, Proof] = {}
        waiting: list[ScannerUnavailable] = []
        for upload in uploads:
            proof, look = proofs.get(upload.key), looks.get(upload.key)
            finding = examine(upload, proof, self.policy)
            scan = said.get(upload.key)
            if look is not None and not self.awaits_verdicts:
                scan = look.scan
            if isinstance(finding, Refusal):
                findings[upload.id] = finding
            elif isinstance(scan, ScannerUnavailable):
                waiting.append(scan)
            elif scan is None or not _is_about(scan, finding.proof):
                if self.awaits_verdicts:
                    unjudged[upload.key] = finding.proof
                else:
                    findings[upload.id] = finding
            else:
                findings[upload.id] = judged(finding, scan, self.policy)
        await tx.keep_proofs(unjudged)
        if self.scanner is not None:
            await tx.keep_scans({key: s for key, s in _scans(looks).items() if key in proofs})
        concluded = {upload.id: upload for upload in uploads if upload.id in findings}
        await conclude(tx, concluded, within(room, concluded, findings), self.policy)
        if self.awaits_verdicts:
            await tx.drop_proofs([upload.key for upload in concluded.values()])
        return waiting

    async def quarantine(
        self, organization: OrganizationId, upload_id: UploadId, object_key: str
    ) -> None:
        """Keep refused bytes from every reader, and have them discarded when their time is up."""
        await self.store.quarantine(object_key)
        async with self.ledger.begin(organization) as tx:
            await tx.enqueue([DiscardBytes(upload_id, object_key)], after=self.policy.quarantine)

    async def store_answers(self) -> bool:
        """Say whether the store is there at all, whatever it says of one object."""
        try:
            await self.store.size(NO_OBJECT)
        except StoreUnavailable:
            return False
        return True

    async def discard(self, object_key: str) -> None:
        """Delete an object nothing refers to."""
        await self.store.discard(object_key)

    async def give_up(self, organization: OrganizationId, upload_id: UploadId) -> None:
        """Note that we could not finish an upload; its bytes are kept for a retry."""
        async with self.ledger.begin(organization) as tx:
            stuck = [
                upload
                for upload in await tx.uploads([upload_id], lock=True)
                if upload.state in (State.SEALING, State.CHECKING, State.PROCESSING)
            ]
            moved = await tx.move(
                [
                    change(each, each.after(Event.GAVE_UP, reason=Reason.PROCESSING_GAVE_UP))
                    for each in stuck
                ]
            )
            await promote_twins(tx, sorted(moved))


def examine(upload: Upload, proof: Proof | None, policy: Policy) -> Passed | Refusal:
    """Compare what an object is with what was declared of it."""
    if proof is None or proof.size != upload.entry.size:
        return _wrong_size(upload, 0 if proof is None else proof.size)
    if upload.entry.sha256 not in (None, proof.sha256):
        detail = f"the SHA-256 of what arrived is {proof.sha256.hex()}"
        return Refusal(reason=Reason.CHECKSUM_MISMATCH, detail=detail, proof=proof)
    return by_content(upload, Passed(proof=proof), policy)


def judged(passed: Passed, scan: Scan, policy: Policy) -> Finding:
    """Return what a scanner's word makes of bytes that are as declared."""
    match scan.verdict:
        case Verdict.CLEAN:
            return replace(passed, scanned_by=scan.scanner)
        case Verdict.INFECTED:
            return Refusal(reason=Reason.INFECTED, detail=scan.threat, proof=passed.proof)
        case Verdict.UNSCANNABLE if policy.accept_unscanned:
            return replace(passed, scanned_by=UNSCANNED)
        case Verdict.UNSCANNABLE:
            return Refusal(reason=Reason.SCAN_UNAVAILABLE, detail=scan.threat, proof=passed.proof)


def _is_to_prove(upload: Upload) -> bool:
    """Say whether an upload waits for its proof; what went straight to the store is found by it."""
    return upload.state is State.CHECKING or (
        upload.state is State.SEALING and not upload.is_multipart
    )


async def _found(
    tx: Tx, uploads: Sequence[Upload], proofs: Mapping[str, Proof]
) -> Sequence[Upload]:
    """Return uploads as they are once it is clear that their one object is there."""
    now = {
        upload.id: upload.after(Event.JOINED)
        for upload in uploads
        if upload.state is State.SEALING and upload.key in proofs
    }
    await tx.move([change(each, now[each.id]) for each in uploads if each.id in now])
    return [now.get(upload.id, upload) for upload in uploads]


def _is_about(scan: Scan, proof: Proof) -> bool:
    """Say whether a scanner looked at exactly the bytes that are proven."""
    return scan.version is None or proof.store_version in (None, scan.version)


def _scans(looks: Mapping[str, Look]) -> Mapping[str, Scan]:
    return {key: look.scan for key, look in looks.items() if isinstance(look.scan, Scan)}


def _proof(seen: Fingerprint) -> Proof:
    return Proof(
        sha256=seen.sha256,
        size=seen.size,
        kind=sniff(seen.head, tail=seen.tail, size=seen.size),
        is_pointer=pointer_stub(seen.head, seen.size),
        store_version=seen.version,
    )


def _wrong_size(upload: Upload, size: int) -> Refusal:
    detail = f"{upload.entry.size:,} bytes were declared, the store has {size:,}"
    return Refusal(reason=Reason.SIZE_MISMATCH, detail=detail)

"""Proving: what the worker does to bytes that have all arrived, many files at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from laydown.domain.batch import OnConflict
from laydown.domain.document import Blob, BlobId
from laydown.domain.filetypes import pointer_stub
from laydown.domain.jobs import DiscardBytes, Job, ProveUpload
from laydown.domain.kinds import Kind
from laydown.domain.lifecycle import Event, State
from laydown.domain.policy import Policy
from laydown.domain.reasons import BY_CONTENT, Reason
from laydown.domain.sniffing import sniff
from laydown.domain.upload import BatchId, OrganizationId, Upload, UploadId, change
from laydown.domain.verdicts import refusal_by_type
from laydown.ports import Fingerprint, Fingerprinter, Ledger, ObjectStore, Tx
from laydown.services.identifiers import new_id
from laydown.services.publishing import Candidate, Publication, decide_publications
from laydown.services.twins import by_leader, promote_twins


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What one look at the bytes established."""

    sha256: bytes
    size: int  # bytes
    kind: Kind
    is_pointer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an upload can't be published."""

    reason: Reason
    detail: str | None = None
    proof: Proof | None = None  # None: there are no bytes to speak of


Finding: TypeAlias = Proof | Refusal


@dataclass(frozen=True, kw_only=True)
class Proving:
    """Use cases between the last byte and the published version. All are safe to run twice."""

    ledger: Ledger
    store: ObjectStore
    reader: Fingerprinter
    policy: Policy

    async def join(self, organization: OrganizationId, upload_id: UploadId) -> None:
        """Make an upload's parts one durable object, then have it proven."""
        async with self.ledger.begin(organization) as tx:
            found = await tx.uploads([upload_id])
        if not found or found[0].state is not State.SEALING:
            return
        [upload] = found
        size = await self.store.join(upload.key, size=upload.entry.size)
        async with self.ledger.begin(organization) as tx:
            if size == upload.entry.size:
                await tx.move([change(upload, upload.after(Event.JOINED))])
                await tx.enqueue([ProveUpload(upload_id)])
            else:
                refusal = _wrong_size(upload, size or 0)
                await _refuse(tx, {upload.id: upload}, {upload.id: refusal})

    async def prove(self, organization: OrganizationId, ids: Sequence[UploadId]) -> None:
        """Look at the bytes of these uploads once each, and publish or refuse every one."""
        async with self.ledger.begin(organization) as tx:
            found = await tx.uploads(ids)
        checking = [upload for upload in found if upload.state is State.CHECKING]
        for upload in checking:
            if upload.is_multipart:  # a retry of one that failed while it was being joined
                await self.store.join(upload.key, size=upload.entry.size)
        seen = await self.reader.fingerprints([upload.key for upload in checking])
        findings = {
            upload.id: examine(upload, seen.get(upload.key), self.policy) for upload in checking
        }
        async with self.ledger.begin(organization) as tx:
            now = await tx.uploads(list(findings), lock=True)
            still = {
                upload.id: upload
                for upload in now
                if upload.state is State.CHECKING and upload.id in findings
            }
            await _conclude(tx, still, findings, self.policy)

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


def examine(upload: Upload, seen: Fingerprint | None, policy: Policy) -> Finding:
    """Compare an object with what was declared of it."""
    if seen is None or seen.size != upload.entry.size:
        return _wrong_size(upload, 0 if seen is None else seen.size)
    proof = Proof(
        sha256=seen.sha256,
        size=seen.size,
        kind=sniff(seen.head, tail=seen.tail, size=seen.size),
        is_pointer=pointer_stub(seen.head, seen.size),
    )
    if upload.entry.sha256 not in (None, proof.sha256):
        detail = f"the SHA-256 of what arrived is {proof.sha256.hex()}"
        return Refusal(reason=Reason.CHECKSUM_MISMATCH, detail=detail, proof=proof)
    return by_content(upload, proof, policy)


def by_content(upload: Upload, proof: Proof, policy: Policy) -> Finding:
    """Judge what the bytes are, under the name this upload gives them."""
    if proof.is_pointer:
        return Refusal(reason=Reason.PLACEHOLDER_POINTER, proof=proof)
    if proof.size == 0:
        if policy.accept_empty:
            return proof
        return Refusal(reason=Reason.EMPTY_FILE, proof=proof)
    refusal = refusal_by_type(upload.entry.extension, proof.kind, policy)
    if refusal is not None:
        reason, detail = refusal
        return Refusal(reason=reason, detail=detail, proof=proof)
    return proof


def _wrong_size(upload: Upload, size: int) -> Refusal:
    detail = f"{upload.entry.size:,} bytes were declared, the store has {size:,}"
    return Refusal(reason=Reason.SIZE_MISMATCH, detail=detail)


async def _conclude(
    tx: Tx,
    uploads: Mapping[UploadId, Upload],
    findings: Mapping[UploadId, Finding],
    policy: Policy,
) -> None:
    """Publish what is proven, refuse the rest, and decide about the twins of both."""
    twins = by_leader(await tx.twins(list(uploads)))
    conflicts = await _conflict_rules(tx, [*uploads.values(), *chain(*twins.values())])
    proofs = {
        id_: finding
        for id_, finding in findings.items()
        if id_ in uploads and isinstance(finding, Proof)
    }
    refusals = {
        id_: finding
        for id_, finding in findings.items()
        if id_ in uploads and isinstance(finding, Refusal)
    }
    published = await _publish(tx, uploads, proofs, conflicts)
    linked: list[Candidate] = []
    orphans: list[UploadId] = []
    waiting: dict[UploadId, Upload] = {}
    for leader, followers in twins.items():
        blob, finding = published.get(leader), findings[leader]
        proof = finding if isinstance(finding, Proof) else finding.proof
        fates = [_fate(twin, proof, blob, policy) for twin in followers]
        for twin, fate in zip(followers, fates, strict=True):
            match fate:
                case Blob():
                    linked.append(
                        Candidate(
                            upload=twin,
                            blob=fate,
                            is_first=False,
                            on_conflict=conflicts[twin.batch],
                            duplicate_of=Reason.DUPLICATE_IN_BATCH,
                        )
                    )
                case Refusal():
                    refusals[twin.id], waiting[twin.id] = fate, twin
                case None:
                    orphans.append(leader)
    await _refuse(tx, {**uploads, **waiting}, refusals)
    await _link(tx, linked)
    await promote_twins(tx, sorted(set(orphans)))


def _fate(
    twin: Upload, proof: Proof | None, blob: Blob | None, policy: Policy
) -> Blob | Refusal | None:
    """Return what the leader's end means for a twin: linked, refused too, or (None) to be sent."""
    if proof is None or twin.entry.sha256 != proof.sha256:
        return None
    finding = by_content(twin, proof, policy)
    return finding if isinstance(finding, Refusal) else blob


async def _conflict_rules(tx: Tx, uploads: Sequence[Upload]) -> Mapping[BatchId, OnConflict]:
    batches = sorted({upload.batch for upload in uploads})
    return {batch: (await tx.batch(batch)).on_conflict for batch in batches}


async def _publish(
    tx: Tx,
    uploads: Mapping[UploadId, Upload],
    proofs: Mapping[UploadId, Proof],
    conflicts: Mapping[BatchId, OnConflict],
) -> Mapping[UploadId, Blob]:
    """Publish proven uploads; return the blob that holds the bytes of each, where one does."""
    if not proofs:
        return {}
    kept = await tx.keep_blobs(list(_blobs(uploads, proofs).values()))
    candidates = []
    for id_, proof in proofs.items():
        blob, _ = kept[proof.sha256]
        candidates.append(
            Candidate(
                upload=uploads[id_],
                blob=blob,
                is_first=blob.object_key == uploads[id_].key,
                on_conflict=conflicts[uploads[id_].batch],
            )
        )
    publications = await decide_publications(tx, candidates)
    await _write(tx, candidates, publications)
    return {candidate.upload.id: candidate.blob for candidate in candidates}


def _blobs(
    uploads: Mapping[UploadId, Upload], proofs: Mapping[UploadId, Proof]
) -> Mapping[bytes, Blob]:
    """Return one blob a digest: that of the upload declared first."""
    blobs: dict[bytes, Blob] = {}
    for id_, proof in proofs.items():
        blobs.setdefault(
            proof.sha256,
            Blob(
                id=BlobId(new_id()),
                organization=uploads[id_].organization,
                sha256=proof.sha256,
                size=proof.size,
                kind=proof.kind.name,
                media_type=proof.kind.media_type,
                object_key=uploads[id_].key,
            ),
        )
    return blobs


async def _link(tx: Tx, candidates: Sequence[Candidate]) -> None:
    if candidates:
        await _write(tx, candidates, await decide_publications(tx, candidates))


async def _write(
    tx: Tx, candidates: Sequence[Candidate], publications: Sequence[Publication]
) -> None:
    """Write versions and moves; have the bytes deleted that are here twice."""
    await tx.add_versions([each.version for each in publications if each.version is not None])
    await tx.confirm(
        {
            publication.upload.id: candidate.blob.sha256
            for candidate, publication in zip(candidates, publications, strict=True)
            if publication.upload.reason is Reason.UNCHANGED
        }
    )
    rounds = max(len(each.steps) for each in publications)
    for step in range(rounds):
        await tx.move(
            [
                change(([candidate.upload, *publication.steps])[step], publication.steps[step])
                for candidate, publication in zip(candidates, publications, strict=True)
                if step < len(publication.steps)
            ]
        )
    spare: list[Job] = [
        DiscardBytes(candidate.upload.id, candidate.upload.key)
        for candidate in candidates
        if candidate.upload.state is State.CHECKING
        and candidate.blob.object_key != candidate.upload.key
    ]
    await tx.enqueue(spare)


async def _refuse(
    tx: Tx, uploads: Mapping[UploadId, Upload], refusals: Mapping[UploadId, Refusal]
) -> None:
    """Reject uploads, remember what depends on the bytes alone, and have the bytes deleted."""
    refused = [(uploads[id_], refusal) for id_, refusal in refusals.items()]
    await tx.move(
        [
            change(
                upload,
                upload.after(
                    Event.REFUSED, reason=refusal.reason, detail=refusal.detail, leader=None
                ),
            )
            for upload, refusal in refused
        ]
    )
    await tx.remember(
        {
            (refusal.proof.sha256, upload.entry.extension): refusal.reason
            for upload, refusal in refused
            if refusal.reason in BY_CONTENT and refusal.proof is not None
        }
    )
    await tx.enqueue(
        [
            DiscardBytes(upload.id, upload.key)
            for upload, _ in refused
            if upload.object_key is not None
        ]
    )

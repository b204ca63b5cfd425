"""Concluding: what is found in bytes becomes versions and refusals, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TypeAlias

from laydown.domain.batch import OnConflict
from laydown.domain.document import Blob, BlobId
from laydown.domain.jobs import DiscardBytes, Job, QuarantineBytes
from laydown.domain.lifecycle import Event, State
from laydown.domain.policy import Policy
from laydown.domain.proof import Proof
from laydown.domain.reasons import BY_CONTENT, OF_THE_BYTES, Reason
from laydown.domain.scanning import NOBODY
from laydown.domain.upload import BatchId, Upload, UploadId, change
from laydown.domain.verdicts import refusal_by_type
from laydown.ports import Tx
from laydown.services.identifiers import new_id
from laydown.services.publishing import Candidate, Publication, decide_publications
from laydown.services.twins import by_leader, promote_twins


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Bytes that may be published, and who looked through them."""

    proof: Proof
    scanned_by: str = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an upload can't be published."""

    reason: Reason
    detail: str | None = None
    proof: Proof | None = None  # None: there are no bytes to speak of


Finding: TypeAlias = Passed | Refusal


def by_content(upload: Upload, passed: Passed, policy: Policy) -> Finding:
    """Judge what the bytes are, under the name this upload gives them.

    What another system gave out before us is taken for what it is: only malware keeps it back.
    """
    proof = passed.proof
    if upload.is_foreign:
        return passed
    if proof.is_pointer:
        return Refusal(reason=Reason.PLACEHOLDER_POINTER, proof=proof)
    if proof.size == 0:
        if policy.accept_empty:
            return passed
        return Refusal(reason=Reason.EMPTY_FILE, proof=proof)
    refusal = refusal_by_type(upload.entry.extension, proof.kind, policy)
    if refusal is not None:
        reason, detail = refusal
        return Refusal(reason=reason, detail=detail, proof=proof)
    return passed


async def conclude(
    tx: Tx,
    uploads: Mapping[UploadId, Upload],
    findings: Mapping[UploadId, Finding],
    policy: Policy,
) -> None:
    """Publish what is proven, refuse the rest, and decide about the twins of both."""
    twins = by_leader(await tx.twins(list(uploads)))
    conflicts = await _conflict_rules(tx, [*uploads.values(), *chain(*twins.values())])
    passed = {
        id_: finding
        for id_, finding in findings.items()
        if id_ in uploads and isinstance(finding, Passed)
    }
    refusals = {
        id_: finding
        for id_, finding in findings.items()
        if id_ in uploads and isinstance(finding, Refusal)
    }
    published = await _publish(tx, uploads, passed, conflicts)
    linked: list[Candidate] = []
    orphans: list[UploadId] = []
    waiting: dict[UploadId, Upload] = {}
    for leader, followers in twins.items():
        fates = [_fate(twin, findings[leader], published.get(leader), policy) for twin in followers]
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
    await refuse(tx, {**uploads, **waiting}, refusals, policy.quarantine)
    await _link(tx, linked)
    await promote_twins(tx, sorted(set(orphans)))


def _fate(
    twin: Upload, finding: Finding, blob: Blob | None, policy: Policy
) -> Blob | Refusal | None:
    """Return what the leader's end means for a twin: linked, refused too, or (None) to be sent."""
    if finding.proof is None or twin.entry.sha256 != finding.proof.sha256:
        return None
    if isinstance(finding, Refusal):
        if finding.reason in OF_THE_BYTES or finding.reason is Reason.QUOTA_EXCEEDED:
            return finding  # what there was no room for once needn't be sent to find none again
        finding = Passed(proof=finding.proof)
    own = by_content(twin, finding, policy)
    return own if isinstance(own, Refusal) else blob


async def _conflict_rules(tx: Tx, uploads: Sequence[Upload]) -> Mapping[BatchId, OnConflict]:
    batches = sorted({upload.batch for upload in uploads})
    return {batch: (await tx.batch(batch)).on_conflict for batch in batches}


async def _publish(
    tx: Tx,
    uploads: Mapping[UploadId, Upload],
    passed: Mapping[UploadId, Passed],
    conflicts: Mapping[BatchId, OnConflict],
) -> Mapping[UploadId, Blob]:
    """Publish proven uploads; return the blob that holds the bytes of each, where one does."""
    if not passed:
        return {}
    kept = await tx.keep_blobs(list(_blobs(uploads, passed).values()))
    candidates = []
    for id_, finding in passed.items():
        blob, _ = kept[finding.proof.sha256]
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
    uploads: Mapping[UploadId, Upload], passed: Mapping[UploadId, Passed]
) -> Mapping[bytes, Blob]:
    """Return one blob a digest: that of the upload declared first."""
    blobs: dict[bytes, Blob] = {}
    for id_, finding in passed.items():
        proof = finding.proof
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
                store_version=proof.store_version,
                scanned_by=finding.scanned_by,
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


async def refuse(
    tx: Tx,
    uploads: Mapping[UploadId, Upload],
    refusals: Mapping[UploadId, Refusal],
    quarantine: timedelta,
) -> None:
    """Reject uploads, remember what depends on the bytes alone, and have the bytes deleted.

    They are kept, unreadable, for as long as *quarantine* says.
    """
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
    bytes_of = [upload for upload, _ in refused if upload.object_key is not None]
    await tx.enqueue([_removal(upload, quarantine) for upload in bytes_of])


def _removal(upload: Upload, quarantine: timedelta) -> Job:
    if quarantine:
        return QuarantineBytes(upload.id, upload.key)
    return DiscardBytes(upload.id, upload.key)

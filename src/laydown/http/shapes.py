"""What the domain knows, in the shapes of the wire."""

from collections.abc import Mapping, Sequence

from laydown import wire
from laydown.domain.batch import Batch, Project, Tally
from laydown.domain.document import Child, Document, Version
from laydown.domain.happening import Kind, Recorded
from laydown.domain.jobs import JobListing, JobState
from laydown.domain.lifecycle import SETTLED, TAKES_BYTES, State
from laydown.domain.plan import Plan
from laydown.domain.quotas import Quota, Usage
from laydown.domain.reasons import EXPLANATIONS, Reason
from laydown.ports import UploadRecord
from laydown.services.completing import Completion
from laydown.services.declaring import Declaration, Verdict
from laydown.services.sending import Granted

PARTS_AT_ONCE = 4
"""Enough to fill a line whose latency is a few parts' time; browsers allow six connections."""

_HAVE_ALL_BYTES = frozenset({State.SEALING, State.CHECKING, State.PROCESSING, State.READY})


def project(of: Project) -> wire.Project:
    """Return a project."""
    place = of.position
    return wire.Project(
        id=of.id,
        code=of.code,
        name=of.name,
        created_at=of.created_at,
        time_zone=of.time_zone,
        position=wire.Position(latitude=place[0], longitude=place[1]) if place else None,
    )


def batch(of: Batch, tally: Tally, number: int | None = None) -> wire.Batch:
    """Return a batch in numbers; *number* is of the last event that they include."""
    settled = [state for state in tally.counts if state in SETTLED]
    rate = _rate(of, tally)
    return wire.Batch(
        id=of.id,
        project_id=of.project,
        reference=of.reference,
        label=of.label,
        on_conflict=of.on_conflict.value,
        state="open" if of.is_open else "settled" if tally.is_settled else "closed",
        created_at=of.created_at,
        closed_at=of.closed_at,
        declared=wire.Amount(count=tally.declared, bytes=tally.declared_bytes),
        counts={state.value: count for state, count in tally.counts.items() if count},
        reasons={reason.value: count for reason, count in tally.reasons.items() if count},
        settled=wire.Amount(
            count=sum(tally.counts[state] for state in settled),
            bytes=sum(tally.sizes.get(state, 0) for state in settled),
        ),
        received_bytes=tally.received,
        declared_by=of.declared_by,
        declared_by_name=of.declared_by_name,
        bytes_per_second=rate,
        seconds_left=_seconds_left(tally, rate),
        number=number,
    )


def declared(of: Declaration) -> wire.Declared:
    """Return the answer to a declaration."""
    return wire.Declared(
        batch=batch(of.batch, of.tally), verdicts=[_verdict(each) for each in of.verdicts]
    )


def granted(of: Sequence[Granted]) -> wire.Grants:
    """Return the answer to a grant request."""
    return wire.Grants(
        uploads=[
            wire.UploadGrant(
                id=each.upload,
                parts=[
                    wire.PartGrant(
                        number=number,
                        url=signed.url,
                        expires_at=signed.expires_at,
                        headers=signed.headers,
                    )
                    for number, signed in each.parts
                ],
                have=each.have,
                code=each.code,
                needs_completion=each.needs_completion,
            )
            for each in of
        ]
    )


def completed(of: Sequence[Completion]) -> wire.Completions:
    """Return the answer to a completion request."""
    return wire.Completions(
        uploads=[
            wire.Completion(
                id=each.upload,
                state=None if each.state is None else each.state.value,
                code=each.code,
                missing=each.missing,
            )
            for each in of
        ]
    )


def upload(of: UploadRecord) -> wire.Upload:
    """Return one file of a batch."""
    it = of.upload
    return wire.Upload(
        id=it.id,
        batch_id=it.batch,
        key=it.entry.key,
        path=it.entry.path,
        size=it.entry.size,
        state=it.state.value,
        attempt=it.attempt,
        received_bytes=it.received,
        declared_at=of.declared_at,
        moved_at=of.moved_at,
        reason=None if it.reason is None else it.reason.value,
        detail=it.detail,
        sha256=None if it.sha256 is None else it.sha256.hex(),
        version_id=it.version,
    )


def timeline(of: UploadRecord, happened: Sequence[Recorded]) -> wire.Timeline:
    """Return everything that happened to an upload; its declaration is told by its row."""
    first = wire.Happening(at=of.declared_at, kind=Kind.DECLARED.value, state="declared")
    return wire.Timeline(upload=upload(of), items=[first, *map(_happening, happened)])


def change(of: Recorded) -> wire.Change:
    """Return what viewers are told of an event."""
    it = of.happening
    return wire.Change(
        number=of.number,
        kind=it.kind.value,
        at=of.at,
        upload_id=it.upload,
        key=of.key,
        path=of.path,
        state=None if it.state is None else it.state.value,
        reason=None if it.reason is None else it.reason.value,
        detail=it.detail,
    )


def receipt_row(of: UploadRecord) -> wire.ReceiptRow:
    """Return what became of one file, with what its user can do."""
    it = of.upload
    reason = Reason.INFECTED if of.is_infected else it.reason
    explanation = None if reason is None else EXPLANATIONS[reason]
    return wire.ReceiptRow(
        path=it.entry.path,
        size=it.entry.size,
        state=it.state.value,
        key=it.entry.key,
        upload_id=it.id,
        reason=None if it.reason is None else it.reason.value,
        message=None if explanation is None else explanation.message,
        remedy=None if explanation is None else explanation.remedy,
        detail=it.detail,
        sha256=None if it.sha256 is None else it.sha256.hex(),
        version_id=it.version,
        version=of.version_number,
        moved_at=of.moved_at,
        scanned_by=of.scanned_by,
        infected=of.is_infected,
    )


def version(of: Version) -> wire.Version:
    """Return one revision of a document."""
    return wire.Version(
        id=of.id,
        document_id=of.document,
        path=of.path,
        number=of.number,
        current=of.is_current,
        size=of.blob.size,
        sha256=of.blob.sha256.hex(),
        kind=of.blob.kind,
        media_type=of.blob.media_type,
        upload_id=of.upload,
        created_at=of.created_at,
        scanned_by=of.blob.scanned_by,
        infected=of.blob.is_infected,
    )


def document(of: Document) -> wire.Document:
    """Return a path inside a project."""
    return wire.Document(
        id=of.id,
        project_id=of.project,
        path=of.path,
        versions=of.versions,
        current=version(of.current),
    )


def child(of: Child) -> wire.Child:
    """Return what lies directly in a folder."""
    return wire.Child(
        name=of.path.rpartition("/")[2],
        path=of.path,
        document=None if of.document is None else document(of.document),
    )


def job(of: JobListing) -> wire.JobRow:
    """Return a job as an operator sees it."""
    return wire.JobRow(
        id=of.id,
        kind=of.kind,
        state=of.state.value,
        attempt=of.attempt,
        run_at=of.run_at,
        created_at=of.created_at,
        upload_id=of.upload,
        last_error=of.last_error,
    )


def job_counts(of: Mapping[JobState, int]) -> dict[str, int]:
    """Return how many jobs there are in each state, also where there is none."""
    return {state.value: of.get(state, 0) for state in JobState}


def quota(of: Quota) -> wire.Quota:
    """Return how much may be used."""
    return wire.Quota(bytes=of.bytes, files=of.files, uploads=of.uploads)


def usage(bound_by: Quota, of: Usage) -> wire.Usage:
    """Return what is used, and how much may be."""
    return wire.Usage(bytes=of.bytes, files=of.files, uploads=of.uploads, quota=quota(bound_by))


def _verdict(of: Verdict) -> wire.Verdict:
    return wire.Verdict(
        key=of.key,
        verdict=of.kind.value,
        upload_id=None if of.upload is None else of.upload.id,
        state=None if of.upload is None else of.upload.state.value,
        plan=None if of.plan is None else _plan(of.plan),
        reason=None if of.reason is None else of.reason.value,
        detail=of.detail,
    )


def _plan(of: Plan) -> wire.Plan:
    return wire.Plan(
        kind=of.kind.value,
        part_size=of.part_size,
        parts=of.parts,
        concurrency=PARTS_AT_ONCE,
    )


def _happening(of: Recorded) -> wire.Happening:
    it = of.happening
    return wire.Happening(
        at=of.at,
        kind=it.kind.value,
        state=None if it.state is None else it.state.value,
        reason=None if it.reason is None else it.reason.value,
        detail=it.detail,
        number=of.number,
    )


def _rate(of: Batch, tally: Tally) -> float | None:
    """Return bytes per second since the batch began, None before a byte is here."""
    if not tally.received or tally.last_moved_at is None:
        return None
    seconds = (tally.last_moved_at - of.created_at).total_seconds()
    return tally.received / seconds if seconds > 0 else None


def _seconds_left(tally: Tally, rate: float | None) -> float | None:
    """Return how long the bytes still to come will take at *rate*."""
    to_come = sum(tally.sizes.get(state, 0) for state in TAKES_BYTES)
    if not rate or not to_come:
        return None
    # Of files half here the tally knows only the sum with those that are whole.
    whole = sum(tally.sizes.get(state, 0) for state in _HAVE_ALL_BYTES)
    half_here = min(max(0, tally.received - whole), tally.sizes.get(State.RECEIVING, 0))
    return (to_come - half_here) / rate

"""What a client has to do about each file it declares, decided before any byte moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from laydown.domain import filetypes
from laydown.domain.batch import Batch, OnConflict
from laydown.domain.document import Blob
from laydown.domain.filetypes import TypeVerdict
from laydown.domain.kinds import KINDS, Kind
from laydown.domain.lifecycle import SETTLED, TAKES_BYTES, Event, State
from laydown.domain.names import Name, junk
from laydown.domain.plan import Plan, plan_for
from laydown.domain.policy import Policy
from laydown.domain.publication import Known
from laydown.domain.quotas import LINK, Room, Usage, usage_of
from laydown.domain.reasons import Reason
from laydown.domain.upload import Entry, Upload, UploadId, VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An entry that can't be taken as it is.

    With an *entry* it is recorded as a rejected upload, its path as printable as it gets;
    without one it could not even be recorded.
    """

    key: str
    reason: Reason
    detail: str
    entry: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one declared entry."""

    key: str
    kind: VerdictKind
    upload: Upload | None = None  # as declared, before *event*
    event: Event | None = None  # what settles it at once
    blob: Blob | None = None  # the bytes are here: link them
    reason: Reason | None = None
    detail: str | None = None
    is_old: bool = False  # nothing is written: it is as it was
    is_restart: bool = False  # a new attempt under a key that took no bytes for good yet


@dataclass(slots=True)
class _Seen:
    """What the entries decided so far occupy."""

    keys: set[str] = field(default_factory=set)
    paths: dict[str, UploadId] = field(default_factory=dict)
    leaders: dict[bytes, UploadId] = field(default_factory=dict)


def decide(
    entries: Sequence[Entry | Refused],
    *,
    known: Known,
    batch: Batch,
    policy: Policy,
    room: Room,
    new_id: Callable[[], UploadId],
) -> Sequence[Decision]:
    """Return a decision for each entry, in order; what is taken in takes its place in *room*."""
    gone = replaced(entries, known)
    seen = _Seen(
        paths=dict(known.paths),
        leaders={digest: id_ for digest, id_ in known.leaders.items() if id_ not in gone},
    )
    decisions = []
    for given in entries:
        if isinstance(given, Refused) and given.entry is None:
            decisions.append(_unrecorded(given.key, given.reason, given.detail))
            continue
        entry = given if isinstance(given, Entry) else given.entry
        if entry is None:  # told above; the type checker can't know
            continue
        if entry.key in seen.keys:
            detail = "another entry of this request has the same key"
            decisions.append(_unrecorded(entry.key, Reason.INVALID_ENTRY, detail))
            continue
        seen.keys.add(entry.key)
        prior = known.uploads.get(entry.key)
        had_no_room = prior is not None and prior.reason is Reason.QUOTA_EXCEEDED
        if prior is not None and not had_no_room:
            if _is_same_file(prior, entry):
                decisions.append(_again(prior))
                continue
            if prior.state not in TAKES_BYTES:
                detail = f"this key named {prior.entry.path}, which is {prior.state}; use a new key"
                decisions.append(_unrecorded(entry.key, Reason.KEY_REUSED, detail))
                continue
            room.give_back(prior.project, _released(prior, known))
        upload = _declared(entry, batch, policy, prior, new_id)
        refusal = given if isinstance(given, Refused) else None
        decision = _decide(
            upload, refusal, known=known, seen=seen, batch=batch, policy=policy, room=room
        )
        if had_no_room and decision.reason is Reason.QUOTA_EXCEEDED:
            decision = replace(decision, upload=prior, is_old=True)
        decisions.append(decision)
    return decisions


def _released(prior: Upload, known: Known) -> Usage:
    """Return what an upload uses no longer once another file takes its key.

    A twin that waited for it then takes the room of its bytes.
    """
    usage = usage_of(prior)
    return replace(usage, bytes=0) if prior.id in known.followed else usage


def replaced(entries: Sequence[Entry | Refused], known: Known) -> frozenset[UploadId]:
    """Return the uploads whose key another file takes: nobody may wait for their bytes."""
    found = set()
    for given in entries if known.uploads else ():
        entry = given if isinstance(given, Entry) else given.entry
        prior = None if entry is None else known.uploads.get(entry.key)
        if entry is None or prior is None or prior.state not in TAKES_BYTES:
            continue
        if not _is_same_file(prior, entry):
            found.add(prior.id)
    return frozenset(found)


def plan_of(size: int, policy: Policy) -> Plan:
    """Return how a file of *size* bytes is to be sent."""
    return plan_for(size, single_up_to=policy.single_up_to)


def standing(upload: Upload) -> VerdictKind:
    """Return what there is to do about an upload that was declared before."""
    if upload.state in SETTLED:
        return VerdictKind.SETTLED
    if upload.leader is not None or upload.state not in TAKES_BYTES:
        return VerdictKind.WAIT
    return VerdictKind.RESUME if upload.state is State.RECEIVING else VerdictKind.SEND


def _unrecorded(key: str, reason: Reason, detail: str) -> Decision:
    return Decision(key=key, kind=VerdictKind.REJECTED, reason=reason, detail=detail)


def _again(prior: Upload) -> Decision:
    return Decision(
        key=prior.entry.key,
        kind=standing(prior),
        upload=prior,
        reason=prior.reason,
        detail=prior.detail,
        is_old=True,
    )


def _is_same_file(prior: Upload, entry: Entry) -> bool:
    """Whether an entry is the one declared before; a digest that one of them lacks can't differ."""
    before = prior.entry
    return (
        before.path == entry.path
        and before.size == entry.size
        and (before.sha256 is None or entry.sha256 is None or before.sha256 == entry.sha256)
    )


def _declared(
    entry: Entry,
    batch: Batch,
    policy: Policy,
    prior: Upload | None,
    new_id: Callable[[], UploadId],
) -> Upload:
    """Return the upload an entry becomes: a new one, or the next attempt of *prior*."""
    plan = plan_of(min(entry.size, policy.largest_file), policy)
    if prior is not None:
        return prior.after(
            Event.REPLACED if prior.state in TAKES_BYTES else Event.RETRIED,
            entry=entry,
            attempt=prior.attempt + 1,
            part_size=plan.part_size,
            parts=plan.parts,
            reason=None,
            detail=None,
            leader=None,
            received=0,
            object_key=None,
            multipart_id=None,
        )
    return Upload(
        id=new_id(),
        organization=batch.organization,
        project=batch.project,
        batch=batch.id,
        entry=entry,
        state=State.DECLARED,
        part_size=plan.part_size,
        parts=plan.parts,
    )


def _decide(
    upload: Upload,
    refusal: Refused | None,
    *,
    known: Known,
    seen: _Seen,
    batch: Batch,
    policy: Policy,
    room: Room,
) -> Decision:
    """Decide about a file that is new in its batch, or replaces another under its key."""
    entry, restart = upload.entry, upload.attempt > 1

    def settled(event: Event, reason: Reason, detail: str | None = None) -> Decision:
        kind = VerdictKind.SKIPPED if event is Event.SKIPPED else VerdictKind.REJECTED
        return Decision(
            key=entry.key,
            kind=kind,
            upload=upload,
            event=event,
            reason=reason,
            detail=detail,
            is_restart=restart,
        )

    if refusal is not None:
        return settled(Event.REFUSED, refusal.reason, refusal.detail)
    if unwanted := _unwanted(entry, policy):
        return settled(*unwanted)
    if seen.paths.setdefault(entry.folded, upload.id) != upload.id:
        detail = "another file of this batch has the same path, but for case or encoding"
        return settled(Event.REFUSED, Reason.NAME_CONFLICT, detail)
    if conflict := _against_current(known.current.get(entry.folded), entry, batch.on_conflict):
        return settled(*conflict)
    decision = _by_digest(upload, known=known, seen=seen, policy=policy, settled=settled)
    return _with_room(decision, room=room, seen=seen, settled=settled)


def is_unwanted(entry: Entry, policy: Policy) -> bool:
    """Say whether a file is not taken because of its name alone."""
    return entry.extension in policy.refused_extensions or (
        junk(Name(path=entry.path, folded=entry.folded), policy.junk) is not None
    )


def _unwanted(entry: Entry, policy: Policy) -> tuple[Event, Reason, str | None] | None:
    """Return why a file is not taken whatever its bytes are, or None."""
    if pattern := junk(Name(path=entry.path, folded=entry.folded), policy.junk):
        return Event.SKIPPED, Reason.SYSTEM_JUNK, f"its name matches {pattern}"
    if entry.size == 0 and not policy.accept_empty:
        return Event.REFUSED, Reason.EMPTY_FILE, None
    if entry.extension in policy.refused_extensions:
        detail = f"files named .{entry.extension} are programs or scripts"
        return Event.REFUSED, Reason.TYPE_NOT_ALLOWED, detail
    if entry.size > policy.largest_file:
        detail = f"{entry.size:,} bytes; at most {policy.largest_file:,} are taken"
        return Event.REFUSED, Reason.TOO_LARGE, detail
    return None


def _against_current(
    current: bytes | None, entry: Entry, on_conflict: OnConflict
) -> tuple[Event, Reason] | None:
    """Return what the document that has this path already means for a file, or None."""
    if current is None:
        return None
    if current == entry.sha256:
        return Event.SKIPPED, Reason.UNCHANGED
    match on_conflict:
        case OnConflict.NEW_VERSION:
            return None
        case OnConflict.SKIP:
            return Event.SKIPPED, Reason.NAME_CONFLICT
        case OnConflict.REJECT:
            return Event.REFUSED, Reason.NAME_CONFLICT


def _by_digest(
    upload: Upload,
    *,
    known: Known,
    seen: _Seen,
    policy: Policy,
    settled: Callable[..., Decision],
) -> Decision:
    """Decide by what is known of the bytes: refused before, here already, on their way, or new."""
    entry, restart = upload.entry, upload.attempt > 1
    kind = VerdictKind.SEND
    if entry.sha256 is not None:
        refused = known.refusals.get((entry.sha256, entry.extension))
        if refused is not None:
            return settled(Event.REFUSED, refused)
        blob = known.blobs.get(entry.sha256)
        if blob is not None and blob.size == entry.size:
            refusal = refusal_by_type(entry.extension, KINDS[blob.kind], policy)
            if refusal is not None:
                return settled(Event.REFUSED, *refusal)
            return Decision(
                key=entry.key,
                kind=VerdictKind.DUPLICATE,
                upload=upload,
                blob=blob,
                is_restart=restart,
            )
        leader = seen.leaders.get(entry.sha256)
        if leader is not None:
            upload, kind = upload.after(leader=leader), VerdictKind.WAIT
    return Decision(key=entry.key, kind=kind, upload=upload, is_restart=restart)


def _with_room(
    decision: Decision, *, room: Room, seen: _Seen, settled: Callable[..., Decision]
) -> Decision:
    """Return a decision once its file has its room, or that there is none; others may be smaller.

    Only what is taken in can be waited for.
    """
    upload = decision.upload
    if upload is None or decision.event is not None:
        return decision
    wanted = LINK if decision.blob is not None else usage_of(upload)
    if short := room.take(upload.project, wanted):
        return settled(Event.REFUSED, Reason.QUOTA_EXCEEDED, short)
    if decision.kind is VerdictKind.SEND and upload.entry.sha256 is not None:
        seen.leaders[upload.entry.sha256] = upload.id
    return decision


def refusal_by_type(extension: str, kind: Kind, policy: Policy) -> tuple[Reason, str] | None:
    """Return why content of this kind can't have this extension, and the detail; None: it can."""
    outcome = filetypes.verdict(extension, kind, refused=policy.refused_extensions)
    match outcome:
        case TypeVerdict.AGREES:
            return None
        case TypeVerdict.TYPE_MISMATCH:
            reason = Reason.TYPE_MISMATCH
        case TypeVerdict.TYPE_NOT_ALLOWED:
            reason = Reason.TYPE_NOT_ALLOWED
    return reason, filetypes.detail(extension, kind, outcome)

"""Declaring: thousands of files at once, a verdict for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from laydown.domain.access import Act, PrincipalId
from laydown.domain.audit import Deed
from laydown.domain.batch import (
    ENTRIES_PER_BATCH,
    ENTRIES_PER_REQUEST,
    Batch,
    OnConflict,
    Tally,
)
from laydown.domain.errors import BatchClosed, Conflict, TooManyBatches, TooManyEntries
from laydown.domain.happening import Happening, Kind
from laydown.domain.lifecycle import State
from laydown.domain.plan import Plan
from laydown.domain.policy import Policy
from laydown.domain.reasons import Reason
from laydown.domain.trace import Trace
from laydown.domain.upload import (
    BatchId,
    Entry,
    ProjectId,
    Upload,
    UploadId,
    VerdictKind,
    change,
)
from laydown.domain.verdicts import Decision, Refused, decide, plan_of, replaced
from laydown.ports import Ledger, Tx
from laydown.services.access import batch_for, project_for
from laydown.services.bringing import Brought, in_hand, land, renewed
from laydown.services.dropping import placed
from laydown.services.identifiers import EPOCH, new_id
from laydown.services.identity import Caller
from laydown.services.publishing import Candidate, decide_publications
from laydown.services.quotas import room_in
from laydown.services.repeating import repeated
from laydown.services.twins import by_leader, promote_twins

_LINKS_SHARE = 20
"""How many drop links it takes to leave an organization no room for a batch: who holds one is a
stranger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the client has to do about one entry."""

    key: str
    kind: VerdictKind
    upload: Upload | None
    plan: Plan | None = None
    reason: Reason | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The batch as it is now, and a verdict for each entry, in order."""

    batch: Batch
    tally: Tally
    verdicts: Sequence[Verdict]
    is_new: bool


@dataclass(slots=True)
class _Draft:
    """What one declaration is going to write."""

    batch: Batch
    new: list[Upload] = field(default_factory=list)  # in order; linked ones before publication
    restarted: list[Upload] = field(default_factory=list)
    settled_again: list[tuple[Upload, Upload]] = field(default_factory=list)
    linked: list[Candidate] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Declaring:
    """The use cases that begin a delivery."""

    ledger: Ledger
    policy: Policy
    most_open: int = 2_000  # batches of an organization at once

    async def declare(
        self,
        caller: Caller,
        project_id: ProjectId,
        *,
        reference: str,
        label: str | None,
        on_conflict: OnConflict,
        entries: Sequence[Entry | Refused],
        trace: Trace | None = None,
    ) -> Declaration:
        """Open the batch of this reference, or return to it, and declare entries in it.

        A new batch belongs to *trace*, with all that is done for it.
        Raises `NotFound` for the project, `Forbidden` and `TooManyEntries`.
        """
        check_count(entries)
        inside = placed(entries, caller.link)
        wanted = Batch(
            id=BatchId(new_id()),
            organization=caller.organization,
            project=project_id,
            reference=reference,
            label=label,
            on_conflict=on_conflict,
            declared_by=caller.principal,
            created_at=EPOCH,  # the ledger's clock decides
            closed_at=None,
        )
        return await repeated(lambda: self._open(caller, wanted, inside, trace))

    async def add(
        self, caller: Caller, batch_id: BatchId, entries: Sequence[Entry | Refused]
    ) -> Declaration:
        """Declare more entries in an open batch; raise `BatchClosed` for a closed one."""
        check_count(entries)
        inside = placed(entries, caller.link)
        return await repeated(lambda: self._add(caller, batch_id, inside))

    async def bring(
        self, caller: Caller, batch_id: BatchId, files: Sequence[Brought | Entry | Refused]
    ) -> Declaration:
        """Declare files in an open batch whose bytes are in the store, and have them checked.

        Bytes that are not needed are discarded. A mere entry is one whose bytes nobody would take
        in any case. Raises `BatchClosed`.
        """
        check_count(files)
        return await repeated(lambda: self._add(caller, batch_id, files))

    async def _open(
        self,
        caller: Caller,
        wanted: Batch,
        entries: Sequence[Entry | Refused],
        trace: Trace | None,
    ) -> Declaration:
        async with self.ledger.begin(wanted.organization) as tx:
            await project_for(tx, caller, Act.DELIVER, wanted.project)
            batch, is_new = await tx.open_batch(wanted, trace=trace)
            if is_new:
                await self._check_room(tx, caller)
                await tx.say([Happening(kind=Kind.OPENED, batch=batch.id, detail=wanted.label)])
            return await self._declare(tx, caller, batch, entries, is_new=is_new)

    async def _check_room(self, tx: Tx, caller: Caller) -> None:
        """Raise `TooManyBatches` unless the one that was just opened is still one of few enough."""
        if await tx.open_batches(most=self.most_open + 1) > self.most_open:
            raise TooManyBatches(
                f"an organization has {self.most_open:,} open batches at most; close or cancel some"
            )
        most = max(1, self.most_open // _LINKS_SHARE)
        link = None if caller.link is None else caller.principal
        if link is not None and await tx.open_batches(most=most + 1, of=link) > most:
            raise TooManyBatches(
                f"a drop link has {most:,} open batches at most; close or cancel some"
            )

    async def _add(
        self, caller: Caller, batch_id: BatchId, entries: Sequence[Brought | Entry | Refused]
    ) -> Declaration:
        async with self.ledger.begin(caller.organization) as tx:
            batch = batch_for(caller, Act.DELIVER, await tx.batch(batch_id, lock=True))
            if not batch.is_open:
                raise BatchClosed("this batch is closed; declare the files in a new one")
            return await self._declare(tx, caller, batch, entries, is_new=False)

    async def _declare(
        self,
        tx: Tx,
        caller: Caller,
        batch: Batch,
        given: Sequence[Brought | Entry | Refused],
        *,
        is_new: bool,
    ) -> Declaration:
        named = [
            entry
            for each in given
            if (entry := each if isinstance(each, Entry) else each.entry) is not None
        ]
        room = await room_in(tx, caller, batch.project)
        known = await tx.known(
            batch,
            named,
            is_new=is_new,
            whose=readable_to(caller),
        )
        given = [renewed(each, known) if isinstance(each, Brought) else each for each in given]
        brought = {each.entry.key: each for each in given if isinstance(each, Brought)}
        entries = [each.entry if isinstance(each, Brought) else each for each in given]
        if room.is_limited:
            twins = await tx.twins(sorted(replaced(entries, known)))
            known.followed = frozenset(by_leader(twins))
        decisions = decide(
            entries,
            known=known,
            batch=batch,
            policy=self.policy,
            room=room,
            new_id=lambda: UploadId(new_id()),
        )
        draft = _Draft(batch)
        for decision in decisions:
            _draft(draft, in_hand(decision, brought, room), self.policy)
        await _write(tx, draft)
        if brought:
            await _land(tx, draft, brought)
        tally = await tx.tally(batch.id)
        if tally.declared > ENTRIES_PER_BATCH:
            raise TooManyEntries(
                f"a batch takes {ENTRIES_PER_BATCH:,} files; declare the others in another batch"
            )
        if written := len(draft.new) + len(draft.restarted):
            await tx.note(
                caller.did(
                    Deed.BATCH_DECLARED,
                    subject=batch.id,
                    project=batch.project,
                    reference=batch.reference,
                    files=written,
                )
            )
        batch = await tx.touch_batch(batch.id)
        return Declaration(batch=batch, tally=tally, verdicts=draft.verdicts, is_new=is_new)


def readable_to(caller: Caller) -> PrincipalId | None:
    """Return whose deliveries alone a caller may know of; None: everything.

    A digest is no proof of having the bytes: those who can't read must send them.
    """
    return None if caller.rights.may(Act.READ_DOCUMENTS) else caller.principal


def check_count(entries: Sequence[object]) -> None:
    """Raise `TooManyEntries` for more than one request may have."""
    if len(entries) > ENTRIES_PER_REQUEST:
        raise TooManyEntries(
            f"a request declares at most {ENTRIES_PER_REQUEST:,} entries, this one has "
            f"{len(entries):,}; declare the others with POST /v1/batches/{{id}}/entries"
        )


def _draft(draft: _Draft, decision: Decision, policy: Policy) -> None:
    """Note what a decision makes of its entry, and the verdict the client gets."""
    upload = decision.upload
    if upload is None or decision.is_old:
        draft.verdicts.append(_verdict(decision, upload, policy))
        return
    if decision.blob is not None:
        draft.linked.append(
            Candidate(
                upload=upload,
                blob=decision.blob,
                is_first=False,
                on_conflict=draft.batch.on_conflict,
            )
        )
    after = upload
    if decision.event is not None:
        after = upload.after(decision.event, reason=decision.reason, detail=decision.detail)
    if decision.is_restart:
        draft.restarted.append(upload)
        if after.state is not upload.state:
            draft.settled_again.append((upload, after))
    else:
        draft.new.append(after)
    draft.verdicts.append(_verdict(decision, after, policy))


def _verdict(decision: Decision, upload: Upload | None, policy: Policy) -> Verdict:
    plan = None
    if upload is not None and decision.kind in (VerdictKind.SEND, VerdictKind.RESUME):
        plan = plan_of(upload.entry.size, policy)
    return Verdict(
        key=decision.key,
        kind=decision.kind,
        upload=upload,
        plan=plan,
        reason=decision.reason,
        detail=decision.detail,
    )


async def _write(tx: Tx, draft: _Draft) -> None:
    """Write a declaration: new rows at once, what replaces others as moves."""
    await tx.restart([replace(upload, leader=None) for upload in draft.restarted])
    await promote_twins(tx, [upload.id for upload in draft.restarted])
    linked = await decide_publications(tx, draft.linked) if draft.linked else []
    restarted = {upload.id for upload in draft.restarted}
    outcomes = {publication.upload.id: publication.upload for publication in linked}
    new = [outcomes.get(upload.id, upload) for upload in draft.new]
    await tx.declare(new)
    for leader, twins in by_leader(draft.restarted).items():  # which may be among the new ones
        await tx.follow([twin.id for twin in twins], leader)
    await tx.add_versions([each.version for each in linked if each.version is not None])
    await tx.move(
        [change(before, after) for before, after in draft.settled_again]
        + [
            change(candidate.upload, outcomes[candidate.upload.id])
            for candidate in draft.linked
            if candidate.upload.id in restarted
        ]
    )
    await _confirm(tx, [*new, *(after for _, after in draft.settled_again)])
    draft.verdicts = [_as_published(verdict, outcomes) for verdict in draft.verdicts]
    if new:
        await tx.say(
            [Happening(kind=Kind.DECLARED, batch=draft.batch.id, detail=f"{len(new)} files")]
        )


async def _land(tx: Tx, draft: _Draft, brought: Mapping[str, Brought]) -> None:
    """Have what was brought and is wanted checked; the bytes of the rest go."""
    ids = {file.upload for file in brought.values()}
    wanted = [
        verdict.upload
        for verdict in draft.verdicts
        if verdict.kind is VerdictKind.WAIT and verdict.upload and verdict.upload.id in ids
    ]
    landed = await land(tx, draft.batch.organization, brought.values(), wanted)
    draft.verdicts = [
        verdict
        if verdict.upload is None
        else replace(verdict, upload=landed.get(verdict.upload.id, verdict.upload))
        for verdict in draft.verdicts
    ]


async def _confirm(tx: Tx, uploads: Sequence[Upload]) -> None:
    """Keep current what was declared again; raise `Conflict` if it isn't current any more."""
    unchanged = {
        upload.id: upload.entry.sha256
        for upload in uploads
        if upload.reason is Reason.UNCHANGED and upload.entry.sha256 is not None
    }
    if len(await tx.confirm(unchanged)) != len(unchanged):
        raise Conflict("documents got other versions meanwhile; repeat the request")


def _as_published(verdict: Verdict, outcomes: dict[UploadId, Upload]) -> Verdict:
    """Return the verdict of a linked entry as publication decided it."""
    if verdict.upload is None or verdict.upload.id not in outcomes:
        return verdict
    upload = outcomes[verdict.upload.id]
    kind = {
        State.DUPLICATE: VerdictKind.DUPLICATE,
        State.SKIPPED: VerdictKind.SKIPPED,
        State.REJECTED: VerdictKind.REJECTED,
    }[upload.state]
    return replace(verdict, upload=upload, kind=kind, reason=upload.reason, detail=upload.detail)

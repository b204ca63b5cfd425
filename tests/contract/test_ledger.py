"""What a ledger promises of uploads, batches and transactions."""

import asyncio
from dataclasses import replace

import pytest

from laydown.domain.errors import Conflict, LedgerUnavailable, NotFound
from laydown.domain.happening import Happening, Kind
from laydown.domain.jobs import JoinParts, ProveUpload
from laydown.domain.lifecycle import Event, State
from laydown.domain.reasons import Reason
from laydown.domain.upload import BatchId, Change, PartOutcome, UploadId
from laydown.ports import Page, UploadFilter
from laydown.services.identifiers import new_id
from tests.ledger_support import (
    EVERYTHING,
    FIRST_PAGE,
    digest,
    entry,
    moved,
    new_batch,
    part,
    whole,
)


async def records(tenant, which=EVERYTHING, page=FIRST_PAGE):
    async with tenant.begin() as tx:
        return await tx.records(tenant.batch.id, page, which)


async def test_uploads_are_listed_in_the_order_they_were_declared(tenant):
    """Five thousand entries of one statement keep their order, however they are asked for."""
    declared = await tenant.declared(5_000)
    ids = [upload.id for upload in declared]
    assert [record.upload.id for record in await records(tenant)] == ids
    assert [upload.id for upload in await tenant.now(*reversed(declared))] == ids


async def test_an_entry_reads_back_as_it_was_declared(tenant):
    """Nothing of an entry is lost or changed on its way through a row."""
    given = replace(
        entry("Fotos/Décke \U0001f4f7.jpg", size=2**62, sha256=digest("x"), key="k\u00e9y"),
        content_type="image/jpeg",
        modified_at=tenant.batch.created_at,
        captured_at=tenant.batch.created_at,
        position=(47.3769, -8.5417),
    )
    upload = tenant.upload(given, part_size=2**50, parts=4096)
    await tenant.declare(upload)
    assert await tenant.now(upload) == [upload]


async def test_a_page_of_uploads_goes_on_behind_its_cursor(tenant):
    """Pages joined together are the whole list, nothing twice."""
    declared = await tenant.declared(25)
    found, after = [], None
    while page := await records(tenant, page=Page(after=after, limit=10)):
        found += [record.upload.id for record in page]
        after = str(page[-1].order)
    assert found == [upload.id for upload in declared]


async def test_uploads_are_found_by_state_reason_and_text(tenant):
    """Each filter leaves exactly what it names."""
    plan = tenant.upload(entry("Plans/A-101.PDF"))
    junk = tenant.upload(entry("Plans/.DS_Store"), state=State.SKIPPED, reason=Reason.SYSTEM_JUNK)
    await tenant.declare(plan, junk)
    by_state = await records(tenant, UploadFilter(state=State.SKIPPED))
    by_reason = await records(tenant, UploadFilter(reason=Reason.SYSTEM_JUNK))
    by_text = await records(tenant, UploadFilter(text="a-101.pdf"))
    assert [each.upload.id for each in by_state] == [junk.id]
    assert [each.upload.id for each in by_reason] == [junk.id]
    assert [each.upload.id for each in by_text] == [plan.id]


async def test_what_is_known_of_entries(tenant):
    """Prior uploads, paths, leaders, blobs, current versions and refusals are all found."""
    published = await tenant.checking("current.txt")
    await tenant.publish(published, digest("current"))
    leader = tenant.upload(entry("leader.txt", sha256=digest("led")))
    await tenant.declare(leader)
    async with tenant.begin() as tx:
        await tx.remember({(digest("stub"), "pdf"): Reason.PLACEHOLDER_POINTER})
        known = await tx.known(
            tenant.batch,
            [
                entry("current.txt", sha256=digest("current")),
                entry("LEADER.txt", sha256=digest("led")),
                entry("stub.pdf", sha256=digest("stub")),
            ],
            is_new=False,
        )
    assert known.uploads.keys() == {"current.txt"}
    assert known.paths == {"current.txt": published.id, "leader.txt": leader.id}
    assert known.leaders == {digest("led"): leader.id}
    assert known.blobs[digest("current")].object_key == published.key
    assert known.current == {"current.txt": digest("current")}
    assert known.refusals == {(digest("stub"), "pdf"): Reason.PLACEHOLDER_POINTER}


async def test_a_whole_file_goes_on_to_be_checked_with_its_job(tenant):
    """One commit records the bytes, moves the upload, logs the move and adds the job."""
    [upload] = await tenant.declared()
    async with tenant.begin() as tx:
        assert await tx.record([whole(upload, crc=2**64 - 1)]) == [PartOutcome.RECORDED]
    [now] = await tenant.now(upload)
    assert (now.state, now.received, now.object_key) == (State.CHECKING, 10, upload.key)
    async with tenant.begin() as tx:
        [happened] = await tx.happened(upload.id)
        [job] = await tx.jobs(FIRST_PAGE, state=None)
    assert happened.happening.state is State.CHECKING
    assert (job.kind, job.upload) == ("prove", upload.id)


async def test_a_recorded_file_is_never_rewritten(tenant):
    """The same bytes again are `already`, other bytes `different`; nothing moves twice."""
    [upload] = await tenant.declared()
    async with tenant.begin() as tx:
        await tx.record([whole(upload)])
    async with tenant.begin() as tx:
        assert await tx.record([whole(upload)]) == [PartOutcome.ALREADY]
        assert await tx.record([whole(upload, crc=2)]) == [PartOutcome.DIFFERENT]
        assert len(await tx.jobs(FIRST_PAGE, state=None)) == 1


async def test_parts_of_a_group_get_an_outcome_each(tenant):
    """Whole files, parts, repeats and strangers may come in one group, in any order."""
    big = tenant.upload(entry("big.bin", size=20), part_size=10, parts=2)
    [small, gone] = await tenant.declared(2)
    await tenant.declare(big)
    async with tenant.begin() as tx:
        await tx.move([moved(gone, Event.CANCELLED, reason=Reason.CANCELLED_BY_USER)])
    unknown = replace(small, id=UploadId(new_id()))
    async with tenant.begin() as tx:
        outcomes = await tx.record(
            [
                part(big, 2, size=10),
                whole(gone),
                whole(small),
                whole(unknown),
                part(big, 1, size=10, attempt=7),
                part(big, 1, size=10),
            ]
        )
    taken, refused = PartOutcome.RECORDED, PartOutcome.NOT_RECEIVING
    assert outcomes == [taken, refused, taken, refused, refused, taken]


async def test_a_group_may_hold_two_attempts_of_one_file(tenant):
    """Only the current attempt is recorded, whatever else of the upload is in the group."""
    [upload] = await tenant.declared()
    again = upload.after(Event.REPLACED, attempt=2)
    async with tenant.begin() as tx:
        await tx.restart([again])
    async with tenant.begin() as tx:
        outcomes = await tx.record([whole(upload), whole(again, crc=2)])
    assert outcomes == [PartOutcome.NOT_RECEIVING, PartOutcome.RECORDED]


async def test_parts_add_up_and_are_never_rewritten(tenant):
    """A repeated part adds nothing; another one under its number is `different`."""
    big = tenant.upload(entry("big.bin", size=25), part_size=10, parts=3)
    await tenant.declare(big)
    async with tenant.begin() as tx:
        assert await tx.record([part(big, 3, size=5)]) == [PartOutcome.RECORDED]
    async with tenant.begin() as tx:
        assert await tx.record([part(big, 3, size=5)]) == [PartOutcome.ALREADY]
        assert await tx.record([part(big, 3, size=5, crc=9)]) == [PartOutcome.DIFFERENT]
        assert await tx.record([part(big, 1, size=10)]) == [PartOutcome.RECORDED]
        assert await tx.landed([big]) == {big.id: [1, 3]}
        assert await tx.recorded([(big.id, 1)]) == {(big.id, 1): [1, 3]}
    [now] = await tenant.now(big)
    assert (now.state, now.received) == (State.RECEIVING, 15)
    async with tenant.begin() as tx:
        assert len(await tx.happened(big.id)) == 1


async def test_a_twin_takes_no_bytes(tenant):
    """A part for an upload that waits for its leader is refused."""
    leader = tenant.upload(entry("a.txt", sha256=digest("a")))
    twin = tenant.upload(entry("b.txt", sha256=digest("a")), leader=leader.id)
    await tenant.declare(leader, twin)
    async with tenant.begin() as tx:
        assert await tx.record([whole(twin)]) == [PartOutcome.NOT_RECEIVING]
        assert [each.id for each in await tx.sendable(tenant.batch.id, limit=10)] == [leader.id]


async def test_an_empty_file_waits_to_be_sent(tenant):
    """A declared file of no bytes is sendable until its arrival is recorded."""
    upload = tenant.upload(entry("empty.txt", size=0))
    await tenant.declare(upload)
    async with tenant.begin() as tx:
        assert [each.id for each in await tx.sendable(tenant.batch.id, limit=10)] == [upload.id]
        assert await tx.record([whole(upload)]) == [PartOutcome.RECORDED]
        assert await tx.sendable(tenant.batch.id, limit=10) == []


async def test_of_two_movers_one_moves(tenant):
    """A move is compare-and-set: the slower of two transactions moves nothing and logs nothing."""
    [upload] = await tenant.declared()
    cancel = moved(upload, Event.CANCELLED, reason=Reason.CANCELLED_BY_USER)
    expire = moved(upload, Event.WENT_SILENT, reason=Reason.EXPIRED)

    async def move(change):
        async with tenant.begin() as tx:
            return await tx.move([change])

    outcomes = await asyncio.gather(move(cancel), move(expire))
    assert sorted(map(len, outcomes)) == [0, 1]
    async with tenant.begin() as tx:
        assert len(await tx.happened(upload.id)) == 1


async def test_a_move_of_an_older_attempt_is_no_move(tenant):
    """Whoever decided about an earlier attempt comes too late."""
    [upload] = await tenant.declared()
    again = upload.after(Event.REPLACED, attempt=2)
    async with tenant.begin() as tx:
        await tx.restart([again])
        cancel = moved(upload, Event.CANCELLED, reason=Reason.CANCELLED_BY_USER)
        assert await tx.move([cancel]) == frozenset()


async def test_a_restart_forgets_what_arrived_and_is_declared_last(tenant):
    """A new attempt has no parts, another entry, and comes after everything declared before."""
    big = tenant.upload(entry("big.bin", size=20), part_size=10, parts=2)
    later = tenant.upload(entry("later.txt"))
    await tenant.declare(big, later)
    async with tenant.begin() as tx:
        await tx.record([part(big, 1, size=10)])
    [receiving] = await tenant.now(big)
    other = entry("renamed.bin", size=5, key=big.entry.key)
    again = receiving.after(
        Event.REPLACED, entry=other, attempt=2, part_size=None, parts=1, received=0
    )
    async with tenant.begin() as tx:
        await tx.restart([again])
    assert await tenant.now(big) == [again]
    assert [record.upload.id for record in await records(tenant)] == [later.id, big.id]
    async with tenant.begin() as tx:
        assert await tx.record([part(big, 2, size=10)]) == [PartOutcome.NOT_RECEIVING]
        assert [each.happening.kind for each in await tx.happened(big.id)][-1] is Kind.RESTARTED


async def test_twins_follow_whom_they_are_told_to(tenant):
    """Twins are found by leader in order; following none, one may be sent."""
    leader = tenant.upload(entry("a.txt"))
    twins = [tenant.upload(entry(f"t{n}.txt"), leader=leader.id) for n in range(3)]
    await tenant.declare(leader, *twins)
    first, *others = twins
    async with tenant.begin() as tx:
        assert [each.id for each in await tx.twins([leader.id])] == [each.id for each in twins]
        await tx.follow([first.id], None)
        await tx.follow([each.id for each in others], first.id)
        assert [each.id for each in await tx.twins([first.id])] == [each.id for each in others]
        assert await tx.twins([leader.id]) == []


async def test_an_exception_undoes_the_transaction(tenant):
    """Rows, jobs and events of a block that raises never existed."""
    upload = tenant.upload(entry("never.txt"))

    async def undone():
        async with tenant.begin() as tx:
            await tx.declare([upload])
            await tx.enqueue([ProveUpload(upload.id), JoinParts(upload.id)])
            await tx.say([Happening(kind=Kind.OPENED, batch=tenant.batch.id)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await undone()
    async with tenant.begin() as tx:
        assert await tx.uploads([upload.id]) == []
        assert await tx.jobs(FIRST_PAGE, state=None) == []
        assert await tx.head() == 0


async def test_one_reference_opens_one_batch(tenant):
    """Of many clients that open a reference at once, one makes the batch and all get it."""

    async def open_it():
        async with tenant.begin() as tx:
            return await tx.open_batch(new_batch(tenant.organization, tenant.project, "at once"))

    answers = await asyncio.gather(*(open_it() for _ in range(8)))
    assert len({batch.id for batch, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1


async def test_a_closed_batch_has_a_successor(tenant):
    """The reference of a closed batch opens another one; closing twice keeps the first time."""
    async with tenant.begin() as tx:
        closed = await tx.touch_batch(tenant.batch.id, close=True)
    async with tenant.begin() as tx:
        assert await tx.touch_batch(tenant.batch.id, close=True) == closed
        other, is_new = await tx.open_batch(
            new_batch(tenant.organization, tenant.project, tenant.batch.reference)
        )
    assert is_new
    assert other.id != tenant.batch.id


async def test_the_tally_adds_up(tenant):
    """Counts, sizes and reasons are those of the rows."""
    declared = await tenant.declared(3)
    junk = tenant.upload(entry(".x", size=4), state=State.SKIPPED, reason=Reason.SYSTEM_JUNK)
    await tenant.declare(junk)
    async with tenant.begin() as tx:
        await tx.record([whole(declared[0])])
        tally = await tx.tally(tenant.batch.id)
    assert tally.counts == {State.DECLARED: 2, State.CHECKING: 1, State.SKIPPED: 1}
    assert (tally.declared, tally.declared_bytes, tally.received) == (4, 34, 10)
    assert tally.reasons == {Reason.SYSTEM_JUNK: 1}
    assert not tally.is_settled


@pytest.mark.parametrize("what", ["batch", "upload", "project", "document", "version"])
async def test_what_does_not_exist_is_not_found(tenant, what):
    """An id that nothing has raises `NotFound`."""
    with pytest.raises(NotFound):
        async with tenant.begin() as tx:
            await getattr(tx, what)(BatchId(new_id()))


async def test_a_key_of_a_batch_is_written_once(tenant):
    """The second writer of a key gets `Conflict`."""
    with pytest.raises(Conflict):
        await tenant.declare(tenant.upload(entry("a", key="k")), tenant.upload(entry("b", key="k")))


async def test_a_snapshot_writes_nothing(tenant):
    """A snapshot reads one moment, refuses to write, and leaves its connection able to."""
    with pytest.raises(LedgerUnavailable, match="only reads"):
        async with tenant.database.ledger.snapshot(tenant.organization) as tx:
            await tx.declare([tenant.upload(entry("no.txt"))])
    async with tenant.database.ledger.snapshot(tenant.organization) as tx:
        before = await tx.head()
        await tenant.checking()
        assert await tx.head() == before
    async with tenant.begin() as tx:
        assert await tx.head() > before


@pytest.mark.parametrize("kind", ["begin", "snapshot"])
async def test_a_lost_connection_is_unavailable_and_no_more(tenant, kind):
    """A backend that dies in the middle raises `LedgerUnavailable`; the next block works."""

    async def cut_off():
        async with getattr(tenant.database.ledger, kind)(tenant.organization) as tx:
            await tx.head()
            await tenant.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'laydown_app' AND datname = current_database()"
            )
            await tx.head()

    with pytest.raises(LedgerUnavailable):
        await cut_off()
    async with tenant.begin() as tx:
        assert await tx.head() == 0


async def test_a_change_names_state_and_attempt(tenant):
    """A move from a state the upload isn't in changes nothing."""
    [upload] = await tenant.declared()
    sealed = upload.after(Event.PART_LANDED, Event.SENT, object_key=upload.key, received=10)
    late = Change(was=State.RECEIVING, was_attempt=1, now=sealed)
    async with tenant.begin() as tx:
        assert await tx.move([late]) == frozenset()

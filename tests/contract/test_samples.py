"""The sampler: what settled is counted once, whoever looks; of long logs, the newest part."""

import asyncio
from datetime import timedelta

from laydown.domain.figures import Patience, Plight, Stage
from laydown.domain.lifecycle import Event, State
from laydown.domain.reasons import Reason
from laydown.ports import Page
from laydown.postgres import figures, samples
from laydown.postgres.migrate import migrate
from laydown.services.completing import close
from tests.ledger_support import EPOCH, Tenant, digest, entry, moved

BEFORE_SAMPLES = (
    "DROP TABLE samples, outcomes",
    "DROP FUNCTION outcomes_between",
    "DROP INDEX uploads_with_us",
    "DELETE FROM schema_migrations WHERE number = 10",
)


async def cancelled(tenant: Tenant, uploads) -> None:
    """Have uploads settle, each in a transaction of its own."""
    for upload in uploads:
        async with tenant.begin() as tx:
            await tx.move([moved(upload, Event.CANCELLED, reason=Reason.CANCELLED_BY_USER)])


async def counted(tenant: Tenant) -> int:
    """Return how many files settled, as operators are told."""
    async with tenant.begin() as tx:
        return sum(outcome.files for outcome in await tx.outcomes(EPOCH))


async def test_two_may_sample_at_once(tenant):
    """Samplers that don't know of each other count nothing twice, and readers see every file."""
    uploads = await tenant.declared(40)

    async def sample() -> None:
        for _ in range(10):
            await tenant.database.sampler.take()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(cancelled(tenant, uploads))
        tasks.create_task(sample())
        tasks.create_task(sample())
    assert await counted(tenant) == len(uploads)
    await tenant.database.sampler.take()
    [(files,)] = await tenant.ask("SELECT sum(files)::int FROM outcomes")
    assert files == len(uploads) == await counted(tenant)


async def test_a_long_log_is_caught_up_with_in_part(tenant, monkeypatch):
    """When nobody looked for long the newest events are counted, and then all that follow."""
    monkeypatch.setattr(samples, "CAUGHT_UP_WITH", 3)
    first, second = [tenant.upload(entry(f"{n}.txt")) for n in range(10)], tenant.upload(entry("x"))
    await tenant.declare(*first, second)
    await cancelled(tenant, first)
    await tenant.database.sampler.take()
    assert await counted(tenant) == 3
    await cancelled(tenant, [second])
    assert await counted(tenant) == 4
    await tenant.database.sampler.take()
    assert await counted(tenant) == 4


async def test_of_many_events_some_are_measured(tenant, monkeypatch):
    """As many events as are to be measured are drawn from all of the log, one a stratum."""
    monkeypatch.setattr(figures, "_MOST_MEASURED", 5)
    arrived = [await tenant.checking(f"{n}.txt") for n in range(20)]
    async with tenant.begin() as tx:
        [duration] = await tx.durations(EPOCH)
    assert duration.stage is Stage.DECLARED
    assert 0 < duration.files <= 5 < len(arrived)
    assert 0 <= duration.median <= duration.slowest


async def test_of_many_files_of_a_step_some_are_measured(tenant, monkeypatch):
    """So many events of a step are looked at: if only one is, no file is slower than another."""
    for name in map(str, range(8)):
        await tenant.ask("UPDATE uploads SET declared_at = declared_at - interval '1 minute'")
        upload = await tenant.checking(name, sha256=digest(name))
        await tenant.publish(upload, digest(name))
    await tenant.database.sampler.take()
    async with tenant.begin() as tx:
        [all_of_them] = await tx.moments(EPOCH, timedelta(hours=4))
        monkeypatch.setattr(figures, "_MOST_MEASURED_OF_STEP", 1)
        [one] = await tx.moments(EPOCH, timedelta(hours=4))
    assert all_of_them.median < all_of_them.slowest
    assert one.median == one.slowest


async def test_twins_that_wait_for_another_are_not_silent(tenant):
    """Nobody has to send a file that waits for the same bytes under another key."""
    leader = tenant.upload(entry("a.txt", sha256=digest("a")))
    await tenant.declare(leader)
    await tenant.declare(tenant.upload(entry("b.txt", sha256=digest("a")), leader=leader.id))
    await tenant.ask("UPDATE batches SET touched_at = touched_at - interval '1 day'")
    await tenant.ask("UPDATE uploads SET moved_at = moved_at - interval '1 day'")
    async with tenant.begin() as tx:
        assert [row.id for row in await tx.stuck(Page(limit=10), Patience())] == [leader.id]
        assert await tx.count_stuck(Patience()) == {Plight.SILENT: 1, Plight.STUCK: 0}


async def test_what_settled_before_is_left_to_the_log(tenant):
    """The migration that begins to count begins with what happens from then on."""
    old, new = tenant.upload(entry("old.txt")), tenant.upload(entry("new.txt"))
    await tenant.declare(old, new)
    await cancelled(tenant, [old])
    for statement in BEFORE_SAMPLES:
        await tenant.ask(statement)
    assert await migrate(tenant.owner) == [10]
    assert await counted(tenant) == 0
    await cancelled(tenant, [new])
    assert await counted(tenant) == 1
    await tenant.database.sampler.take()
    assert await counted(tenant) == 1


async def test_of_many_files_some_stand_for_all(tenant, monkeypatch):
    """However few are measured, they stand for about as many as there are, and none twice."""
    monkeypatch.setattr(samples, "MEASURED", 40)
    arrived = [await tenant.checking(f"{n}.txt") for n in range(60)]
    await tenant.database.sampler.take()
    async with tenant.begin() as tx:
        await tx.move(
            [moved(upload, Event.REFUSED, reason=Reason.TYPE_MISMATCH) for upload in arrived]
        )
    seen = await tenant.database.sampler.take()
    assert sum(life.stands_for for life in seen.lives) in range(50, 71)
    assert len(seen.lives) < len(arrived)
    assert {life.end for life in seen.lives} == {State.REJECTED}
    assert all(life.is_prompt and set(life.stages) >= {State.CHECKING} for life in seen.lives)
    [outcome] = seen.outcomes
    assert (outcome.files, outcome.reason) == (len(arrived), Reason.TYPE_MISMATCH)
    again = await tenant.database.sampler.take()
    assert (again.lives, again.outcomes) == ([], [])


async def test_a_batch_is_timed_when_it_ends(tenant):
    """Not while a file is unsettled, not while it is open, and once when both are over."""
    first, second = await tenant.declared(2)
    await cancelled(tenant, [first])
    assert (await tenant.database.sampler.take()).batches == []
    async with tenant.begin() as tx:
        await close(tx, tenant.batch.id)
    assert (await tenant.database.sampler.take()).batches == []
    await cancelled(tenant, [second])
    [seconds] = (await tenant.database.sampler.take()).batches
    assert seconds >= 0
    assert (await tenant.database.sampler.take()).batches == []


async def test_a_look_sees_every_organization(tenant, stranger):
    """What waits, runs and is announced is that of all together."""
    await tenant.checking("a.txt")
    await stranger.checking("b.txt")
    await stranger.declared(3)
    seen = await tenant.database.sampler.take()
    assert (seen.announced, seen.overdue) == (5, 0)
    assert (seen.waiting, seen.running, seen.dead) == (2, 0, 0)
    assert seen.oldest > 0

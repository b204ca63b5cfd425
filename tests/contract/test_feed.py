"""What a job feed promises: fair, leased, repeatable, and nothing lost."""

import asyncio
from datetime import timedelta
from itertools import chain
from uuid import uuid4

import psycopg
import pytest

from laydown.domain.errors import NotFound
from laydown.domain.jobs import DiscardBytes, JobState, JoinParts, ProveUpload
from laydown.domain.upload import UploadId
from laydown.ports import Page
from laydown.services.identifiers import new_id
from tests.ledger_support import FIRST_PAGE, Tenant

LONG, NONE, PAST = timedelta(minutes=1), timedelta(0), timedelta(seconds=-1)


def proofs(count: int) -> list[ProveUpload]:
    return [ProveUpload(UploadId(new_id())) for _ in range(count)]


async def enqueue(tenant: Tenant, *jobs) -> None:
    async with tenant.begin() as tx:
        await tx.enqueue(jobs)


async def listed(tenant: Tenant, state: JobState | None = None, page: Page = FIRST_PAGE):
    async with tenant.begin() as tx:
        return await tx.jobs(page, state=state)


@pytest.fixture
def feed(tenant):
    return tenant.database.feed


async def test_a_claimed_job_is_the_job_that_was_enqueued(tenant, feed):
    """Every kind of job comes back equal, as its first attempt, with its organization."""
    upload = UploadId(new_id())
    jobs = [JoinParts(upload), ProveUpload(upload), DiscardBytes(upload, "u/a/b/1")]
    await enqueue(tenant, *jobs)
    claimed = await feed.claim(worker=uuid4(), limit=10, lease=LONG)
    assert {each.job for each in claimed} == set(jobs)
    assert {(each.attempt, each.organization) for each in claimed} == {(1, tenant.organization)}


async def test_a_job_of_an_undone_transaction_never_was(tenant, feed):
    """What a rolled back transaction enqueued can't be claimed."""

    async def undone():
        async with tenant.begin() as tx:
            await tx.enqueue(proofs(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await undone()
    assert await feed.claim(worker=uuid4(), limit=10, lease=LONG) == []


async def test_a_flood_of_one_organization_does_not_hold_up_another(tenant, stranger, feed):
    """With a thousand jobs of one before it, another's few still get their share of a claim."""
    await enqueue(tenant, *proofs(1_000))
    await enqueue(stranger, *proofs(3))
    claimed = await feed.claim(worker=uuid4(), limit=10, lease=LONG)
    assert len(claimed) == 10
    assert sum(each.organization == stranger.organization for each in claimed) == 3


async def test_the_share_of_an_idle_organization_goes_to_the_busy(tenant, stranger, feed):
    """A claim is filled while there is anything to do."""
    await enqueue(tenant, *proofs(30))
    await enqueue(stranger, *proofs(1))
    assert len(await feed.claim(worker=uuid4(), limit=20, lease=LONG)) == 20


async def test_oldest_first(tenant, feed):
    """Within an organization jobs are claimed in the order they became due."""
    ours = proofs(5)
    for job in ours:
        await enqueue(tenant, job)
    first = await feed.claim(worker=uuid4(), limit=2, lease=LONG)
    assert {each.job for each in first} == set(ours[:2])


async def test_workers_side_by_side_never_get_the_same_job(tenant, feed):
    """However many claim at once, each job is claimed once."""
    await enqueue(tenant, *proofs(200))

    async def work():
        taken = []
        worker = uuid4()
        while claimed := await feed.claim(worker=worker, limit=7, lease=LONG):
            taken += [each.id for each in claimed]
        return taken

    everything = [*chain(*await asyncio.gather(*(work() for _ in range(6))))]
    assert len(everything) == len(set(everything))
    left = await feed.claim(worker=uuid4(), limit=300, lease=LONG)
    assert len(everything) + len(left) == 200


async def test_a_worker_waits_for_no_other(tenant, feed):
    """While one claim is still uncommitted, another takes other jobs without waiting."""
    await enqueue(tenant, *proofs(10))
    holder = await _locking_half(tenant)
    try:
        async with asyncio.timeout(5):
            claimed = await feed.claim(worker=uuid4(), limit=10, lease=LONG)
        assert len(claimed) == 5
    finally:
        await holder.close()


async def _locking_half(tenant):
    """Return a connection that holds half of the jobs locked."""
    connection = await psycopg.AsyncConnection.connect(tenant.owner)
    await connection.execute("SELECT id FROM jobs ORDER BY id LIMIT 5 FOR UPDATE")
    return connection


async def test_a_job_of_a_dead_worker_is_claimed_again(tenant, feed):
    """Once a lease has run out, the next claim gets the job, as its next attempt."""
    await enqueue(tenant, *proofs(1))
    [first] = await feed.claim(worker=uuid4(), limit=1, lease=PAST)
    [second] = await feed.claim(worker=uuid4(), limit=1, lease=LONG)
    assert (second.id, second.attempt) == (first.id, 2)
    assert await feed.claim(worker=uuid4(), limit=1, lease=LONG) == []


async def test_a_lease_can_be_extended_by_its_holder_only(tenant, feed):
    """A heartbeat holds a job; somebody else's does nothing."""
    holder, other = uuid4(), uuid4()
    await enqueue(tenant, *proofs(1))
    claimed = await feed.claim(worker=holder, limit=1, lease=LONG)
    await feed.extend(claimed, worker=other, lease=PAST)
    assert await feed.claim(worker=other, limit=1, lease=LONG) == []
    await feed.extend(claimed, worker=holder, lease=PAST)
    assert len(await feed.claim(worker=other, limit=1, lease=LONG)) == 1
    await feed.extend(claimed, worker=holder, lease=PAST)
    assert await feed.claim(worker=holder, limit=1, lease=LONG) == []


async def test_finishing_twice_or_late_changes_nothing(tenant, feed):
    """Who lost a job to another worker can't finish or fail it; its holder can, repeatedly."""
    late, holder = uuid4(), uuid4()
    await enqueue(tenant, *proofs(1))
    lost = await feed.claim(worker=late, limit=1, lease=PAST)
    held = await feed.claim(worker=holder, limit=1, lease=LONG)
    await feed.finish(lost, worker=late)
    await feed.fail(lost[0], worker=late, error="late", retry_in=None)
    [job] = await listed(tenant)
    assert job.state is JobState.RUNNING
    await feed.finish(held, worker=holder)
    await feed.finish(held, worker=holder)
    assert await listed(tenant) == []


async def test_a_failed_job_waits_before_it_is_tried_again(tenant, feed):
    """Until its delay is over nobody can claim it; its error is shown meanwhile."""
    worker = uuid4()
    await enqueue(tenant, *proofs(1))
    [job] = await feed.claim(worker=worker, limit=1, lease=LONG)
    await feed.fail(job, worker=worker, error="disk: away", retry_in=LONG)
    assert await feed.claim(worker=worker, limit=1, lease=LONG) == []
    [shown] = await listed(tenant, JobState.WAITING)
    assert (shown.last_error, shown.attempt) == ("disk: away", 1)
    await tenant.ask("UPDATE jobs SET run_at = now()")
    [again] = await feed.claim(worker=worker, limit=1, lease=LONG)
    assert (again.id, again.attempt) == (job.id, 2)


async def dead(tenant: Tenant):
    """Return the listing of a job that has died."""
    feed, worker = tenant.database.feed, uuid4()
    await enqueue(tenant, *proofs(1))
    [job] = await feed.claim(worker=worker, limit=1, lease=LONG)
    await feed.fail(job, worker=worker, error="broken", retry_in=None)
    [listing] = await listed(tenant, JobState.DEAD)
    return listing


async def test_a_dead_job_is_listed_and_never_claimed(tenant, feed):
    """Death ends claiming, not listing."""
    listing = await dead(tenant)
    assert listing.last_error == "broken"
    assert await feed.claim(worker=uuid4(), limit=1, lease=LONG) == []
    async with tenant.begin() as tx:
        counts, oldest = await tx.count_jobs()
    assert (counts[JobState.DEAD], counts[JobState.WAITING], oldest) == (1, 0, None)


async def test_a_dead_job_can_be_replayed(tenant, feed):
    """Replayed, it is claimed as a first attempt; what isn't dead can't be replayed."""
    listing = await dead(tenant)
    async with tenant.begin() as tx:
        assert await tx.revive_job(listing.id) == listing.upload
    [claimed] = await feed.claim(worker=uuid4(), limit=1, lease=LONG)
    assert (claimed.id, claimed.attempt) == (listing.id, 1)
    with pytest.raises(NotFound):
        async with tenant.begin() as tx:
            await tx.revive_job(listing.id)


async def test_only_a_dead_job_can_be_discarded(tenant):
    """Discarding removes a dead job, and refuses one that still waits."""
    listing = await dead(tenant)
    await enqueue(tenant, *proofs(1))
    [waiting] = await listed(tenant, JobState.WAITING)
    async with tenant.begin() as tx:
        await tx.discard_job(listing.id)
    with pytest.raises(NotFound):
        async with tenant.begin() as tx:
            await tx.discard_job(waiting.id)
    assert [job.id for job in await listed(tenant)] == [waiting.id]


async def test_dead_jobs_of_uploads_tried_otherwise_are_forgotten(tenant):
    """Forgetting takes the dead jobs of these uploads, and no waiting one."""
    listing = await dead(tenant)
    await enqueue(tenant, ProveUpload(listing.upload))
    async with tenant.begin() as tx:
        await tx.forget_dead_jobs([listing.upload])
    assert [job.state for job in await listed(tenant)] == [JobState.WAITING]


async def test_pages_of_jobs_go_on_although_jobs_are_done_meanwhile(tenant, feed):
    """The last job of a page may be finished before the next page is asked for."""
    worker = uuid4()
    await enqueue(tenant, *proofs(6))
    first = await listed(tenant, page=Page(limit=3))
    claimed = await feed.claim(worker=worker, limit=10, lease=LONG)
    done = [job for job in claimed if job.id == first[-1].id]
    await feed.finish(done, worker=worker)
    second = await listed(tenant, page=Page(after=str(first[-1].id), limit=3))
    assert len(second) == 3
    assert not {job.id for job in first} & {job.id for job in second}

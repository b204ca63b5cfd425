"""What a job feed promises: fair, leased, repeatable, and nothing lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from uuid import uuid4

import psycopg
import pytest

from laydown.domain.errors import NotFound
from laydown.domain.jobs import (
    DiscardBytes,
    JobState,
    JoinParts,
    ProveUpload,
    QuarantineBytes,
    RescanBytes,
)
from laydown.domain.upload import UploadId
from laydown.ports import Page
from laydown.postgres.feed import PostgresFeed
from laydown.services.identifiers import new_id
from tests.ledger_support import FIRST_PAGE, Tenant, entry, new_batch
from tests.queue_support import Yard, known_to, made, on_postgres, on_sqs

LONG, PAST = timedelta(minutes=1), timedelta(seconds=-1)


def proofs(count: int) -> list[ProveUpload]:
    return [ProveUpload(UploadId(new_id())) for _ in range(count)]


async def enqueue(tenant: Tenant, *jobs) -> None:
    async with tenant.begin() as tx:
        await tx.enqueue(jobs)


async def listed(tenant: Tenant, state: JobState | None = None, page: Page = FIRST_PAGE):
    async with tenant.begin() as tx:
        return await tx.jobs(page, state=state)


@pytest.fixture
def cap() -> int:
    """How much of an organization may be in flight: more than most of these tests need."""
    return 300


@pytest.fixture(params=["postgres", pytest.param("sqs", marks=pytest.mark.distributed)])
async def yard(request, database, cap, monkeypatch) -> AsyncIterator[Yard]:
    """What every promise is checked on."""
    if request.param == "postgres":
        async with on_postgres(database, in_flight=cap) as yard:
            yield yard
        return
    engine = request.getfixturevalue("queues")
    known_to(engine, monkeypatch)
    async with on_sqs(database, await made(engine), in_flight=cap) as yard:
        yield yard


@pytest.fixture
def feed(yard):
    return yard.feed


async def claimed_up_to(feed, most: int, **given):
    """Claim until nothing comes, or so many have; a queue gives out less than it has."""
    taken: list = []
    given = {"worker": uuid4(), "lease": LONG} | given
    while len(taken) < most and (some := await feed.claim(limit=most - len(taken), **given)):
        taken += some
    return taken


async def test_a_claimed_job_is_the_job_that_was_enqueued(tenant, feed):
    """Every kind of job comes back equal, as its first attempt, with its organization."""
    upload = UploadId(new_id())
    jobs = [
        JoinParts(upload),
        ProveUpload(upload),
        DiscardBytes(upload, "u/a/b/1"),
        QuarantineBytes(upload, "u/a/b/1"),
        RescanBytes(upload, "u/a/b/1"),
    ]
    await enqueue(tenant, *jobs)
    claimed = await claimed_up_to(feed, 10)
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


@pytest.mark.parametrize("cap", [20])
async def test_a_flood_of_one_organization_does_not_hold_up_another(tenant, stranger, feed, cap):
    """However many jobs of one wait before it, another's few are among the next a cap away."""
    await enqueue(tenant, *proofs(2_000))
    await enqueue(stranger, *proofs(3))
    claimed = await claimed_up_to(feed, 100)
    assert sum(each.organization == stranger.organization for each in claimed) == 3
    assert sum(each.organization == tenant.organization for each in claimed) == cap


@pytest.mark.parametrize("yard", ["postgres"], indirect=True)
async def test_every_claim_is_shared_out(tenant, stranger, feed):
    """A claim of ten gives three to whoever has three, and not to whoever came first."""
    await enqueue(tenant, *proofs(100))
    await enqueue(stranger, *proofs(3))
    claimed = await feed.claim(worker=uuid4(), limit=10, lease=LONG)
    assert sum(each.organization == stranger.organization for each in claimed) == 3


async def test_the_share_of_an_idle_organization_goes_to_the_busy(tenant, stranger, feed):
    """A claim is filled while there is anything to do."""
    await enqueue(tenant, *proofs(30))
    await enqueue(stranger, *proofs(1))
    assert len(await claimed_up_to(feed, 20)) == 20


@pytest.mark.parametrize("cap", [2])
async def test_oldest_first(tenant, feed):
    """Within an organization jobs come up in the order they became due."""
    ours = proofs(5)
    for job in ours:
        await enqueue(tenant, job)
    first = await claimed_up_to(feed, 5)
    assert {each.job for each in first} == set(ours[:2])


@pytest.mark.parametrize("cap", [5])
async def test_an_organization_has_only_so_many_jobs_in_flight(tenant, feed):
    """Beyond the cap nothing comes until something is done; then as much as was done."""
    worker = uuid4()
    await enqueue(tenant, *proofs(20))
    held = await claimed_up_to(feed, 20, worker=worker)
    assert len(held) == 5
    await feed.finish(held[:2], worker=worker)
    assert len(await claimed_up_to(feed, 20, worker=worker)) == 2


@pytest.mark.parametrize(("yard", "cap"), [("postgres", 7)], indirect=["yard"])
async def test_the_cap_holds_however_many_claim_at_once(tenant, yard, cap):
    """Processes that claim side by side never have more between them than the cap."""
    await enqueue(tenant, *proofs(100))
    feeds = [PostgresFeed(yard.pool, in_flight=cap) for _ in range(8)]
    claims = await asyncio.gather(*(claimed_up_to(feed, 50) for feed in feeds))
    assert sum(map(len, claims)) == cap


async def checked(tenant: Tenant, count: int, *, reference: str) -> set[UploadId]:
    """Deliver a batch of so many files, and have each proven."""
    async with tenant.begin() as tx:
        batch, _ = await tx.open_batch(new_batch(tenant.organization, tenant.project, reference))
    deliverer = replace(tenant, batch=batch)
    uploads = [deliverer.upload(entry(f"{reference}-{n}.txt")) for n in range(count)]
    await deliverer.declare(*uploads)
    await enqueue(tenant, *(ProveUpload(upload.id) for upload in uploads))
    return {upload.id for upload in uploads}


def those_in(claimed, ids) -> int:
    return sum(each.job.upload_id in ids for each in claimed)


@pytest.mark.parametrize("cap", [10])
async def test_a_small_batch_overtakes_a_large_one_of_its_organization(tenant, feed):
    """Its files come up at once, although a hundred and more were there before."""
    large = await checked(tenant, 101, reference="large")
    small = await checked(tenant, 5, reference="small")
    claimed = await claimed_up_to(feed, 10)
    assert (those_in(claimed, small), those_in(claimed, large)) == (5, 5)


@pytest.mark.parametrize("cap", [20])
async def test_small_batches_take_half_and_no_more(tenant, feed):
    """While files of a large batch wait too, they are every second."""
    large = await checked(tenant, 101, reference="large")
    small = {n: await checked(tenant, 30, reference=f"small-{n}") for n in range(3)}
    claimed = await claimed_up_to(feed, 20)
    assert those_in(claimed, large) == 10
    assert those_in(claimed, set().union(*small.values())) == 10


@pytest.mark.parametrize("cap", [1])
async def test_taken_one_at_a_time_both_lanes_move(tenant, feed):
    """A lane that waits is never passed by twice in a row."""
    worker = uuid4()
    large = await checked(tenant, 101, reference="large")
    small = await checked(tenant, 30, reference="small")
    claimed = []
    for _ in range(10):
        [job] = await feed.claim(worker=worker, limit=1, lease=LONG)
        await feed.finish([job], worker=worker)
        claimed.append(job)
    assert (those_in(claimed, small), those_in(claimed, large)) == (5, 5)


@pytest.mark.parametrize("cap", [10])
async def test_housekeeping_waits_behind_what_people_wait_for(tenant, feed):
    """Bytes to be deleted, however many, don't hold up a file that came after them."""
    key = "u/a/b/1"
    await enqueue(tenant, *(DiscardBytes(UploadId(new_id()), key) for _ in range(50)))
    small = await checked(tenant, 5, reference="small")
    assert those_in(await claimed_up_to(feed, 10), small) == 5


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
    everything += [each.id for each in await claimed_up_to(feed, 300)]
    assert len(everything) == len(set(everything)) == 200


@pytest.mark.parametrize("yard", ["postgres"], indirect=True)
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
    """Who lost a job to another worker has no say in it any more; its holder can say it twice."""
    late, holder = uuid4(), uuid4()
    await enqueue(tenant, *proofs(1))
    lost = await feed.claim(worker=late, limit=1, lease=PAST)
    held = await feed.claim(worker=holder, limit=1, lease=LONG)
    await feed.finish(lost, worker=late)
    await feed.fail(lost[0], worker=late, error="late", retry_in=None)
    await feed.postpone(lost, worker=late, why="late", retry_in=LONG)
    [job] = await listed(tenant)
    assert (job.state, job.last_error) == (JobState.RUNNING, None)
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


async def test_a_postponed_job_has_not_been_tried(tenant, feed):
    """It waits as a failed one does, says why, and comes back as the attempt it was."""
    worker = uuid4()
    await enqueue(tenant, *proofs(2))
    held = await claimed_up_to(feed, 2, worker=worker)
    await feed.postpone(held, worker=worker, why="store: away", retry_in=LONG)
    assert await feed.claim(worker=worker, limit=2, lease=LONG) == []
    shown = await listed(tenant, JobState.WAITING)
    assert {(job.last_error, job.attempt) for job in shown} == {("store: away", 0)}
    await tenant.ask("UPDATE jobs SET run_at = now()")
    again = await claimed_up_to(feed, 2, worker=worker)
    assert {(job.id, job.attempt) for job in again} == {(job.id, 1) for job in held}


async def test_a_job_for_later_is_not_claimed_now(tenant, feed):
    """Enqueued for after a while, it is listed at once and claimed when that is over."""
    async with tenant.begin() as tx:
        await tx.enqueue(proofs(1), after=LONG)
    assert await feed.claim(worker=uuid4(), limit=1, lease=LONG) == []
    [job] = await listed(tenant, JobState.WAITING)
    assert job.run_at == job.created_at + LONG
    await tenant.ask("UPDATE jobs SET run_at = now()")
    assert len(await feed.claim(worker=uuid4(), limit=1, lease=LONG)) == 1


async def dead(tenant: Tenant, feed):
    """Return the listing of a job that has died."""
    worker = uuid4()
    await enqueue(tenant, *proofs(1))
    [job] = await feed.claim(worker=worker, limit=1, lease=LONG)
    await feed.fail(job, worker=worker, error="broken", retry_in=None)
    [listing] = await listed(tenant, JobState.DEAD)
    return listing


async def test_a_dead_job_is_listed_and_never_claimed(tenant, feed):
    """Death ends claiming, not listing."""
    listing = await dead(tenant, feed)
    assert listing.last_error == "broken"
    assert await feed.claim(worker=uuid4(), limit=1, lease=LONG) == []
    async with tenant.begin() as tx:
        counts, oldest = await tx.count_jobs()
    assert (counts[JobState.DEAD], counts[JobState.WAITING], oldest) == (1, 0, None)


async def test_a_dead_job_can_be_replayed(tenant, feed):
    """Replayed, it is claimed as a first attempt; what isn't dead can't be replayed."""
    listing = await dead(tenant, feed)
    async with tenant.begin() as tx:
        assert await tx.revive_job(listing.id) == listing.upload
    [claimed] = await feed.claim(worker=uuid4(), limit=1, lease=LONG)
    assert (claimed.id, claimed.attempt) == (listing.id, 1)
    with pytest.raises(NotFound):
        async with tenant.begin() as tx:
            await tx.revive_job(listing.id)


async def test_only_a_dead_job_can_be_discarded(tenant, feed):
    """Discarding removes a dead job, and refuses one that still waits."""
    listing = await dead(tenant, feed)
    await enqueue(tenant, *proofs(1))
    [waiting] = await listed(tenant, JobState.WAITING)
    async with tenant.begin() as tx:
        await tx.discard_job(listing.id)
    with pytest.raises(NotFound):
        async with tenant.begin() as tx:
            await tx.discard_job(waiting.id)
    assert [job.id for job in await listed(tenant)] == [waiting.id]


async def test_dead_jobs_of_uploads_tried_otherwise_are_forgotten(tenant, feed):
    """Forgetting takes the dead jobs of these uploads, and no waiting one."""
    listing = await dead(tenant, feed)
    await enqueue(tenant, ProveUpload(listing.upload))
    async with tenant.begin() as tx:
        await tx.forget_dead_jobs([listing.upload])
    assert [job.state for job in await listed(tenant)] == [JobState.WAITING]


async def test_pages_of_jobs_go_on_although_jobs_are_done_meanwhile(tenant, feed):
    """The last job of a page may be finished before the next page is asked for."""
    worker = uuid4()
    await enqueue(tenant, *proofs(6))
    first = await listed(tenant, page=Page(limit=3))
    claimed = await claimed_up_to(feed, 10, worker=worker)
    done = [job for job in claimed if job.id == first[-1].id]
    await feed.finish(done, worker=worker)
    second = await listed(tenant, page=Page(after=str(first[-1].id), limit=3))
    assert len(second) == 3
    assert not {job.id for job in first} & {job.id for job in second}

"""What a worker does when what jobs need is away, and how it stops, on both feeds."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest

from laydown.domain.errors import ScannerUnavailable, StoreUnavailable
from laydown.domain.jobs import JobState, ProveUpload
from laydown.domain.upload import OrganizationId, UploadId
from laydown.observe import LogEvent
from laydown.postgres.leases import PostgresLeases
from laydown.queues.feed import SqsFeed
from laydown.services.identifiers import new_id
from laydown.telemetry.metrics import Metrics
from laydown.telemetry.traces import Traces
from laydown.worker.handlers import UseCases
from laydown.worker.runner import Runner
from tests.ledger_support import FIRST_PAGE, Tenant
from tests.queue_support import Diary, known_to, made, on_postgres, on_sqs, strangers

UNTOLD = "SELECT id FROM jobs WHERE last_error IS NULL"
PATIENCE = 20.0  # seconds; what is awaited takes milliseconds on a quiet machine
SOON = 10.0  # seconds in which a stop is obeyed, far less than a long poll takes


@dataclass
class Proving:
    """Does nothing with uploads but note them, in groups, or fail as it is told."""

    error: Exception | None = None
    store_is_there: bool = False
    given_up: list[tuple[OrganizationId, UploadId]] = field(default_factory=list)
    groups: list[tuple[OrganizationId, Sequence[UploadId]]] = field(default_factory=list)

    async def prove(self, organization: OrganizationId, uploads: Sequence[UploadId]) -> None:
        self.groups.append((organization, uploads))
        if self.error is not None:
            raise self.error

    async def store_answers(self) -> bool:
        return self.store_is_there

    async def give_up(self, organization: OrganizationId, upload: UploadId) -> None:
        self.given_up.append((organization, upload))


@dataclass(frozen=True)
class Doing:
    """The use cases of these tests."""

    proving: Proving
    rescanning: Any = None


@pytest.fixture(params=["postgres", pytest.param("sqs", marks=pytest.mark.distributed)])
async def feed(request, database, monkeypatch):
    """A feed from which everything that waits can be claimed."""
    if request.param == "postgres":
        async with on_postgres(database, in_flight=100) as yard:
            yield yard.feed
        return
    engine = request.getfixturevalue("queues")
    known_to(engine, monkeypatch)
    async with on_sqs(database, await made(engine), in_flight=100) as yard:
        yield yard.feed


def runner(feed, proving, *, diary=None, metrics=None) -> Runner:
    return Runner(
        feed=feed,
        use_cases=cast("UseCases", Doing(proving)),
        worker=uuid4(),
        numbers=metrics or Metrics(),
        tracing=Traces(),
        words=diary or Diary(),
        slots=2,
        group=10,
        lease=timedelta(minutes=1),
    )


async def enqueue(tenant: Tenant, count: int) -> list[UploadId]:
    uploads = [UploadId(new_id()) for _ in range(count)]
    async with tenant.begin() as tx:
        await tx.enqueue([ProveUpload(upload) for upload in uploads])
    return uploads


async def listed(tenant: Tenant):
    async with tenant.begin() as tx:
        return await tx.jobs(FIRST_PAGE, state=None)


@asynccontextmanager
async def running(runner: Runner):
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run(stop))
        yield
        stop.set()


@pytest.mark.parametrize(
    "error", [StoreUnavailable("no answer"), ScannerUnavailable("no answer")], ids=type
)
async def test_jobs_wait_for_what_is_away_without_being_tried(tenant, feed, error):
    """The whole group waits, once, up to half a minute, with its attempts and the reason kept."""
    proving, diary, metrics = Proving(error=error), Diary(), Metrics()
    await enqueue(tenant, 8)
    async with running(runner(feed, proving, diary=diary, metrics=metrics)):
        while await tenant.ask(UNTOLD):  # noqa: ASYNC110 - the ledger sets no event
            await asyncio.sleep(0.01)
    jobs = await listed(tenant)
    said = f"{type(error).__name__}: no answer"
    assert {(job.state, job.attempt, job.last_error) for job in jobs} == {
        (JobState.WAITING, 0, said)
    }
    assert all(timedelta(0) < job.run_at - job.created_at < timedelta(seconds=60) for job in jobs)
    assert sum(len(uploads) for _, uploads in proving.groups) == 8
    assert set(diary.events) == {LogEvent.JOBS_POSTPONED}
    assert 'end="postponed",kind="prove"} 8.0' in metrics.rendered()[0].decode()


async def test_jobs_that_waited_are_done_when_it_is_back(tenant, feed):
    """However often they were put off: nothing counts against them."""
    proving = Proving(error=StoreUnavailable("no answer"))
    uploads = await enqueue(tenant, 5)
    async with running(runner(feed, proving)):
        for _ in range(10):
            while await tenant.ask(UNTOLD):  # noqa: ASYNC110 - the ledger sets no event
                await asyncio.sleep(0.01)
            await tenant.ask("UPDATE jobs SET run_at = now(), last_error = NULL")
        proving.error = None
        while await listed(tenant):
            await tenant.ask("UPDATE jobs SET run_at = now() WHERE run_at > now()")
            await asyncio.sleep(0.01)
    done = {upload for _, group in proving.groups for upload in group}
    assert done == set(uploads)


async def test_what_fails_while_the_store_answers_is_tried_and_counted(tenant, feed):
    """One object that can't be read is not the store being away: its job uses up attempts."""
    proving = Proving(error=StoreUnavailable("no answer"), store_is_there=True)
    await enqueue(tenant, 1)
    async with running(runner(feed, proving)):
        while await tenant.ask(UNTOLD):  # noqa: ASYNC110 - the ledger sets no event
            await asyncio.sleep(0.01)
    [job] = await listed(tenant)
    assert job.attempt >= 1


async def test_the_few_of_a_claim_go_before_the_many(tenant, stranger, feed):
    """Of what was claimed together, an organization with one job doesn't wait for one with nine."""
    proving = Proving()
    await enqueue(tenant, 9)
    await enqueue(stranger, 1)
    worker = runner(feed, proving)
    claimed: list = []
    while some := await feed.claim(worker=worker.worker, limit=10, lease=timedelta(minutes=1)):
        claimed += some
    await worker._do(claimed)
    assert [len(uploads) for _, uploads in proving.groups] == [1, 9]


async def test_a_worker_stops_although_it_waits_for_jobs(
    database,
    queues,
    monkeypatch,
):
    """A long poll under way is broken off."""
    known_to(queues, monkeypatch)
    async with on_sqs(database, await made(queues), in_flight=10) as yard:
        assert yard.queue is not None
        patient = SqsFeed(
            yard.queue,
            PostgresLeases(yard.pool),
            strangers=strangers(yard.diary),
            wait=timedelta(seconds=20),
        )
        stop = asyncio.Event()
        working = asyncio.create_task(runner(patient, Proving()).run(stop))
        done, _ = await asyncio.wait({working}, timeout=0.2)
        assert not done
        stop.set()
        async with asyncio.timeout(SOON):
            await working


async def test_jobs_of_another_release_are_left_to_its_workers(tenant, feed):
    """A kind that this worker doesn't know neither ends it nor holds up what it knows."""
    proving = Proving()
    await enqueue(tenant, 30)
    await tenant.ask(
        "UPDATE jobs SET kind = 'hologram' WHERE id IN (SELECT id FROM jobs ORDER BY id LIMIT 20)"
    )
    async with running(runner(feed, proving)):
        while len(await listed(tenant)) > 20:  # noqa: ASYNC110 - the ledger sets no event
            await asyncio.sleep(0.01)
    assert {(job.kind, job.state, job.attempt) for job in await listed(tenant)} == {
        ("hologram", JobState.WAITING, 0)
    }
    assert sum(len(group) for _, group in proving.groups) == 10

"""What relay, queue and ledger promise together: nothing is lost, and repeating is harmless."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from laydown.domain.errors import LedgerUnavailable, QueueUnavailable
from laydown.domain.jobs import MOST_ATTEMPTS, JobState, ProveUpload, is_last
from laydown.domain.upload import UploadId
from laydown.observe import LogEvent
from laydown.ports import Announced
from laydown.postgres.feed import PostgresFeed
from laydown.postgres.leases import PostgresLeases
from laydown.queues.client import Letter, QueueMissing, QueueUnusable, connected, open_queue
from laydown.queues.feed import SqsFeed
from laydown.queues.messages import announced_of, letter_of
from laydown.queues.strangers import ENOUGH
from laydown.queues.upkeep import MOST_DELIVERIES, make_queue, redrive, set_aside
from laydown.services.identifiers import new_id
from laydown.telemetry.metrics import Metrics
from laydown.worker.relay import Relay
from tests.engines.queue import running_queues
from tests.ledger_support import FIRST_PAGE, Tenant
from tests.queue_support import AT_ONCE, Diary, address_of, known_to, made, on_sqs, strangers

LONG, PAST = timedelta(minutes=1), timedelta(seconds=-1)
UNSENT = "SELECT id FROM jobs WHERE sent_at IS NULL"
PATIENCE = 20.0  # seconds; what is awaited takes milliseconds on a quiet machine


@pytest.fixture
async def address(queues, monkeypatch):
    known_to(queues, monkeypatch)
    return await made(queues)


@pytest.fixture
async def yard(database, address):
    async with on_sqs(database, address, in_flight=50) as yard:
        yield yard


@pytest.fixture
def bare(yard):
    """The feed without a relay that goes round before every claim."""
    return SqsFeed(
        yard.queue, PostgresLeases(yard.pool), strangers=strangers(yard.diary), wait=AT_ONCE
    )


async def enqueue(tenant: Tenant, count: int) -> None:
    async with tenant.begin() as tx:
        await tx.enqueue([ProveUpload(UploadId(new_id())) for _ in range(count)])


async def listed(tenant: Tenant, state: JobState | None = None):
    async with tenant.begin() as tx:
        return await tx.jobs(FIRST_PAGE, state=state)


async def waiting(queue) -> list:
    """Return every message that is there to be taken, and leave it there."""
    found: list = []
    while some := await queue.receive(10, wait=AT_ONCE, hidden_for=timedelta(seconds=30)):
        found += some
    await queue.hide([message.receipt for message in found], hidden_for=AT_ONCE)
    return found


async def test_each_job_is_announced_once(tenant, yard):
    """A second round finds nothing left to say; what was said names job and organization."""
    await enqueue(tenant, 25)
    assert await yard.relay.round() == 25
    assert await yard.relay.round() == 0
    messages = await waiting(yard.queue)
    named = {announced_of(message.body) for message in messages}
    ids = {job.id for job in await listed(tenant)}
    assert named == {Announced(id=each, organization=tenant.organization) for each in ids}
    assert len(messages) == 25
    assert {message.group for message in messages} == {str(tenant.organization)}


async def test_a_message_says_which_trace_its_job_is_in(tenant, yard, address):
    """That of the batch whose file it is about; a queue shows it without looking into bodies."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await tenant.ask("UPDATE batches SET trace = %s RETURNING id", trace)
    (upload,) = await tenant.declared(1)
    async with tenant.begin() as tx:
        await tx.enqueue([ProveUpload(upload.id)])
    await yard.relay.round()
    asked = {"QueueUrl": yard.queue.url, "MessageAttributeNames": ["traceparent"]}
    async with connected(address) as client:
        (message,) = (await client.receive_message(**asked))["Messages"]
    assert message["MessageAttributes"]["traceparent"]["StringValue"] == trace


async def test_no_more_is_announced_than_the_cap(tenant, yard):
    """The queue never holds a backlog, so the order in the ledger decides until late."""
    await enqueue(tenant, 80)
    assert await yard.relay.round() == 50
    assert await yard.relay.round() == 0
    worker = uuid4()
    held = await yard.feed.claim(worker=worker, limit=10, lease=LONG)
    assert await yard.relay.round() == 0
    await yard.feed.finish(held, worker=worker)
    assert await yard.relay.round() == len(held)


async def test_a_job_announced_twice_is_done_once(tenant, yard):
    """A relay that died before it took note says everything again; the copies vanish."""
    await enqueue(tenant, 12)
    await yard.relay.round()
    await tenant.ask("UPDATE jobs SET sent_at = NULL")
    await yard.relay.round()
    assert len(await waiting(yard.queue)) == 24
    worker, done = uuid4(), []
    while claimed := await yard.feed.claim(worker=worker, limit=10, lease=LONG):
        done += [job.id for job in claimed]
        await yard.feed.finish(claimed, worker=worker)
    assert len(done) == len(set(done)) == 12
    assert await waiting(yard.queue) == []


async def test_a_copy_of_a_job_in_hand_is_dropped(tenant, yard, bare):
    """While one works on it nobody else gets it, and the copy does not come back."""
    await enqueue(tenant, 1)
    await yard.relay.round()
    [message] = await waiting(yard.queue)
    await yard.queue.send([Letter(body=message.body, group=message.group)])
    claimed = await claimed_at_once(bare)
    assert len(claimed) == 1
    assert await claimed_at_once(bare) == []
    assert await waiting(yard.queue) == []


async def claimed_at_once(feed, *, limit: int = 1, lease: timedelta = LONG):
    return await feed.claim(worker=uuid4(), limit=limit, lease=lease)


async def test_a_message_hours_late_is_harmless(tenant, yard, bare):
    """Of a job that is done, dead or not due there is nothing to claim; the message goes."""
    await enqueue(tenant, 3)
    late = [
        letter_of(Announced(id=job.id, organization=tenant.organization))
        for job in await listed(tenant)
    ]
    done, dead, put_off = [job.id for job in await listed(tenant)]
    await tenant.ask("DELETE FROM jobs WHERE id = %s", done)
    await tenant.ask("UPDATE jobs SET dead_at = now() WHERE id = %s", dead)
    await tenant.ask("UPDATE jobs SET run_at = now() + interval '1 h' WHERE id = %s", put_off)
    await yard.queue.send(late)
    assert await claimed_at_once(bare, limit=10) == []
    assert await waiting(yard.queue) == []


async def test_a_message_that_was_lost_is_said_again(tenant, yard):
    """Announced long ago and nobody came: it is announced once more."""
    await enqueue(tenant, 3)
    await yard.relay.round()
    await yard.queue.delete([message.receipt for message in await waiting(yard.queue)])
    assert await yard.relay.round() == 0
    await tenant.ask("UPDATE jobs SET sent_at = now() - interval '16 min'")
    assert await yard.relay.round() == 3


async def test_the_job_of_a_dead_worker_is_said_again_at_once(tenant, yard, bare):
    """Its lease has run out: nobody waits for the queue to find out."""
    await enqueue(tenant, 1)
    await yard.relay.round()
    [first] = await claimed_at_once(bare, lease=timedelta(0))
    assert await yard.relay.round() == 1
    [second] = await claimed_at_once(bare)
    assert (second.id, second.attempt) == (first.id, 2)


async def test_what_fails_before_the_relay_takes_note_is_said_again(tenant, yard, bare):
    """A worker may be done with a job before the relay has noted that it sent it."""
    await enqueue(tenant, 1)
    [due] = await yard.outbox.unsent(limit=10)
    await yard.queue.send([letter_of(due)])
    worker = uuid4()
    [job] = await bare.claim(worker=worker, limit=1, lease=LONG)
    await bare.fail(job, worker=worker, error="quick", retry_in=timedelta(0))
    await yard.outbox.mark_sent([due])
    assert await yard.relay.round() == 1


async def test_a_failed_job_is_announced_when_it_is_due(tenant, yard):
    """Not before its delay is over, and then as a new message."""
    worker = uuid4()
    await enqueue(tenant, 1)
    [job] = await yard.feed.claim(worker=worker, limit=1, lease=LONG)
    await yard.feed.fail(job, worker=worker, error="broken", retry_in=LONG)
    assert await waiting(yard.queue) == []
    assert await yard.relay.round() == 0
    await tenant.ask("UPDATE jobs SET run_at = now()")
    assert await yard.relay.round() == 1


async def test_poison_ends_dead_and_can_be_replayed(tenant, yard):
    """After its last attempt nothing announces it; replayed, everything begins anew."""
    worker = uuid4()
    await enqueue(tenant, 1)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        [job] = await yard.feed.claim(worker=worker, limit=1, lease=LONG)
        assert job.attempt == attempt
        retry_in = None if is_last(attempt) else timedelta(0)
        await yard.feed.fail(job, worker=worker, error="poison", retry_in=retry_in)
    assert await yard.relay.round() == 0
    assert await waiting(yard.queue) == []
    [listing] = await listed(tenant, JobState.DEAD)
    async with tenant.begin() as tx:
        await tx.revive_job(listing.id)
    [again] = await yard.feed.claim(worker=worker, limit=1, lease=LONG)
    assert (again.id, again.attempt) == (job.id, 1)


async def test_what_no_worker_survives_receiving_is_set_aside_and_comes_back(tenant, yard, address):
    """The queue stops delivering it; `redrive` sends it again, and the job is still there."""
    await enqueue(tenant, 2)
    await yard.relay.round()
    for _ in range(MOST_DELIVERIES):
        got = await yard.queue.receive(10, wait=AT_ONCE, hidden_for=timedelta(seconds=30))
        await yard.queue.hide([message.receipt for message in got], hidden_for=AT_ONCE)
    assert await yard.queue.receive(10, wait=AT_ONCE, hidden_for=LONG) == []
    assert await set_aside(address) == 2
    assert await redrive(address) == 2
    assert await set_aside(address) == 0
    assert len(await yard.feed.claim(worker=uuid4(), limit=10, lease=LONG)) == 2


async def test_messages_that_are_not_ours_are_said_and_then_dropped(yard):
    """They are logged and counted each time, never claimed, and gone after a few deliveries."""
    metrics, diary = Metrics(), Diary()
    feed = SqsFeed(
        yard.queue,
        PostgresLeases(yard.pool),
        strangers=strangers(diary, metrics),
        wait=AT_ONCE,
    )
    bodies = ["hello", "[" * 50_000, json.dumps({"job": "7", "organization": "x"}), "{}"]
    await yard.queue.send([Letter(body=body, group="nobody") for body in bodies])
    for _ in range(ENOUGH):
        assert await feed.claim(worker=uuid4(), limit=10, lease=timedelta(0)) == []
    assert await waiting(yard.queue) == []
    assert diary.events == [LogEvent.STRANGE_MESSAGE] * len(bodies) * ENOUGH
    counted = metrics.rendered()[0].decode()
    assert f'laydown_strange_messages_total{{queue="jobs"}} {len(bodies) * ENOUGH}.0' in counted


async def test_nothing_is_taken_from_the_queue_while_the_ledger_is_away(tenant, yard):
    """Or it would be set aside, delivered too often to no avail."""

    class Away(PostgresLeases):
        async def check(self) -> None:
            raise LedgerUnavailable("away")

    await enqueue(tenant, 1)
    await yard.relay.round()
    feed = SqsFeed(yard.queue, Away(yard.pool), strangers=strangers(yard.diary), wait=AT_ONCE)
    with pytest.raises(LedgerUnavailable):
        await feed.claim(worker=uuid4(), limit=1, lease=LONG)
    [message] = await waiting(yard.queue)
    assert message.receives == 1


async def test_both_feeds_may_serve_one_ledger(tenant, yard):
    """A job claimed in the one is not to be had in the other: leases are the ledger's."""
    await enqueue(tenant, 4)
    await yard.relay.round()
    direct = PostgresFeed(yard.pool, in_flight=50)
    assert len(await direct.claim(worker=uuid4(), limit=4, lease=LONG)) == 4
    assert await yard.feed.claim(worker=uuid4(), limit=10, lease=LONG) == []


@pytest.mark.distributed
async def test_a_queue_that_is_away_costs_nothing_but_time(tenant, database, monkeypatch):
    """The relay says so, tries again, and announces everything once the queue is back."""
    with running_queues() as engine:
        known_to(engine, monkeypatch)
        address = address_of(engine)
        await make_queue(address)
        async with on_sqs(database, address, in_flight=50) as yard:
            await enqueue(tenant, 15)
            engine.kill()
            with pytest.raises(QueueUnavailable):
                await yard.relay.round()
            stop = asyncio.Event()
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
                tasks.create_task(yard.relay.run(stop))
                while LogEvent.QUEUE_AWAY not in yard.diary.events:  # noqa: ASYNC110 - a list
                    await asyncio.sleep(0.01)
                await engine.start_again()
                await make_queue(address)
                while await tenant.ask(UNSENT):  # noqa: ASYNC110 - the ledger sets no event
                    await asyncio.sleep(0.01)
                stop.set()
            named = {announced_of(message.body).id for message in await waiting(yard.queue)}
            assert named == {job.id for job in await listed(tenant)}


async def test_the_relay_announces_until_it_is_stopped(tenant, yard):
    """What comes while it runs is announced, and counted; told to stop, it ends."""
    metrics, stop = Metrics(), asyncio.Event()
    relay = Relay(
        outbox=yard.outbox, sender=yard.relay.sender, numbers=metrics, words=yard.diary, batch=7
    )
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run(stop))
        await enqueue(tenant, 20)
        while await tenant.ask(UNSENT):  # noqa: ASYNC110 - the ledger sets no event
            await asyncio.sleep(0.01)
        stop.set()
    assert len(await waiting(yard.queue)) == 20
    assert "laydown_announced_jobs_total 20.0" in metrics.rendered()[0].decode()


async def test_what_is_wrong_with_a_queue_is_said(queues, monkeypatch):
    """A queue that isn't there, and a service that isn't, are different sentences."""
    known_to(queues, monkeypatch)
    with pytest.raises(QueueMissing, match="there is no queue sqs://nowhere"):
        async with open_queue(address_of(queues, "nowhere")):
            pass
    astray = replace(address_of(queues, "nowhere"), endpoint="http://127.0.0.1:1")
    with pytest.raises(QueueUnusable, match="does not answer"):
        async with open_queue(astray):
            pass


async def test_making_a_queue_twice_changes_nothing(queues, monkeypatch):
    """The second time it says that it was there."""
    known_to(queues, monkeypatch)
    address = address_of(queues)
    assert await make_queue(address)
    assert not await make_queue(address)
    assert await set_aside(address) == 0

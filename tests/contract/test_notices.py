"""What the store tells us through a queue is heard, as often as it takes, by whoever listens."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from laydown.domain.errors import LedgerUnavailable
from laydown.domain.scanning import Verdict
from laydown.domain.upload import OrganizationId, UploadId, object_key, parse_key
from laydown.observe import LogEvent
from laydown.ports import Arrival, Judgement
from laydown.queues.client import Letter, open_queue
from laydown.queues.notices import SqsNotices
from laydown.queues.shapes import Home
from laydown.queues.strangers import ENOUGH
from laydown.services.identifiers import new_id
from laydown.telemetry.metrics import Metrics
from laydown.worker.listener import Listener
from tests.queue_support import AT_ONCE, Diary, known_to, made, strangers

BUCKET = "arrivals"
PATIENCE = 20.0  # seconds; what is awaited takes milliseconds on a quiet machine
SOON = 10.0  # seconds in which a stop is obeyed, far less than a long poll takes
ORGANIZATION = OrganizationId(UUID(int=1))


@dataclass
class Ear:
    """Hears what it is told, after failing as often as it has errors."""

    arrivals: list[Arrival] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    deaf_to: frozenset[str] = frozenset()

    async def arrived(self, arrivals: Sequence[Arrival]) -> None:
        if self.errors:
            raise self.errors.pop()
        if any(each.name.key in self.deaf_to for each in arrivals):
            raise RuntimeError("nobody foresaw this one")
        self.arrivals += arrivals

    async def judged(self, judgements: Sequence[Judgement]) -> None:
        self.judgements += judgements

    @property
    def keys(self) -> list[str]:
        return [each.name.key for each in self.arrivals]


@pytest.fixture
def keys() -> list[str]:
    return [object_key(ORGANIZATION, UploadId(new_id()), 1) for _ in range(5)]


@pytest.fixture
async def queue(queues, monkeypatch):
    known_to(queues, monkeypatch)
    async with open_queue(await made(queues)) as queue:
        yield queue


def listening_to(queue, ear, *, diary=None, **given):
    """Return a listener of one who hears."""
    diary, metrics = diary or Diary(), Metrics()
    notices = SqsNotices(
        queue,
        home=Home(BUCKET),
        strangers=strangers(diary, metrics, "notices"),
        **({"wait": AT_ONCE} | given),
    )
    return Listener(notices=notices, hearer=ear, numbers=metrics, words=diary)


@asynccontextmanager
async def running(listener):
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.run(stop))
        yield
        stop.set()


def created(key: str, *, bucket: str = BUCKET) -> Letter:
    """Return what S3 says of a new object."""
    thing = {"bucket": {"name": bucket}, "object": {"key": key, "size": 3}}
    body = {"Records": [{"eventName": "ObjectCreated:Put", "s3": thing}]}
    return Letter(body=json.dumps(body), group="s3")


async def gone(queue) -> None:
    """Wait until a queue has nothing left to deliver, now or later."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    while True:
        answer = await queue._client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)
        if not any(int(answer["Attributes"][name]) for name in names):
            return
        await asyncio.sleep(0.01)


def sent_by_a_store(engine, queue_url: str, work) -> None:
    """Have an S3 notify this queue, and do *work* with it."""
    with engine.client("sqs") as sqs:
        asked = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    with engine.client("s3", s3={"addressing_style": "path"}) as s3:
        bucket = f"bucket-{uuid4()}"
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {"QueueArn": asked["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
                ]
            },
        )
        work(s3, bucket)


async def test_what_an_emulated_store_says_is_understood(queues, queue, keys):
    """Single objects and multiparts, its test event and its encoded keys: each object arrives."""
    buckets = []

    def deliver(s3, bucket):
        buckets.append(bucket)
        s3.put_object(Bucket=bucket, Key=keys[0], Body=b"abc")
        s3.put_object(Bucket=bucket, Key="somebody's.txt", Body=b"abc")
        begun = s3.create_multipart_upload(Bucket=bucket, Key=keys[1])
        where = {"Bucket": bucket, "Key": keys[1], "UploadId": begun["UploadId"]}
        part = s3.upload_part(**where, PartNumber=1, Body=b"abcd")
        s3.complete_multipart_upload(
            **where, MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
        )

    await asyncio.to_thread(sent_by_a_store, queues, queue.url, deliver)
    feed = SqsNotices(queue, home=Home(buckets[0]), strangers=strangers(Diary()), wait=AT_ONCE)
    facts = []
    while notices := await feed.receive():
        facts += [fact for notice in notices for fact in notice.facts]
        await feed.settle(notices)
    assert {fact.name.key: fact.size for fact in facts} == {keys[0]: 3, keys[1]: 4}


async def test_what_was_heard_is_not_heard_again(queue, keys):
    """Arrivals and judgements are passed on, and their messages are gone."""
    ear = Ear()
    scanned = {
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Malware Protection Object Scan Result",
        "detail": {
            "s3ObjectDetails": {"bucketName": BUCKET, "objectKey": keys[0], "versionId": "v"},
            "scanResultDetails": {"scanResultStatus": "NO_THREATS_FOUND"},
        },
    }
    await queue.send([*map(created, keys), Letter(body=json.dumps(scanned), group="s3")])
    listener = listening_to(queue, ear)
    async with running(listener):
        await gone(queue)
    assert sorted(ear.keys) == sorted(keys)
    [judgement] = ear.judgements
    assert (judgement.name, judgement.scan.verdict) == (parse_key(keys[0]), Verdict.CLEAN)
    counted = listener.numbers.rendered()[0].decode()
    assert 'laydown_notices_total{kind="arrival"} 5.0' in counted
    assert 'laydown_notices_total{kind="judgement"} 1.0' in counted


async def test_news_of_no_interest_is_dropped_in_silence(queue, keys):
    """Another bucket's and nobody's keys are neither passed on nor logged."""
    ear, diary = Ear(), Diary()
    await queue.send([created(keys[0], bucket="other"), created("somebody's.txt")])
    async with running(listening_to(queue, ear, diary=diary)):
        await gone(queue)
    assert (ear.keys, diary.events) == ([], [])


async def test_messages_of_strangers_are_dropped_when_they_keep_coming(queue):
    """They are logged each time, and never passed on."""
    diary = Diary()
    await queue.send([Letter(body="hello", group="nobody")])
    feed = SqsNotices(
        queue, home=Home(BUCKET), strangers=strangers(diary), wait=AT_ONCE, hidden_for=AT_ONCE
    )
    for _ in range(ENOUGH):
        assert await feed.receive() == []
    await gone(queue)
    assert diary.events == [LogEvent.STRANGE_MESSAGE] * ENOUGH


async def test_while_the_ledger_is_away_news_waits(queue, keys):
    """It is not settled, and heard when the queue delivers it again."""
    ear, diary = Ear(errors=[LedgerUnavailable("away")]), Diary()
    await queue.send([created(keys[0])])
    async with running(listening_to(queue, ear, diary=diary, hidden_for=AT_ONCE)):
        await gone(queue)
    assert diary.events == [LogEvent.LEDGER_AWAY]
    assert ear.keys == [keys[0]]


async def test_one_notice_that_nobody_can_deal_with_holds_up_no_other(queue, keys):
    """The others are passed on and settled; this one is logged and left to the queue."""
    ear, diary = Ear(deaf_to=frozenset({keys[2]})), Diary()
    await queue.send(list(map(created, keys)))
    async with running(listening_to(queue, ear, diary=diary)):
        while len(ear.keys) < 4 or not diary.events:  # noqa: ASYNC110 - lists
            await asyncio.sleep(0.01)
    assert sorted(ear.keys) == sorted(set(keys) - {keys[2]})
    assert set(diary.events) == {LogEvent.NOTICE_FAILED}


async def test_a_listener_stops_although_it_waits_for_news(queue):
    """A long poll under way is broken off."""
    listener, stop = listening_to(queue, Ear(), wait=timedelta(seconds=20)), asyncio.Event()
    listening = asyncio.create_task(listener.run(stop))
    done, _ = await asyncio.wait({listening}, timeout=0.2)
    assert not done
    stop.set()
    async with asyncio.timeout(SOON):
        await listening

"""`python -m bench.jobs`: how fast jobs are handed out, on Postgres alone and through a queue.

It starts an embedded Postgres with its files on disk and, when moto is installed, an SQS; takes
less than a minute; and prints a table. Jobs do nothing, so this is the price of the feed alone.
"""

import asyncio
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID, uuid4

from laydown.bootstrap.database import Database, migrated, open_database
from laydown.domain.jobs import ProveUpload
from laydown.domain.upload import OrganizationId, UploadId
from laydown.embedded.postgres import EmbeddedPostgres
from laydown.ports import JobFeed
from laydown.postgres.feed import PostgresFeed
from laydown.postgres.leases import PostgresLeases
from laydown.postgres.outbox import PostgresOutbox
from laydown.postgres.pool import Pool, open_pool
from laydown.queues.address import QueueAddress, parse_address
from laydown.queues.client import open_queue
from laydown.queues.feed import SqsFeed
from laydown.queues.sender import SqsSender
from laydown.queues.strangers import Strangers
from laydown.queues.upkeep import make_queue
from laydown.services.identifiers import new_id
from laydown.settings import Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from laydown.worker.handlers import UseCases
from laydown.worker.relay import Relay
from laydown.worker.runner import Runner
from tests.engines.process import EngineMissingError
from tests.engines.queue import Queues, running_queues

_LEASE = timedelta(minutes=1)
_IN_FLIGHT = 256  # as the settings have it
_GROUP, _SLOTS = 128, 2  # as the settings have it
_LOTS, _MANY, _FEW = 100_000, 20_000, 5
_THROUGH_SQS, _OUT_ON_SQS = 600, 64  # at every receive moto goes through all that is out
_A_FILE = 0.001  # seconds that proving a small file takes


@dataclass(kw_only=True)
class Ledger:
    """A database that one measurement has to itself."""

    database: Database
    pool: Pool
    organizations: list[OrganizationId] = field(default_factory=list)

    async def organization(self) -> OrganizationId:
        """Return a new organization."""
        name = f"bench-{uuid4()}"
        organization = await self.database.system.issue(
            organization=name, name="bench", token=uuid4(), secret_sha256=bytes(32)
        )
        self.organizations.append(organization)
        return organization

    async def enqueue(self, organization: OrganizationId, count: int) -> float:
        """Add jobs, 5,000 a transaction; return the seconds that took."""
        began = time.perf_counter()
        for start in range(0, count, 5_000):
            jobs = [ProveUpload(UploadId(new_id())) for _ in range(min(5_000, count - start))]
            async with self.database.ledger.begin(organization) as tx:
                await tx.enqueue(jobs)
        return time.perf_counter() - began

    def feed(self) -> PostgresFeed:
        """Return a feed as a worker of its own would have."""
        return PostgresFeed(self.pool, in_flight=_IN_FLIGHT)

    async def clear(self) -> None:
        """Do every job that is left."""
        feed, worker = self.feed(), uuid4()
        while claimed := await feed.claim(worker=worker, limit=1_000, lease=_LEASE):
            await feed.finish(claimed, worker=worker)


@dataclass
class Nothing:
    """Proves files by waiting as long as it would take; notes when each upload's turn came."""

    seconds_a_file: float = 0.0
    begun: dict[OrganizationId, list[float]] = field(default_factory=dict)

    async def prove(self, organization: OrganizationId, uploads: Sequence[UploadId]) -> None:
        """Take note, and time."""
        self.begun.setdefault(organization, []).extend([time.perf_counter()] * len(uploads))
        if self.seconds_a_file:
            await asyncio.sleep(self.seconds_a_file * len(uploads))


@dataclass(frozen=True)
class Doing:
    """The use cases of these measurements."""

    proving: Nothing
    rescanning: Any = None


def runner(feed: JobFeed, proving: Nothing) -> Runner:
    """Return a worker's loop as the settings have it."""
    return Runner(
        feed=feed,
        use_cases=cast("UseCases", Doing(proving)),
        worker=uuid4(),
        numbers=Metrics(),
        words=Log(level="error", process="bench"),
        slots=_SLOTS,
        group=_GROUP,
        lease=_LEASE,
    )


async def drain(feeds: Sequence[JobFeed], count: int) -> float:
    """Do so many jobs, every feed in as many slots as a worker has; return jobs a second."""
    left = count

    async def slot(feed: JobFeed, worker: UUID) -> None:
        nonlocal left
        while left > 0:
            claimed = await feed.claim(worker=worker, limit=_GROUP, lease=_LEASE)
            await feed.finish(claimed, worker=worker)
            left -= len(claimed)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as slots:
        for feed in feeds:
            worker = uuid4()
            for _ in range(_SLOTS):
                slots.create_task(slot(feed, worker))
    return count / (time.perf_counter() - began)


async def claims(ledger: Ledger) -> float:
    """Return the milliseconds of a claim of ten: the best of five medians, as machines are busy.

    What was claimed is done, and as much put behind the rest.
    """
    feed, worker, medians = ledger.feed(), uuid4(), []
    for _ in range(5):
        taken = []
        for _ in range(15):
            began = time.perf_counter()
            claimed = await feed.claim(worker=worker, limit=10, lease=_LEASE)
            taken.append(time.perf_counter() - began)
            await feed.finish(claimed, worker=worker)
            await ledger.enqueue(claimed[0].organization, len(claimed))
        medians.append(statistics.median(taken))
    return min(medians) * 1_000


async def beside(ledger: Ledger, *, flood: int, times: int = 12) -> float:
    """Return the median milliseconds until a worker has begun an organization's five jobs.

    A worker runs as it does in production, on jobs that take a millisecond each; beside the five,
    *flood* jobs of another organization wait or are under way all the time.
    """
    proving, luck = Nothing(seconds_a_file=_A_FILE), random.Random(1)
    small, large = await ledger.organization(), await ledger.organization()
    stop, waits = asyncio.Event(), []
    await ledger.enqueue(large, flood)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner(ledger.feed(), proving).run(stop))
        for _ in range(times):
            await asyncio.sleep(luck.uniform(0.3, 0.7))  # out of step with the worker's looks
            done = len(proving.begun.get(small, ()))
            await ledger.enqueue(small, _FEW)
            began = time.perf_counter()
            while len(proving.begun.get(small, ())) < done + _FEW:  # noqa: ASYNC110 - a list
                await asyncio.sleep(0.001)
            waits.append(proving.begun[small][-1] - began)
        stop.set()
    return statistics.median(waits) * 1_000


async def through_sqs(ledger: Ledger, engine: Queues) -> float:
    """Return jobs a second through relay and queue, announced and done at the same time."""
    address = _address(engine)
    await make_queue(address)
    metrics, log = Metrics(), Log(level="error", process="bench")
    async with open_queue(address) as queue:
        outbox = PostgresOutbox(ledger.pool, in_flight=_OUT_ON_SQS, patience=timedelta(minutes=15))
        relay = Relay(outbox=outbox, sender=SqsSender(queue), numbers=metrics, words=log)
        feed = SqsFeed(
            queue,
            PostgresLeases(ledger.pool),
            strangers=Strangers("jobs", numbers=metrics, words=log),
            wait=timedelta(seconds=1),
        )
        await ledger.enqueue(await ledger.organization(), _THROUGH_SQS)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.run(stop))
            rate = await drain([feed], _THROUGH_SQS)
            stop.set()
    return rate


def _address(engine: Queues) -> QueueAddress:
    os.environ |= {
        "AWS_ACCESS_KEY_ID": engine.access_key,
        "AWS_SECRET_ACCESS_KEY": engine.secret_key,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    endpoint = quote(engine.endpoint, safe="")
    return parse_address(f"sqs://bench-jobs?endpoint={endpoint}&region={engine.region}")


@asynccontextmanager
async def fresh_ledger() -> AsyncIterator[Ledger]:
    """Run a Postgres with an empty ledger, its files on disk as `laydown up` has them."""
    folder = Path(tempfile.mkdtemp(prefix="ldn-bench-"))
    server = EmbeddedPostgres(folder)
    try:
        address = (await server.start()).dsn("postgres")
        settings = Settings(data=folder, database=address, scanner="none")
        await migrated(settings)
        async with (
            open_database(settings) as database,
            open_pool(address, "laydown_system", size=8) as pool,
        ):
            yield Ledger(database=database, pool=pool)
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def say(what: str, value: str, *, wanted: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<64}{value:>16}   {wanted}", flush=True)


async def measure() -> None:
    """Measure and print everything, what leaves most behind last."""
    async with fresh_ledger() as ledger:
        seconds = await ledger.enqueue(await ledger.organization(), _MANY)
        say("5,000 jobs enqueued in one transaction", f"{seconds / 4 * 1_000:,.0f} ms")
        rate = await drain([ledger.feed(), ledger.feed()], _MANY)
        say("no-op jobs, Postgres feed, two workers", f"{rate:,.0f} /s", wanted="at least 2,000 /s")
        await _measure_sqs(ledger)
        idle = await beside(ledger, flood=0)
        say("five jobs of an organization begun, idle worker", f"{idle:,.0f} ms")
        beside_many = await beside(ledger, flood=_MANY)
        ratio = f"{beside_many / idle:.2f}, at most 2"
        say(f"the same beside {_MANY:,} of another", f"{beside_many:,.0f} ms", wanted=ratio)
        await ledger.clear()
        await ledger.enqueue(await ledger.organization(), 100)
        few = await claims(ledger)
        say("a claim of ten with 100 waiting", f"{few:.1f} ms")
        await ledger.enqueue(ledger.organizations[-1], _LOTS)
        lots = await claims(ledger)
        ratio = f"{lots / few:.2f}, at most 2"
        say(f"the same with {_LOTS:,} waiting", f"{lots:.1f} ms", wanted=ratio)


async def _measure_sqs(ledger: Ledger) -> None:
    what = "no-op jobs, relay and SQS, one worker"
    try:
        with running_queues() as engine:
            rate = await through_sqs(ledger, engine)
    except EngineMissingError as missing:
        say(what, "-", wanted=str(missing))
    else:
        say(what, f"{rate:,.0f} /s", wanted="as much as moto gives")


if __name__ == "__main__":
    asyncio.run(measure())

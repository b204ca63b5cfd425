"""Queues that carry jobs and news to workers, as the settings name them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from laydown.bootstrap.database import Database
from laydown.bootstrap.feed import Feed
from laydown.objects.s3_address import parse_address as parse_store
from laydown.ports import JobFeed
from laydown.queues.address import parse_address
from laydown.queues.client import Queue, QueueMissing, QueueUnusable, open_queue
from laydown.queues.feed import SqsFeed
from laydown.queues.notices import SqsNotices
from laydown.queues.sender import SqsSender
from laydown.queues.shapes import Home
from laydown.queues.strangers import Strangers
from laydown.settings import PREFIX, BadSettings, Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from laydown.worker.listener import Hearer, Listener
from laydown.worker.relay import Relay


@asynccontextmanager
async def open_queues(
    settings: Settings, database: Database, metrics: Metrics, log: Log
) -> AsyncIterator[Feed]:
    """Open the queues the settings name; raises `BadSettings` for one that can't be used."""
    async with AsyncExitStack() as stack:
        jobs: JobFeed = database.feed
        relay: Relay | None = None
        listener: Callable[[Hearer], Listener] | None = None
        if settings.queue is not None:
            queue = await stack.enter_async_context(named_queue("QUEUE", settings.queue))
            strangers = Strangers("jobs", numbers=metrics, words=log)
            jobs = SqsFeed(queue, database.leases, strangers=strangers)
            sender = SqsSender(queue)
            relay = Relay(outbox=database.outbox, sender=sender, numbers=metrics, words=log)
        if settings.notices is not None:
            queue = await stack.enter_async_context(named_queue("NOTICES", settings.notices))
            notices = SqsNotices(
                queue,
                home=_home_of(settings),
                strangers=Strangers("notices", numbers=metrics, words=log),
            )
            listener = partial(_listener, notices, metrics, log)
        yield Feed(jobs=jobs, relay=relay, listener=listener)


def _listener(notices: SqsNotices, metrics: Metrics, log: Log, hearer: Hearer) -> Listener:
    return Listener(notices=notices, hearer=hearer, numbers=metrics, words=log)


@asynccontextmanager
async def named_queue(setting: str, text: str) -> AsyncIterator[Queue]:
    """Open the queue of a setting; raises `BadSettings`, which says how to make a missing one."""
    name = PREFIX + setting
    async with AsyncExitStack() as stack:
        try:
            queue = await stack.enter_async_context(open_queue(parse_address(text)))
        except QueueMissing as missing:
            raise BadSettings(f"{name}: {missing}; `laydown doctor --fix` makes it") from missing
        except (ValueError, QueueUnusable) as unusable:
            raise BadSettings(f"{name}: {unusable}") from unusable
        yield queue


def _home_of(settings: Settings) -> Home:
    """Return where the objects are whose notices are ours; raises `BadSettings` for nowhere."""
    if settings.store is None:
        raise BadSettings(f"{PREFIX}NOTICES is of no use: bytes are kept in the data directory")
    address = parse_store(settings.store)
    return Home(address.bucket, address.prefix)

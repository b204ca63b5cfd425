"""The worker, composed from settings."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from socket import socket

from laydown import observe
from laydown.bootstrap.database import Database, open_database
from laydown.bootstrap.feed import Feed
from laydown.bootstrap.measuring import follow_process, telling
from laydown.bootstrap.priority import give_way
from laydown.bootstrap.scanner import Scanning, scanning_of
from laydown.bootstrap.store import Storage, open_storage
from laydown.objects.memory import keep_freed_memory
from laydown.observe import LogEvent, Process
from laydown.ports import Office, Silence, Tracing
from laydown.services.arriving import Arriving
from laydown.services.identifiers import new_id
from laydown.services.proving import Proving
from laydown.services.rescanning import Rescanning
from laydown.services.sweeping import Sweeping
from laydown.settings import Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from laydown.telemetry.page import served
from laydown.worker.handlers import UseCases
from laydown.worker.runner import Runner
from laydown.worker.sampler import Sampling
from laydown.worker.sweeper import Sweeper

_SAMPLED_EVERY = timedelta(seconds=10)
_SLACK = timedelta(minutes=5)  # for a body that was still on its way when its URL ran out


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What workers are made of."""

    settings: Settings
    database: Database
    storage: Storage
    feed: Feed
    scanning: Scanning
    metrics: Metrics
    log: Log
    tracing: Tracing

    @property
    def use_cases(self) -> UseCases:
        """What jobs ask for."""
        ledger, store = self.database.ledger, self.storage.store
        return UseCases(
            proving=Proving(
                ledger=ledger,
                store=store,
                reader=store,
                patrol=self.database.system,
                policy=self.settings.policy,
                scanner=self.scanning.scanner,
                awaits_verdicts=self.scanning.awaits_verdicts,
            ),
            rescanning=Rescanning(ledger=ledger, store=store, scanner=self.scanning.scanner),
        )

    @property
    def arriving(self) -> Arriving:
        """What the store's notices ask for."""
        return Arriving(ledger=self.database.ledger)

    def sweeping(self, silence: Silence) -> Sweeping:
        """Return what the sweeper does, with this idea of silence."""
        return Sweeping(
            ledger=self.database.ledger,
            patrol=self.database.system,
            store=self.storage.store,
            silence=silence,
            direct=self.storage.direct,
            transients=(self.database.allowances, self.database.replies, self.database.sampler),
        )

    def runner(self) -> Runner:
        """Return a worker's loop."""
        runner = Runner(
            feed=self.feed.jobs,
            use_cases=self.use_cases,
            worker=new_id(),
            numbers=self.metrics,
            words=self.log,
            tracing=self.tracing,
            slots=self.settings.worker_slots,
            group=self.settings.worker_group,
            lease=self.settings.job_lease,
        )
        self.metrics.set(observe.WORKER_SLOTS, runner.slots)
        self.metrics.follow(observe.WORKER_BUSY, lambda: runner.busy)
        self.metrics.follow(observe.WORKER_JOBS, lambda: runner.held)
        return runner

    def sweeper(self) -> Sweeper:
        """Return the sweeper's loop."""
        silence = Silence(
            upload=self.settings.upload_silence,
            batch=self.settings.batch_silence,
            store=self.settings.url_life + _SLACK,
        )
        return Sweeper(
            sweeping=self.sweeping(silence),
            numbers=self.metrics,
            words=self.log,
            tidy_every=self.settings.sweep_every,
            reconcile_every=self.settings.reconcile_every,
        )

    def sampling(self) -> Sampling:
        """Return the sampler's loop."""
        return Sampling(
            sampler=self.database.sampler,
            numbers=self.metrics,
            words=self.log,
            every=_SAMPLED_EVERY,
        )

    async def keep_house(self, stop: asyncio.Event) -> None:
        """Do what one worker does for all, until *stop*."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sweeper().run(stop))
            tasks.create_task(self.sampling().run(stop))


@asynccontextmanager
async def _feed_of(
    settings: Settings, database: Database, metrics: Metrics, log: Log
) -> AsyncIterator[Feed]:
    """Open the queues of the settings; without any, the database alone tells of jobs."""
    if settings.queue is None and settings.notices is None:
        yield Feed(jobs=database.feed)
        return
    from laydown.bootstrap.queues import open_queues  # noqa: PLC0415 - only who has any loads them

    async with open_queues(settings, database, metrics, log) as feed:
        yield feed


@asynccontextmanager
async def workshop(settings: Settings, metrics: Metrics, log: Log) -> AsyncIterator[Workshop]:
    """Open everything a worker needs; raises `BadSettings` for what can't work."""
    scanning = scanning_of(settings)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        storage = await stack.enter_async_context(open_storage(settings, owner=False))
        feed = await stack.enter_async_context(_feed_of(settings, database, metrics, log))
        tracing = await stack.enter_async_context(telling(settings, metrics, Process.WORKER, log))
        follow_process(metrics, Process.WORKER, database)
        metrics.follow(observe.BYTES_LOST, lambda: database.system.lost)
        yield Workshop(
            settings=settings,
            database=database,
            storage=storage,
            feed=feed,
            scanning=scanning,
            metrics=metrics,
            log=log,
            tracing=tracing,
        )


async def worker(settings: Settings, stop: asyncio.Event, *, page: socket | None = None) -> None:
    """Do jobs, listen to the store, and stand for the offices that one worker holds.

    On *page* it serves its metrics, and says that it is alive.
    """
    give_way()
    keep_freed_memory()
    metrics, log = Metrics(Process.WORKER), Log(level=settings.log_level, process="worker")
    async with AsyncExitStack() as stack:
        if page is not None:
            pages = served(page, metrics=metrics.rendered, version=version("laydown"))
            await stack.enter_async_context(pages)
        shop = await stack.enter_async_context(workshop(settings, metrics, log))
        log.info(LogEvent.WORKER_STARTED, pid=os.getpid())
        election = shop.database.election
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shop.runner().run(stop))
            tasks.create_task(election.serve(Office.SWEEPER, shop.keep_house, stop=stop))
            if shop.feed.relay is not None:
                tasks.create_task(election.serve(Office.RELAY, shop.feed.relay.run, stop=stop))
            if shop.feed.listener is not None:
                tasks.create_task(shop.feed.listener(shop.arriving).run(stop))
        log.info(LogEvent.WORKER_STOPPED)

"""The worker, composed from settings."""

import asyncio
import os

from laydown.bootstrap.database import open_database
from laydown.bootstrap.priority import give_way
from laydown.bootstrap.store import open_store
from laydown.objects.memory import keep_freed_memory
from laydown.observe import LogEvent
from laydown.ports import Silence
from laydown.services.identifiers import new_id
from laydown.services.proving import Proving
from laydown.services.sweeping import Sweeping
from laydown.settings import Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from laydown.worker.runner import Runner
from laydown.worker.sweeper import Sweeper


async def worker(settings: Settings, stop: asyncio.Event) -> None:
    """Do jobs and sweep until *stop*."""
    give_way()
    keep_freed_memory()
    metrics, log = Metrics(), Log(level=settings.log_level, process="worker")
    async with open_database(settings) as database:
        store = open_store(settings, owner=False)
        proving = Proving(ledger=database.ledger, store=store, reader=store, policy=settings.policy)
        runner = Runner(
            feed=database.feed,
            proving=proving,
            worker=new_id(),
            numbers=metrics,
            words=log,
            slots=settings.worker_slots,
            group=settings.worker_group,
            lease=settings.job_lease,
        )
        sweeper = Sweeper(
            sweeping=Sweeping(
                ledger=database.ledger,
                patrol=database.system,
                store=store,
                silence=Silence(upload=settings.upload_silence, batch=settings.batch_silence),
            ),
            numbers=metrics,
            words=log,
            tidy_every=settings.sweep_every,
            reconcile_every=settings.reconcile_every,
        )
        log.info(LogEvent.WORKER_STARTED, pid=os.getpid())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(runner.run(stop))
            tasks.create_task(sweeper.run(stop))
        store.close()
        log.info(LogEvent.WORKER_STOPPED)

"""A whole laydown in this process: the API on a free port, and a worker that runs when told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from laydown.bootstrap.api import api
from laydown.bootstrap.database import Database, open_database
from laydown.bootstrap.store import open_store
from laydown.http.listening import listen
from laydown.http.serving import serve
from laydown.objects.disk import DiskStore
from laydown.ports import Silence
from laydown.services.identifiers import new_id
from laydown.services.identity import Identity
from laydown.services.proving import Proving
from laydown.services.sweeping import Sweeping
from laydown.settings import Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from laydown.worker.runner import Runner
from tests.ledger_support import ask

PATIENCE = 30.0  # seconds; what is awaited takes milliseconds on a quiet machine

_BUSY = "SELECT count(*) FROM jobs WHERE dead_at IS NULL AND run_at <= now()"


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An API that serves, and the parts of a worker."""

    settings: Settings
    url: str
    database: Database
    store: DiskStore
    proving: Proving
    metrics: Metrics

    async def token(self, organization: str) -> str:
        """Return a new token of an organization, made if absent."""
        return await Identity(keyring=self.database.system).issue(
            organization=organization, name="test"
        )

    async def ask(self, query: str, *given: object) -> list[tuple]:
        """Run a statement as the owner of the database; return its rows."""
        return await ask(self.settings.database or "", query, *given)

    async def run_until_quiet(self) -> None:
        """Run a worker until no job is due and none is under way."""
        stop = asyncio.Event()
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.runner().run(stop))
            while (await self.ask(_BUSY))[0][0]:  # noqa: ASYNC110 - the ledger sets no event
                await asyncio.sleep(0.02)
            stop.set()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run a worker while the block lasts."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.runner().run(stop))
            try:
                yield
            finally:
                stop.set()

    def runner(self) -> Runner:
        """Return a worker as the settings describe it."""
        return Runner(
            feed=self.database.feed,
            proving=self.proving,
            worker=new_id(),
            numbers=self.metrics,
            words=Log(level="error", process="worker"),
            slots=self.settings.worker_slots,
            group=self.settings.worker_group,
            lease=self.settings.job_lease,
        )

    def sweeping(self, *, silence: timedelta = timedelta(0)) -> Sweeping:
        """Return a sweeper that finds everything silent at once."""
        return Sweeping(
            ledger=self.database.ledger,
            patrol=self.database.system,
            store=self.store,
            silence=Silence(upload=silence, batch=silence),
        )


@asynccontextmanager
async def installed(settings: Settings) -> AsyncIterator[Installation]:
    """Serve with these settings while the block runs. Enter and leave it in one task."""
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with api(settings) as composed, open_database(settings) as database:
        store = open_store(settings, owner=False)
        serving = asyncio.create_task(
            serve(
                composed.app,
                listener,
                stopping=composed.stopping,
                drain=composed.drain,
                patience=2.0,
            )
        )
        try:
            yield Installation(
                settings=settings,
                url=url,
                database=database,
                store=store,
                proving=Proving(
                    ledger=database.ledger, store=store, reader=store, policy=settings.policy
                ),
                metrics=Metrics(),
            )
        finally:
            composed.stopping.set()
            await serving
            store.close()

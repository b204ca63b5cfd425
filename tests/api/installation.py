"""A whole laydown in this process: the API on a free port, and a worker that runs when told to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from laydown.bootstrap.api import api
from laydown.bootstrap.database import Database
from laydown.bootstrap.queues import named_queue
from laydown.bootstrap.store import Store
from laydown.bootstrap.worker import Workshop, workshop
from laydown.domain.upload import parse_key
from laydown.http import console
from laydown.http.listening import listen
from laydown.http.serving import serve
from laydown.ports import Silence
from laydown.queues.feed import SqsFeed
from laydown.queues.strangers import Strangers
from laydown.services.identity import Identity
from laydown.services.sweeping import Sweeping
from laydown.settings import Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from tests.ledger_support import ask

PATIENCE = 30.0  # seconds; what is awaited takes milliseconds on a quiet machine

_BUSY = "SELECT count(*) FROM jobs WHERE dead_at IS NULL AND run_at <= now()"


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An API that serves, and the parts of a worker."""

    settings: Settings
    url: str
    shop: Workshop

    @property
    def database(self) -> Database:
        """The ledger, through its two roles."""
        return self.shop.database

    @property
    def store(self) -> Store:
        """Where bytes live."""
        return self.shop.storage.store

    @property
    def metrics(self) -> Metrics:
        """The worker's numbers."""
        return self.shop.metrics

    @property
    def is_direct(self) -> bool:
        """Whether bytes go straight to the store, so that we must be told of them."""
        return self.shop.storage.direct is not None

    @property
    def granted(self) -> str:
        """The state of an upload that has a grant and of which nobody has said that it is sent."""
        return "receiving" if self.is_direct else "declared"

    @property
    def arrived(self) -> str:
        """The state of a file of one part that is sent, as far as we know, and not proven."""
        return "sealing" if self.is_direct else "checking"

    @property
    def way(self) -> Sequence[str]:
        """The states of a file of one part between declared and settled."""
        return ("receiving", "sealing", "checking") if self.is_direct else ("checking",)

    async def key(self, upload: str) -> str:
        """Return the key of the object that an upload's bytes went to."""
        [(key,)] = await self.ask("SELECT object_key FROM uploads WHERE id = %s", upload)
        return str(key)

    async def wanted(self) -> set[str]:
        """Return the keys of what the store holds, without what it will be rid of when it is old.

        A store that doesn't ask us takes also what is sent too late; nothing refers to that.
        """
        names = [parse_key(found.key) async for found in self.store.objects()]
        holdings = await self.database.system.holdings(names)
        return {each.key for each in holdings if each.is_wanted or not self.is_direct}

    async def token(self, organization: str) -> str:
        """Return a new token of an organization, made if absent."""
        return await Identity(keyring=self.database.keyring).issue(
            organization=organization, name="test"
        )

    async def ask(self, query: str, *given: object) -> list[tuple]:
        """Run a statement as the owner of the database; return its rows."""
        return await ask(self.settings.database or "", query, *given)

    async def run_until_quiet(self) -> None:
        """Run a worker until no job is due and none is under way."""
        stop = asyncio.Event()
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.work(stop))
            while (await self.ask(_BUSY))[0][0]:  # noqa: ASYNC110 - the ledger sets no event
                await asyncio.sleep(0.02)
            stop.set()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run a worker while the block lasts."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.work(stop))
            try:
                yield
            finally:
                stop.set()

    async def work(self, stop: asyncio.Event) -> None:
        """Run a worker, and the relay where there is a queue, until *stop*."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.shop.runner().run(stop))
            if self.shop.feed.relay is not None:
                tasks.create_task(self.shop.feed.relay.run(stop))

    def sweeping(self, *, silence: timedelta = timedelta(0)) -> Sweeping:
        """Return a sweeper that finds everything silent at once."""
        return self.shop.sweeping(Silence(upload=silence, batch=silence, store=silence))


@asynccontextmanager
async def installed(
    settings: Settings, *, built: Path = console.BUILT
) -> AsyncIterator[Installation]:
    """Serve with these settings while the block runs. Enter and leave it in one task."""
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    log = Log(level="error", process="worker")
    async with api(settings, built=built) as composed, _workshop(settings, log) as shop:
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
            yield Installation(settings=settings, url=url, shop=shop)
        finally:
            composed.stopping.set()
            await serving


@asynccontextmanager
async def _workshop(settings: Settings, log: Log) -> AsyncIterator[Workshop]:
    """Open a worker's parts, with a feed that doesn't wait for messages.

    A worker that is stopped while it waits may be sent a job that comes later, and nobody else
    gets that before the lease ends. Here workers come and go many times in a test.
    """
    async with workshop(settings, Metrics(), log) as shop:
        if settings.queue is None:
            yield shop
            return
        async with named_queue("QUEUE", settings.queue) as queue:
            strangers = Strangers("jobs", numbers=shop.metrics, words=log)
            jobs = SqsFeed(queue, shop.database.leases, strangers=strangers, wait=timedelta(0))
            yield replace(shop, feed=replace(shop.feed, jobs=jobs))

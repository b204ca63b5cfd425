"""The API, composed from settings."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from laydown import observe, wire
from laydown.bootstrap.database import Database, open_database
from laydown.bootstrap.store import open_store
from laydown.domain.errors import LaydownError
from laydown.http.app import Limits, Services, build
from laydown.http.bytes import ByteDoor
from laydown.http.bytes_keys import KeyRing
from laydown.http.bytes_pace import Patience
from laydown.http.bytes_urls import ByteUrls
from laydown.objects.disk import DiskStore, StoreBusy
from laydown.objects.intake import Intake, IntakeLimits
from laydown.objects.memory import keep_freed_memory
from laydown.observe import LogEvent
from laydown.services.completing import Completing
from laydown.services.declaring import Declaring
from laydown.services.documents import Documents
from laydown.services.identity import Identity
from laydown.services.operating import Operating
from laydown.services.projects import Projects
from laydown.services.receipts import Receipts
from laydown.services.sending import Sending
from laydown.services.tailing import Tail
from laydown.services.watching import Watching
from laydown.settings import BadSettings, Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics

_TO_LET_GO = 10.0  # seconds that another process may go on owning the store; an orphan ends sooner
_GLANCE = 0.1  # seconds between two looks whether it still does


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A composed API: the application, and how it stops."""

    app: ASGIApp
    stopping: asyncio.Event
    drain: Callable[[], Awaitable[object]]


@asynccontextmanager
async def api(settings: Settings) -> AsyncIterator[Api]:
    """Compose the API; while the block runs, bytes are committed and the event log is tailed."""
    keep_freed_memory()
    metrics, log = Metrics(), Log(level=settings.log_level, process="api")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        store = await _owned_store(settings)
        stack.callback(store.close)
        urls = ByteUrls(_keys(settings.data), life=settings.url_life)
        sending = Sending(ledger=database.ledger, signer=urls)
        intake = Intake(
            store,
            recorder=sending.record,
            landed=sending.recorded,
            limits=IntakeLimits(budget=settings.body_buffer),
        )
        tail = Tail(log=database.log)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        tasks.create_task(tail.run())
        stack.callback(tail.stop)
        await stack.enter_async_context(intake.running())
        _follow(metrics, intake, store)
        stopping = tail.stopping
        services = _services(settings, database, store, sending, tail, metrics)
        door = ByteDoor(
            intake, urls, patience=Patience(idle=settings.body_patience.total_seconds())
        )
        limits = Limits(heartbeat=settings.event_heartbeat.total_seconds())
        log.info(LogEvent.API_STARTED, data=str(settings.data))
        try:
            yield Api(
                app=build(services, byte_door=door, limits=limits, stopping=stopping),
                stopping=stopping,
                drain=lambda: intake.drain(timeout=settings.drain.total_seconds()),
            )
        finally:
            tail.stop()
            log.info(LogEvent.API_STOPPED)


async def _owned_store(settings: Settings) -> DiskStore:
    """Open the store; wait for what is left of a killed laydown to let go of it."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _TO_LET_GO
    while True:
        try:
            return open_store(settings, owner=True)
        except StoreBusy as busy:
            if clock() > deadline:
                raise BadSettings(f"{busy}: stop that one, or use another directory") from busy
        await asyncio.sleep(_GLANCE)


def _keys(data: Path) -> KeyRing:
    return KeyRing.open(data / "store" / "signing-keys.json")


def _services(
    settings: Settings,
    database: Database,
    store: DiskStore,
    sending: Sending,
    tail: Tail,
    metrics: Metrics,
) -> Services:
    ledger, policy = database.ledger, settings.policy
    identity = Identity(keyring=database.system)

    def answered(method: str, route: str, status: int, seconds: float) -> None:
        metrics.count(observe.REQUESTS, method=method, route=route, status=str(status))
        metrics.time(observe.REQUEST_SECONDS, seconds, route=route)

    return Services(
        identity=identity,
        projects=Projects(ledger=ledger),
        declaring=Declaring(ledger=ledger, policy=policy),
        sending=sending,
        completing=Completing(ledger=ledger),
        watching=Watching(
            ledger=ledger,
            tail=tail,
            identity=identity,
            token_every=settings.token_recheck.total_seconds(),
        ),
        receipts=Receipts(ledger=ledger, policy=policy),
        documents=Documents(ledger=ledger, store=store),
        operating=Operating(ledger=ledger),
        ready=lambda: _checks(database, store),
        metrics=metrics.rendered,
        observe=answered,
    )


async def _checks(database: Database, store: DiskStore) -> Sequence[wire.Check]:
    """Look at what every request needs."""
    try:
        await database.system.check()
    except LaydownError as error:
        ledger = wire.Check(name="database", ok=False, detail=str(error))
    else:
        ledger = wire.Check(name="database", ok=True, detail="answers")
    return [
        ledger,
        wire.Check(
            name="store", ok=store.is_healthy, detail=store.trouble or "takes and keeps bytes"
        ),
    ]


def _follow(metrics: Metrics, intake: Intake, store: DiskStore) -> None:
    """Have the byte door's numbers read when somebody asks for metrics."""
    stats = intake.stats
    metrics.follow(observe.BYTES_RECEIVED, lambda: stats.bytes_received)
    metrics.follow(observe.BODIES, lambda: stats.bodies)
    metrics.follow(observe.GROUPS, lambda: stats.groups)
    metrics.follow(observe.GROUPED_PARTS, lambda: stats.grouped)
    metrics.follow(observe.FLUSH_SECONDS, lambda: stats.durable_seconds)
    metrics.follow(observe.LEDGER_SECONDS, lambda: stats.ledger_seconds)
    metrics.follow(observe.STORE_HEALTHY, lambda: float(store.is_healthy))

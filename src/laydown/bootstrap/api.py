"""The API, composed from settings."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from laydown import observe, wire
from laydown.bootstrap.database import Database, open_database
from laydown.bootstrap.legacy import check_door, door_of
from laydown.bootstrap.limiting import limiting_of
from laydown.bootstrap.measuring import follow_process, telling
from laydown.bootstrap.measuring_api import answered, begin, follow_door
from laydown.bootstrap.provider import provider_of
from laydown.bootstrap.scanner import Scanning, scanning_of
from laydown.bootstrap.store import Storage, open_storage
from laydown.bootstrap.verdicts import check_verdicts, rendered
from laydown.domain.errors import LaydownError
from laydown.http import console, legacy
from laydown.http.app import FormLimits, Limits, Services, build
from laydown.http.bytes import ByteDoor
from laydown.http.bytes_keys import KeyRing
from laydown.http.bytes_pace import Patience
from laydown.http.bytes_urls import ByteUrls
from laydown.http.cors import Cors
from laydown.http.frontier import Frontier
from laydown.http.origin import Proxies
from laydown.objects.intake import Intake, IntakeLimits
from laydown.objects.memory import keep_freed_memory
from laydown.objects.with_foreign import WithForeignUrls
from laydown.observe import LogEvent, Process
from laydown.ports import ByteSink, Tracing, UrlSigner
from laydown.scanners.clamav import ClamAv
from laydown.services.auditing import Auditing
from laydown.services.completing import Completing
from laydown.services.declaring import Declaring
from laydown.services.documents import Documents
from laydown.services.filing import Filing
from laydown.services.forecasting import Forecasting
from laydown.services.identity import Identity
from laydown.services.members import Members
from laydown.services.operating import Operating
from laydown.services.passes import Links, Tokens
from laydown.services.projects import Projects
from laydown.services.quotas import Quotas
from laydown.services.receipts import Receipts
from laydown.services.rescanning import Rescanning
from laydown.services.sending import Sending
from laydown.services.sessions import Sessions
from laydown.services.tailing import Tail
from laydown.services.watching import Watching
from laydown.settings import Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from laydown.oidc.provider import OidcProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A composed API: the application, and how it stops."""

    app: ASGIApp
    stopping: asyncio.Event
    drain: Callable[[], Awaitable[object]]


@asynccontextmanager
async def api(
    settings: Settings,
    *,
    built: Path = console.BUILT,
    worker_page: tuple[str, int] | None = None,
) -> AsyncIterator[Api]:
    """Compose the API; while the block runs, bytes are committed and the event log is tailed.

    *built* is where the console is, if it was built; *worker_page* the host and the port of a
    worker whose metrics are shown with ours.
    """
    keep_freed_memory()
    metrics, log = Metrics(Process.API), Log(level=settings.log_level, process="api")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        await check_door(settings, database)
        storage = await stack.enter_async_context(open_storage(settings, owner=True))
        signer = storage.signer or _byte_urls(settings)
        sending = Sending(ledger=database.ledger, signer=signer, direct=storage.direct)
        tail = Tail(log=database.log)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        tasks.create_task(tail.run())
        stack.callback(tail.stop)
        frontier = Frontier(proxies=Proxies(settings.proxies), cors=Cors(settings.origins))
        entrance = await _entrance(stack, settings, storage, signer, sending, metrics, frontier)
        limits = Limits(
            heartbeat=settings.event_heartbeat.total_seconds(),
            body_patience=settings.body_patience.total_seconds(),
            forms=FormLimits(patience=_patience(settings)),
        )
        tracing = await stack.enter_async_context(telling(settings, metrics, Process.API, log))
        parties = _Parties(
            scanning=scanning_of(settings),
            provider=await stack.enter_async_context(provider_of(settings)),
            worker_page=worker_page,
            tracing=tracing,
        )
        services = _services(
            settings, database, storage, parties, sending, entrance.sink, tail, metrics
        )
        app = build(
            services,
            byte_door=entrance.door,
            limits=limits,
            stopping=tail.stopping,
            frontier=frontier,
            pages=_pages(settings, database, storage, services, built),
        )
        metrics.follow(observe.REQUESTS_IN_FLIGHT, lambda: app.in_flight)
        follow_process(metrics, Process.API, database)
        begin(metrics)
        log.info(LogEvent.API_STARTED, data=str(settings.data))
        try:
            yield Api(
                app=app,
                stopping=tail.stopping,
                drain=entrance.drain,
            )
        finally:
            tail.stop()
            log.info(LogEvent.API_STOPPED)


def _pages(
    settings: Settings, database: Database, storage: Storage, services: Services, built: Path
) -> Sequence[BaseRoute]:
    """Return what is no part of the native API: the console, and another system's routes."""
    door = door_of(settings, database, storage.foreign, services.filing, services.identity)
    old = [] if door is None else legacy.routes(door)
    return [*old, *console.routes(built, stores=storage.origins)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parties:
    """Whom we deal with: who looks for malware, knows people, shows us numbers, hears of work."""

    scanning: Scanning
    provider: "OidcProvider | None"
    worker_page: tuple[str, int] | None
    tracing: Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entrance:
    """Where bytes come in, if they come to us, and how to finish those under way."""

    door: ASGIApp | None
    sink: ByteSink
    drain: Callable[[], Awaitable[object]]


async def _entrance(
    stack: AsyncExitStack,
    settings: Settings,
    storage: Storage,
    signer: UrlSigner,
    sending: Sending,
    metrics: Metrics,
    frontier: Frontier,
) -> _Entrance:
    if storage.sink is not None:
        return _Entrance(door=None, sink=storage.sink, drain=_nothing_under_way)
    disk = storage.disk
    assert disk is not None
    assert isinstance(signer, ByteUrls)
    intake = Intake(
        disk,
        recorder=sending.record,
        landed=sending.recorded,
        limits=IntakeLimits(budget=settings.body_buffer),
    )
    await stack.enter_async_context(intake.running())
    door = ByteDoor(intake, signer, patience=_patience(settings), frontier=frontier)
    follow_door(metrics, intake, disk, door)
    return _Entrance(
        door=door,
        sink=intake,
        drain=lambda: intake.drain(timeout=settings.drain.total_seconds()),
    )


def _patience(settings: Settings) -> Patience:
    return Patience(idle=settings.body_patience.total_seconds())


async def _nothing_under_way() -> None:
    """Return at once: bytes go past us."""


def _byte_urls(settings: Settings) -> ByteUrls:
    keys = KeyRing.open(settings.data / "store" / "signing-keys.json")
    return ByteUrls(keys, life=settings.url_life)


def _services(
    settings: Settings,
    database: Database,
    storage: Storage,
    parties: _Parties,
    sending: Sending,
    sink: ByteSink,
    tail: Tail,
    metrics: Metrics,
) -> Services:
    ledger, policy = database.ledger, settings.policy
    identity = Identity(keyring=database.keyring, provider=parties.provider)
    limits = limiting_of(settings, database, metrics)

    declaring = Declaring(ledger=ledger, policy=policy, most_open=settings.open_batches)
    completing = Completing(ledger=ledger, direct=storage.direct)
    watching = Watching(
        ledger=ledger,
        tail=tail,
        identity=identity,
        audience=limits.audience,
        token_every=settings.token_recheck.total_seconds(),
    )
    return Services(
        identity=identity,
        rating=limits.rating,
        replying=limits.replying,
        members=Members(ledger=ledger),
        tokens=Tokens(ledger=ledger),
        links=Links(ledger=ledger),
        sessions=Sessions(ledger=ledger, identity=identity),
        auditing=Auditing(ledger=ledger),
        projects=Projects(ledger=ledger),
        quotas=Quotas(ledger=ledger),
        declaring=declaring,
        forecasting=Forecasting(ledger=ledger, policy=policy),
        sending=sending,
        completing=completing,
        filing=Filing(
            ledger=ledger,
            identity=identity,
            sink=sink,
            declaring=declaring,
            completing=completing,
            watching=watching,
            policy=policy,
        ),
        watching=watching,
        receipts=Receipts(ledger=ledger, policy=policy),
        documents=_documents(database, storage, sending.signer),
        operating=Operating(ledger=ledger),
        rescanning=Rescanning(ledger=ledger, store=storage.store, scanner=parties.scanning.scanner),
        ready=lambda: _checks(database, storage, parties),
        metrics=lambda: rendered(
            metrics, database.system, parties.scanning, worker_page=parties.worker_page
        ),
        observe=partial(answered, metrics),
        tracing=parties.tracing,
    )


def _documents(database: Database, storage: Storage, signer: UrlSigner) -> Documents:
    """Return the way to content, also to what stays in another system's bucket."""
    signer = WithForeignUrls(signer, storage.foreign)
    return Documents(ledger=database.ledger, store=storage.store, signer=signer)


async def _checks(database: Database, storage: Storage, parties: _Parties) -> Sequence[wire.Check]:
    """Look at what every request needs."""
    try:
        await database.system.check()
    except LaydownError as error:
        ledger = wire.Check(name="database", ok=False, detail=str(error))
    else:
        ledger = wire.Check(name="database", ok=True, detail="answers")
    checks = [ledger, await storage.check()]
    if parties.scanning.scanner is not None:
        checks.append(await _scanner_check(parties.scanning.scanner))
    if parties.scanning.awaits_verdicts:
        checks.append(await check_verdicts(database.system))
    if parties.provider is not None:  # whose absence keeps nobody out who has a secret of ours
        checks.append(wire.Check(name="issuer", ok=True, detail=parties.provider.known()))
    return checks


async def _scanner_check(scanner: ClamAv) -> wire.Check:
    """Ask the scanner; while it is away files are taken all the same, and wait to be checked."""
    try:
        return wire.Check(name="scanner", ok=True, detail=await scanner.check())
    except LaydownError as error:
        return wire.Check(name="scanner", ok=True, detail=f"files wait: {error}")

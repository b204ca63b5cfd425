"""`laydown up`: Postgres, API and worker as one supervised tree."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket

import typer

from laydown.bootstrap.database import issue_token, migrated, offer_sign_in, token_works
from laydown.cli.footing import refuse_unusable
from laydown.cli.listener import (
    LISTENER_VARIABLE,
    WORKER_LISTENER_VARIABLE,
    WORKER_PAGE_VARIABLE,
    listen_as,
    listen_for_worker,
)
from laydown.cli.places import answers, sign_in_link
from laydown.domain.scanning import NOBODY
from laydown.embedded.clamd import plan_clamd
from laydown.embedded.errors import ConnectionUnknown
from laydown.embedded.instance import (
    CONNECTION_FILE,
    own,
    read_connection,
    write_connection,
)
from laydown.embedded.postgres import EmbeddedPostgres
from laydown.embedded.supervisor import ChildSpec, Supervisor
from laydown.http.listening import listen
from laydown.settings import PREFIX, Settings

_ORGANIZATION = "local"
_SUPERUSER = "postgres"


async def run_tree(settings: Settings) -> int:
    """Run everything until Ctrl-C or SIGTERM; return the process's exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with own(settings.data), listen_as(settings) as listener:
        await refuse_unusable(settings)
        async with _database(settings.data, settings.database) as database:
            is_elsewhere = settings.database is not None
            ours = replace(settings, database=database)
            with _worker_listener(settings) as page:
                return await _run(ours, _Doors(listener, page), stop, is_elsewhere=is_elsewhere)


@dataclass(frozen=True, slots=True)
class _Doors:
    """Where the children listen; the sockets outlive them, so a restart refuses nobody."""

    api: socket
    worker: socket | None


def _worker_listener(settings: Settings) -> AbstractContextManager[socket | None]:
    """Return where the worker serves its numbers: as is set, or at a port that is free.

    Without a loopback address it does without.
    """
    if settings.worker_page is None:
        with suppress(OSError):
            return listen("127.0.0.1", 0)
    return listen_for_worker(settings) or nullcontext()


async def _run(
    settings: Settings, doors: _Doors, stop: asyncio.Event, *, is_elsewhere: bool
) -> int:
    await migrated(settings)
    url = _url(settings.host, doors.api)
    await _introduce(settings, url, own_database=None if is_elsewhere else settings.database)
    scanners: list[ChildSpec] = []
    if settings.scanner is None:
        scanner = plan_clamd(settings.data)
        _say(scanner.sentence)
        settings = replace(settings, scanner=scanner.address or NOBODY)
        scanners = [] if scanner.spec is None else [scanner.spec]
    supervisor = Supervisor(report=_say, drain=settings.drain.total_seconds() + 5)
    # A scanner takes a while to start. Files wait for it; whoever sends them need not.
    children = [*_children(settings, doors, url), *scanners]
    return await supervisor.run(children, stop=stop)


@asynccontextmanager
async def _database(data: Path, given: str | None) -> AsyncIterator[str]:
    """Have a database while the block runs: the one given, or our own, kept alive."""
    if given is not None:
        yield given
        return
    postgres = EmbeddedPostgres(data)
    try:
        address = await postgres.start()
        async with asyncio.TaskGroup() as tasks:
            guard = tasks.create_task(postgres.guard(_say))
            yield address.dsn(_SUPERUSER)
            guard.cancel()
    finally:
        await postgres.stop()


async def _introduce(settings: Settings, url: str, *, own_database: str | None) -> None:
    """Write where we are and a token that works, for the client commands of this machine."""
    path = settings.data / CONNECTION_FILE
    try:
        token = read_connection(path).token
    except ConnectionUnknown:
        token = ""
    if not token or not await token_works(settings, token):
        token = await issue_token(settings, organization=_ORGANIZATION, name="this machine")
    write_connection(path, url, token, database=own_database)


def _children(settings: Settings, doors: _Doors, url: str) -> list[ChildSpec]:
    """Return what runs beside the database. The worker is first to start and last to stop."""
    env = {**os.environ, **_chosen(settings)}
    logs = settings.data / "logs"
    program = [sys.executable, "-m", "laydown"]
    announced = asyncio.Event()

    async def ready() -> bool:
        if not await asyncio.to_thread(answers, url):
            return False
        if not announced.is_set():
            announced.set()
            _say(f"serving at {url}, with everything in {settings.data}; Ctrl-C stops it")
            code = await offer_sign_in(settings, organization=_ORGANIZATION)
            _say("open the console in a browser (the link works once, for 15 minutes):")
            _say(sign_in_link(url, code))
        return True

    serves: dict[str, str] = {}
    reads: dict[str, str] = {}
    if doors.worker is not None:
        serves = {WORKER_LISTENER_VARIABLE: str(doors.worker.fileno())}
        reads = {WORKER_PAGE_VARIABLE: str(doors.worker.getsockname()[1])}
    return [
        ChildSpec(
            name="worker",
            argv=[*program, "worker"],
            env={**env, **serves},
            inherits=() if doors.worker is None else (doors.worker.fileno(),),
            log=logs / "worker.log",
        ),
        ChildSpec(
            name="api",
            argv=[*program, "api"],
            env={**env, LISTENER_VARIABLE: str(doors.api.fileno()), **reads},
            inherits=(doors.api.fileno(),),
            log=logs / "api.log",
            ready=ready,
        ),
    ]


def _chosen(settings: Settings) -> dict[str, str]:
    """Return what the command line may have said as the variables that children read."""
    chosen = {
        "DATA": str(settings.data),
        "DATABASE": settings.database,
        "STORE": settings.store,
        "QUEUE": settings.queue,
        "NOTICES": settings.notices,
        "SCANNER": settings.scanner,
    }
    return {f"{PREFIX}{name}": text for name, text in chosen.items() if text is not None}


def _url(host: str, listener: socket) -> str:
    """Return the address that clients on this machine use."""
    port = listener.getsockname()[1]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - named only to be replaced
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(sentence: str) -> None:
    typer.echo(f"laydown: {sentence}", err=True)

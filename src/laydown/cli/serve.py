"""`laydown up` and the commands it is made of: api, worker, migrate."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from socket import socket
from typing import Annotated, Any, NoReturn

import typer
import uvloop

from laydown.cli.footing import refuse_unusable
from laydown.cli.listener import (
    LISTENER_VARIABLE,
    WORKER_LISTENER_VARIABLE,
    WORKER_PAGE_VARIABLE,
    listen_as,
    listen_for_worker,
)
from laydown.cli.places import data_directory
from laydown.domain.errors import LaydownError
from laydown.embedded.errors import EmbeddedError
from laydown.embedded.lifeline import LIFELINE_VARIABLE, parent_gone
from laydown.settings import PREFIX, BadSettings, Settings

_ORPHANED_API = 3.0
"""Seconds that an API without its supervisor has: the next one waits for the store it holds."""

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Where everything is kept [LAYDOWN_DATA, or your data folder]."),
]
HostOption = Annotated[str | None, typer.Option("--host", help="Listen here [127.0.0.1].")]
PortOption = Annotated[int | None, typer.Option("--port", help="Listen on this port [8383].")]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="A Postgres to use instead of our own.")
]
StoreOption = Annotated[
    str | None,
    typer.Option("--store", help="Where bytes are kept: s3://BUCKET?endpoint=URL [the data]."),
]
QueueOption = Annotated[
    str | None,
    typer.Option("--queue", help="What announces jobs: sqs://QUEUE [the database]."),
]
NoticesOption = Annotated[
    str | None,
    typer.Option("--notices", help="A queue with the store's events: sqs://QUEUE [none]."),
]
ScannerOption = Annotated[
    str | None,
    typer.Option("--scanner", help="clamav://HOST:PORT, clamav:///SOCKET, guardduty or none."),
]


def register(app: typer.Typer) -> None:
    """Add the commands that serve to the program's."""
    app.command()(up)
    app.command()(api)
    app.command()(worker)
    app.command()(migrate)


def up(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    database: DatabaseOption = None,
    store: StoreOption = None,
    queue: QueueOption = None,
    notices: NoticesOption = None,
    scanner: ScannerOption = None,
) -> None:
    """Run all of laydown on this machine: Postgres, API and worker. Ctrl-C stops it.

    A database, a store or a queue that is named is used instead of our own.
    """
    from laydown.cli.tree import run_tree  # noqa: PLC0415 - `--help` needs none of it

    settings = _settings(
        data=data,
        host=host,
        port=port,
        database=database,
        store=store,
        queue=queue,
        notices=notices,
        scanner=scanner,
    )
    _run(run_tree(settings))


def api(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    database: DatabaseOption = None,
    store: StoreOption = None,
    scanner: ScannerOption = None,
) -> None:
    """Run the API alone, beside a database and workers of your own."""
    settings = _settings(
        data=data, host=host, port=port, database=database, store=store, scanner=scanner
    )
    _need_database(settings)
    _need_scanner(settings)
    _run(_serve(settings))


def worker(
    data: DataOption = None,
    database: DatabaseOption = None,
    store: StoreOption = None,
    queue: QueueOption = None,
    notices: NoticesOption = None,
    scanner: ScannerOption = None,
) -> None:
    """Run a worker alone; any number may run beside each other."""
    settings = _settings(
        data=data,
        database=database,
        store=store,
        queue=queue,
        notices=notices,
        scanner=scanner,
    )
    _need_database(settings)
    _need_scanner(settings)
    _run(_work(settings))


def migrate(
    database: DatabaseOption = None,
    login: Annotated[
        str | None,
        typer.Option("--login", help="Make this role, which api and worker may log in as."),
    ] = None,
) -> None:
    """Bring a database to this program's schema. Safe to run from many places at once.

    Run it as the schema's owner. With --login, api and worker need not be the owner.
    """
    settings = _settings(database=database)
    _need_database(settings)
    _run(_migrate(settings, login))


def _settings(**given: Any) -> Settings:  # noqa: ANN401 - the options' values
    """Return the settings of the environment and the command line, which wins."""
    ours = {
        LIFELINE_VARIABLE,
        LISTENER_VARIABLE,
        WORKER_LISTENER_VARIABLE,
        WORKER_PAGE_VARIABLE,
    }
    env = {name: value for name, value in os.environ.items() if name not in ours}
    try:
        data = given.pop("data", None) or data_directory(env)
        options = {name: value for name, value in given.items() if value is not None}
        settings = Settings.from_env(env, data=data.absolute(), **options)
    except BadSettings as error:
        _stop_with(str(error), code=2)
    return settings


def _need_database(settings: Settings) -> None:
    if settings.database is None:
        _stop_with(f"say which Postgres to use: --database, or {PREFIX}DATABASE", code=2)


def _need_scanner(settings: Settings) -> None:
    """Stop unless somebody decided who looks for malware: nobody is a decision too."""
    if settings.scanner is None:
        _stop_with(
            f"say who looks through files for malware: {PREFIX}SCANNER=clamav://HOST:PORT, "
            "clamav:///SOCKET, guardduty, or none",
            code=2,
        )


def _stop_with(sentence: str, *, code: int) -> NoReturn:
    typer.echo(f"laydown: {sentence}", err=True)
    raise typer.Exit(code)


def _run(main: Coroutine[Any, Any, int]) -> None:
    """Run to the end; errors meant for people are said as sentences."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(main)
    except* (LaydownError, EmbeddedError, BadSettings, OSError) as errors:
        _stop_with(str(_first(errors)), code=1)
    sys.exit(code)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _serve(settings: Settings) -> int:
    from laydown.bootstrap.api import api  # noqa: PLC0415 - a worker needs no web framework
    from laydown.http.serving import serve  # noqa: PLC0415

    inherited = os.environ.get(LISTENER_VARIABLE)
    listener = socket(fileno=int(inherited)) if inherited else listen_as(settings)
    await refuse_unusable(replace(settings, queue=None, notices=None))  # those are the workers'
    page = os.environ.get(WORKER_PAGE_VARIABLE)
    worker_page = None if page is None else ("127.0.0.1", int(page))
    async with api(settings, worker_page=worker_page) as composed, asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(_follow_parent(composed.stopping, mercy=_ORPHANED_API))
        gc.collect()
        gc.freeze()  # what was made to start with stays: no collection looks through it again
        await serve(
            composed.app,
            listener,
            stopping=composed.stopping,
            drain=composed.drain,
            patience=settings.drain.total_seconds(),
        )
        watch.cancel()
    return 0


async def _work(settings: Settings) -> int:
    from laydown.bootstrap.worker import worker  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    inherited = os.environ.get(WORKER_LISTENER_VARIABLE)
    page = socket(fileno=int(inherited)) if inherited else listen_for_worker(settings)
    await refuse_unusable(settings)
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(_follow_parent(stop))
        await worker(settings, stop, page=page)
        watch.cancel()
    return 0


async def _migrate(settings: Settings, login: str | None) -> int:
    from laydown.bootstrap.database import migrated  # noqa: PLC0415

    applied = await migrated(settings, login=login)
    typer.echo(f"applied {len(applied)} migrations" if applied else "the schema is up to date")
    return 0


async def _follow_parent(stop: asyncio.Event, *, mercy: float = 30.0) -> None:
    """Stop when the supervisor that started us is gone, within *mercy* seconds."""
    if lifeline := os.environ.get(LIFELINE_VARIABLE):
        await parent_gone(int(lifeline), mercy=mercy)
        stop.set()

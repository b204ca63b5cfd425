"""Who holds an office: whoever has its advisory lock, as long as the connection lives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from laydown.domain.errors import LedgerUnavailable
from laydown.ports import Office
from laydown.postgres import sql
from laydown.postgres.pool import Connection, Password, in_our_words, with_password

_Q = sql.load("leading.sql")
_NUMBERS: Mapping[Office, int] = {Office.RELAY: 1, Office.SWEEPER: 2}

_LOOK_EVERY = timedelta(seconds=3)
_PATIENCE = 5.0  # seconds for an answer, or for a connection
_KEEPALIVE = {"idle": 3, "interval": 2, "count": 3}
"""Both ends notice within 9 s that the other's machine is gone; a killed process is noticed at
once, since its machine closes the connection."""

Work = Callable[[asyncio.Event], Awaitable[None]]


class PostgresElection:
    """An `Election` by advisory lock; each office uses a connection of its own.

    The connection must lead to Postgres itself: a pooler that shares sessions would share offices.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        look_every: timedelta = _LOOK_EVERY,
        password: Password | None = None,
    ) -> None:
        """Connect with the password that *password* says at that moment."""
        self._conninfo = _with_keepalives(conninfo)
        self._password = password
        self._pause = look_every.total_seconds()

    async def serve(self, office: Office, work: Work, *, stop: asyncio.Event) -> None:
        """Stand for *office* until *stop*; while elected, run *work*.

        *work* gets an event that is set when it must end: on *stop*, or when the office is lost.
        What it raises is raised here, when the office has been given back.
        """
        while not stop.is_set():
            with suppress(LedgerUnavailable):
                await self._stand(_NUMBERS[office], work, stop)
            await _wait(stop, self._pause)

    async def _stand(self, office: int, work: Work, stop: asyncio.Event) -> None:
        """Ask for the office until it is ours, and keep it until the work is over."""
        with in_our_words():
            connection = await psycopg.AsyncConnection.connect(
                await with_password(self._conninfo, self._password), autocommit=True
            )
        try:
            while not stop.is_set():
                if await _asked(connection, "stand", office=office):
                    await self._lead(connection, work, stop)
                    with suppress(LedgerUnavailable):
                        await _asked(connection, "resign", office=office)
                await _wait(stop, self._pause)
        finally:
            await connection.close()

    async def _lead(self, connection: Connection, work: Work, stop: asyncio.Event) -> None:
        end = asyncio.Event()
        working = asyncio.ensure_future(work(end))
        watching = asyncio.ensure_future(self._watch(connection, stop))
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end.set()
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await working

    async def _watch(self, connection: Connection, stop: asyncio.Event) -> None:
        """Return when the work must end: told to stop, or the lock's connection does not answer."""
        with suppress(LedgerUnavailable):
            while not stop.is_set():
                await _asked(connection, "still_there")
                await _wait(stop, self._pause)


async def _asked(connection: Connection, name: str, **given: object) -> bool:
    """Return the answer to a question; raise `LedgerUnavailable` when none comes in time."""
    try:
        async with asyncio.timeout(_PATIENCE):
            with in_our_words():
                cursor = await connection.execute(_Q[name], given)
                row = await cursor.fetchone()
    except TimeoutError as error:
        raise LedgerUnavailable("the database does not answer; try again") from error
    return row is not None and bool(row[0])


def _with_keepalives(conninfo: str) -> str:
    given = conninfo_to_dict(conninfo)
    options = [
        str(given.get("options") or ""),
        "-c role=laydown_system",
        *(f"-c tcp_keepalives_{name}={value}" for name, value in _KEEPALIVE.items()),
    ]
    return make_conninfo(
        conninfo,
        options=" ".join(options).strip(),
        application_name="laydown_office",
        connect_timeout=int(_PATIENCE),
        keepalives=1,
        keepalives_idle=_KEEPALIVE["idle"],
        keepalives_interval=_KEEPALIVE["interval"],
        keepalives_count=_KEEPALIVE["count"],
    )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()

"""A Postgres server that needs no installation: made, started, found again, and stopped."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laydown.embedded import cluster, logs
from laydown.embedded.backoff import delay_after
from laydown.embedded.errors import EmbeddedPostgresError, in_our_words
from laydown.embedded.installation import Installation, find_installation
from laydown.embedded.places import (
    forget_socket,
    prepare_data_directory,
    socket_directory,
    socket_in,
)
from laydown.embedded.postmaster import LockFile, Status, answers
from laydown.embedded.processes import POLL, end_processes_in, is_taken, works_in

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "PostgresAddress"]

_TO_START: Final = 300.0  # seconds: replaying a gigabyte of WAL after a crash takes a while
_TO_ANSWER: Final = 5.0  # seconds a server that calls itself ready may keep silent
_HEALTHY_AFTER: Final = 60.0  # seconds after which a crash is no longer one of a series
_ATTEMPTS: Final = 5  # to bring a server back that was there before
_GLANCE: Final = 0.25  # seconds between two looks at a server that should be there

# How a postmaster is told to stop, ever less kindly, and the seconds it gets: fast (sessions
# end, a checkpoint is written), immediate (the next start recovers), and no choice.
_GOODBYES: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """How to reach the server: only through a socket, in a directory that only we may enter."""

    socket_dir: Path
    port: int
    database: str

    def dsn(self, user: str) -> str:
        """Return a libpq connection string for *user*, who needs no password."""
        words = {
            "host": str(self.socket_dir),
            "port": str(self.port),
            "dbname": self.database,
            "user": user,
        }
        return " ".join(f"{key}={_quoted(value)}" for key, value in words.items())


class EmbeddedPostgres:
    """The Postgres of one data directory: its files in `<data>/postgres`, its log in `<data>/logs`.

    The server outlives the process that started it if that one is killed; the next
    `start` finds it again. One process at a time may use a data directory (see
    `laydown.embedded.instance`).
    """

    def __init__(self, data_dir: Path) -> None:
        self._data = Path(os.path.abspath(data_dir))  # noqa: PTH100 - must not follow symlinks
        self._cluster = self._data / "postgres"
        self._log = self._data / "logs" / "postgres.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._is_wanted = False
        self._turn = asyncio.Lock()  # starting and stopping never overlap

    async def start(self) -> PostgresAddress:
        """Have the server accept connections, and return where; may be repeated.

        Makes the cluster and its database if there are none. Takes over a server that
        already runs on this directory, and clears away what a killed one left. Raises
        `EmbeddedPostgresError` with a sentence that says what to do.
        """
        async with self._turn:
            self._is_wanted = True
            return await self._start()

    async def stop(self) -> None:
        """Stop the server of this directory, whoever started it; nothing if there is none.

        Raises `EmbeddedPostgresError` when it can't be ended or isn't ours to end.
        """
        self._is_wanted = False
        async with self._turn:
            await self._stop()

    async def guard(self, report: Callable[[str], None]) -> None:
        """Start the server again whenever it dies, until `stop`; keep its log short meanwhile.

        Each such event goes to *report* as one line. Raises what `start` raises once that has
        failed several times in a row; before, it may have been killed itself.
        """
        failures, vain, started, trimmed = 0, 0, time.monotonic(), time.monotonic()
        while self._is_wanted:
            await asyncio.sleep(_GLANCE)
            if time.monotonic() - trimmed > logs.TRIM_EVERY:
                trimmed = time.monotonic()
                await asyncio.to_thread(logs.trim_log, self._log)
            if self._turn.locked() or self._postmaster() is not None:
                continue
            failures = 1 if time.monotonic() - started > _HEALTHY_AFTER else failures + 1
            delay = delay_after(failures)
            report(f"postgres stopped unexpectedly; starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            async with self._turn:
                try:
                    if self._is_wanted:
                        await self._start()
                    vain = 0
                except EmbeddedPostgresError as error:
                    vain += 1
                    if vain == _ATTEMPTS:
                        raise
                    report(str(error))
            started = time.monotonic()

    async def _start(self) -> PostgresAddress:
        if (running := self._postmaster()) and (address := await self._attach(running)):
            return address
        installation = await asyncio.to_thread(find_installation)
        await self._clear_away()
        sockets = await asyncio.to_thread(self._prepare, installation)
        try:
            log_start = self._launch(installation)
            return await self._until_ready(sockets, log_start=log_start)
        except BaseException:
            await self._stop()
            raise

    async def _stop(self) -> None:
        if (pid := self._postmaster()) is None:
            return
        for number, patience in _GOODBYES:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            except PermissionError:
                raise EmbeddedPostgresError(
                    f"Postgres, process id {pid}, belongs to another user: stop it as that one"
                ) from None
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    while self._postmaster() == pid:  # noqa: ASYNC110 - it may not be our child
                        await asyncio.sleep(POLL)
                if number is signal.SIGKILL:
                    await self._end_orphans(self._cluster)
                return
        raise EmbeddedPostgresError(
            f"Postgres, process id {pid}, can't be ended: look for a disk that hangs"
        )

    def _postmaster(self) -> int | None:
        """Return the process id of the live server of this directory."""
        if self._child is not None:
            if self._child.poll() is None:
                return self._child.pid
            self._child = None
        with in_our_words(self._cluster):
            lock = LockFile.read(self._cluster)
            return lock.pid if lock and works_in(lock.pid, self._cluster) else None

    async def _attach(self, pid: int) -> PostgresAddress | None:
        """Return the address of the running server *pid*; None once it is gone or was no use."""
        silent_since = None
        deadline = time.monotonic() + _TO_START
        while self._postmaster() == pid and time.monotonic() < deadline:
            lock = LockFile.read(self._cluster)
            if lock and lock.status is Status.READY and lock.sockets and lock.port:
                if await answers(lock.sockets):
                    return PostgresAddress(lock.sockets, lock.port, cluster.DATABASE)
                # Its socket was swept away, or the data directory was moved: only a new one helps.
                silent_since = silent_since or time.monotonic()
                is_there = await asyncio.to_thread(socket_in(lock.sockets).exists)
                if not is_there or time.monotonic() - silent_since > _TO_ANSWER:
                    break
            await asyncio.sleep(POLL)
        await self._stop()
        return None

    async def _clear_away(self) -> None:
        """Remove what processes that were killed have left: orphans, a lock, half a cluster."""
        await self._end_orphans(self._cluster)
        with in_our_words(self._cluster):
            # Postgres removes the lock of a dead postmaster itself, after its own checks. But
            # where the process id belongs to somebody else by now, it would refuse to start.
            lock = LockFile.read(self._cluster)
            if lock and is_taken(lock.pid):
                (self._cluster / "postmaster.pid").unlink()
        for draft in cluster.half_made(self._cluster):
            await self._end_orphans(draft)
            await asyncio.to_thread(cluster.discard, draft)

    async def _end_orphans(self, directory: Path) -> None:
        try:
            await end_processes_in(directory)
        except TimeoutError:
            raise EmbeddedPostgresError(
                f"processes of an earlier Postgres still work in {directory} and can't be "
                "ended: look for a disk that hangs"
            ) from None
        except PermissionError:
            raise EmbeddedPostgresError(
                f"processes of an earlier Postgres still work in {directory} and belong to "
                "another user: stop them as that one"
            ) from None

    def _prepare(self, installation: Installation) -> Path:
        """Have everything on disk that a start needs; return the socket's directory."""
        account = installation.account
        prepare_data_directory(self._data, account=account)
        sockets = socket_directory(self._data, account=account)
        forget_socket(sockets)
        if not cluster.is_made(self._cluster, installation=installation):
            cluster.make(self._cluster, installation=installation)
        with in_our_words(self._cluster):
            account.own(self._cluster)
        cluster.configure(self._cluster, sockets=sockets)
        return sockets

    def _launch(self, installation: Installation) -> int:
        """Start the server; return where in the log its words begin."""
        with in_our_words(self._data):
            log = logs.open_log(self._log)
            try:
                start = os.fstat(log).st_size
                # In this thread, a few milliseconds: a cancellation can't come between the
                # fork and our knowing of the child.
                self._child = installation.launch(self._cluster, log=log)
                return start
            finally:
                os.close(log)

    async def _until_ready(self, sockets: Path, *, log_start: int) -> PostgresAddress:
        deadline = time.monotonic() + _TO_START
        while time.monotonic() < deadline:
            if self._child is None or self._child.poll() is not None:
                said = logs.tail(self._log, start=log_start)
                raise EmbeddedPostgresError(
                    f"{cluster.explain(said, doing='start', place=self._data)} (see {self._log})"
                )
            lock = LockFile.read(self._cluster)
            is_ready = lock and lock.pid == self._child.pid and lock.status is Status.READY
            if lock and lock.port and is_ready and await answers(sockets):
                return PostgresAddress(sockets, lock.port, cluster.DATABASE)
            await asyncio.sleep(POLL)
        raise EmbeddedPostgresError(
            f"Postgres did not become ready within {_TO_START:g} s: see {self._log}"
        )


def _quoted(value: str) -> str:
    """Return *value* as libpq wants it in a connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""The Postgres of the test session, or one that a test may hurt."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import psycopg

from laydown.embedded.postgres import EmbeddedPostgres, PostgresAddress
from laydown.embedded.postmaster import LockFile
from laydown.postgres.migrate import migrate
from tests.ledger_support import in_thread

SUPERUSER: Final = "postgres"
_ROOM: Final = 1 << 30  # bytes; a run needs a third of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server: how to reach it, and how to hurt it."""

    address: PostgresAddress
    folder: Path
    server: EmbeddedPostgres = field(repr=False)

    def kill(self) -> None:
        """End it as a power cut would; what it has committed stays."""
        lock = LockFile.read(self.folder / "postgres")
        assert lock is not None
        os.kill(lock.pid, signal.SIGKILL)

    def start(self) -> None:
        """Start it after `kill`, where it was; return when it answers."""
        assert in_thread(self.server.start()) == self.address


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a Postgres with its files in a folder of its own; end it and remove them after.

    Raises `EmbeddedPostgresError` with a sentence when it can't.
    """
    # In memory where there is some, because each test makes a database and every commit is
    # flushed; and short, because a socket's path has 107 bytes.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM
    folder = Path(tempfile.mkdtemp(prefix="ldn", dir=memory if roomy else None))
    server = EmbeddedPostgres(folder)
    try:
        yield Postgres(address=in_thread(server.start()), folder=folder, server=server)
    finally:
        in_thread(server.stop())
        shutil.rmtree(folder, ignore_errors=True)


def make_template(address: PostgresAddress) -> str:
    """Make a migrated, empty database that others are copied from, and return its name."""
    name = "template_of_tests"
    with psycopg.connect(address.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    in_thread(migrate(replace(address, database=name).dsn(SUPERUSER)))
    return name

"""Postgres without installation: it starts, is found again, survives what kills it, and stops."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from laydown.embedded.cluster import explain
from laydown.embedded.errors import EmbeddedPostgresError
from laydown.embedded.logs import LIMIT, trim_log
from laydown.embedded.postgres import EmbeddedPostgres, PostgresAddress
from laydown.embedded.postmaster import LockFile
from laydown.embedded.processes import processes_in
from tests.e2e.embedded_support import (
    SOURCE,
    alive,
    as_nobody,
    interpreter_for_nobody,
    kill_now,
    until,
)
from tests.e2e.embedded_support import python as python_process

START = """
import asyncio, sys
from pathlib import Path
from laydown.embedded.postgres import EmbeddedPostgres

async def main():
    address = await EmbeddedPostgres(Path(sys.argv[1])).start()
    print(address.dsn("postgres"), flush=True)
    if "stop" in sys.argv:
        await EmbeddedPostgres(Path(sys.argv[1])).stop()
        print("stopped", flush=True)
    else:
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with a stopped cluster, to be copied: a second saved each time."""
    data = tmp_path_factory.mktemp("made") / "data"
    process = python_process(START, data, "stop")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return data


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def data(fresh: Path, made: Path) -> Path:
    shutil.copytree(made, fresh)
    return fresh


@pytest.fixture
async def postgres(fresh: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(fresh)
    yield server
    await server.stop()
    assert not processes_in(fresh / "postgres")


async def ask(address: PostgresAddress, query: str) -> list[tuple[Any, ...]]:
    connection = await psycopg.AsyncConnection.connect(address.dsn("postgres"), autocommit=True)
    async with connection:
        cursor = await connection.execute(query.encode())
        return await cursor.fetchall() if cursor.description else []


async def setting(address: PostgresAddress, name: str) -> str:
    ((value,),) = await ask(address, f"SHOW {name}")
    return str(value)


def postmaster(data: Path) -> int:
    """Return the process id in the lock file; 0 in the moment it is being replaced."""
    lock = LockFile.read(data / "postgres")
    return lock.pid if lock else 0


async def test_a_fresh_directory_gets_a_durable_database(fresh, postgres):
    """The first start makes `laydown`, checksummed, flushed, and reachable by socket alone."""
    address = await postgres.start()

    expected = {
        "data_checksums": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "jit": "off",
    }
    assert {name: await setting(address, name) for name in expected} == expected
    rows = await ask(
        address, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'laydown'"
    )
    assert rows == [("b", "C.UTF-8")]
    assert address.socket_dir == fresh / "run"
    assert address.socket_dir.stat().st_mode & 0o077 == 0

    server = postmaster(fresh)
    assert os.getsid(server) == server, "a Ctrl-C in our terminal would reach Postgres"
    assert await postgres.start() == address
    assert postmaster(fresh) == server

    await postgres.stop()
    await postgres.stop()
    assert not processes_in(fresh / "postgres")


async def test_a_server_whose_parent_was_killed_is_taken_over(data, postgres):
    """After `kill -9` of what started it, the same server serves the next start."""
    parent = python_process(START, data)
    assert parent.stdout is not None
    dsn = (await asyncio.to_thread(parent.stdout.readline)).strip()
    server = postmaster(data)
    kill_now(parent)

    address = await postgres.start()

    assert address.dsn("postgres") == dsn
    assert postmaster(data) == server


async def test_what_was_committed_survives_the_death_of_the_postmaster(data, postgres):
    """Killing the postmaster under a busy session loses no commit and blocks no start."""
    address = await postgres.start()
    await ask(address, "CREATE TABLE kept (n int)")
    await ask(address, "INSERT INTO kept VALUES (42)")
    # A session that computes without end doesn't notice that its postmaster has died.
    busy = await psycopg.AsyncConnection.connect(address.dsn("postgres"), autocommit=True)
    orphan = busy.info.backend_pid
    endless = asyncio.create_task(busy.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
    query = f"SELECT state FROM pg_stat_activity WHERE pid = {orphan}"
    while await ask(address, query) != [("active",)]:
        pass
    os.kill(postmaster(data), signal.SIGKILL)
    await until(lambda: processes_in(data / "postgres") == {orphan}, what="only the orphan lives")

    address = await postgres.start()

    assert await ask(address, "SELECT n FROM kept") == [(42,)]
    assert not alive(orphan)
    with pytest.raises(psycopg.OperationalError):
        await endless
    await busy.close()


async def test_a_killed_first_start_leaves_nothing_half_made(fresh, postgres):
    """A first start killed in the middle of making the cluster costs the next one nothing."""
    first = python_process(START, fresh)
    await until(lambda: [*fresh.glob("postgres.init-*/base/1/*")], what="initdb is at work")
    kill_now(first)
    assert not (fresh / "postgres").exists()

    address = await postgres.start()

    assert await ask(address, "SELECT current_database()") == [("laydown",)]
    assert not [*fresh.glob("postgres.init-*")]


async def test_a_lock_that_names_a_stranger_is_no_hindrance(data, postgres):
    """A process id in postmaster.pid that belongs to somebody else by now stops no start."""
    await postgres.start()
    lock = data / "postgres" / "postmaster.pid"
    text = lock.read_text()
    await postgres.stop()
    lock.write_text(text.replace(text.split("\n")[0], str(os.getpid()), 1))

    address = await postgres.start()

    assert await setting(address, "data_directory") == str(data / "postgres")
    assert postmaster(data) != os.getpid()


async def test_a_server_whose_socket_vanished_is_replaced(data, postgres):
    """A running server that can't be reached any more is restarted, not waited for."""
    await postgres.start()
    shutil.rmtree(data / "run")

    address = await postgres.start()

    assert await ask(address, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "name",
    ["plans é 現場 of 'house' 2", 'a, "b" \\c ' + "x" * 120],
    ids=["spaces", "quotes and length"],
)
async def test_any_path_will_do(tmp_path, name):
    """Spaces, quotes, other scripts and length in the data directory's path change nothing."""
    postgres = EmbeddedPostgres(tmp_path / name)
    address = await postgres.start()
    try:
        assert await ask(address, "SELECT 1") == [(1,)]
    finally:
        await postgres.stop()
    if not address.socket_dir.is_relative_to(tmp_path):
        address.socket_dir.rmdir()


async def test_the_guard_brings_a_killed_server_back(data, postgres):
    """While guarded, a postmaster that is killed is running again, and one line says so."""
    lines: list[str] = []
    address = await postgres.start()
    killed = postmaster(data)
    guard = asyncio.create_task(postgres.guard(lines.append))
    os.kill(killed, signal.SIGKILL)
    await until(lambda: lines, what="the guard says so")
    await until(lambda: postmaster(data) not in {0, killed}, what="another server")

    assert await postgres.start() == address
    assert lines == ["postgres stopped unexpectedly; starting it again in 1 s"]
    await postgres.stop()
    await guard


async def test_what_stands_in_the_way_is_named(data, postgres):
    """A foreign version, a broken setting, a squatted socket and a file each get a sentence."""
    await postgres.start()
    await postgres.stop()

    with (data / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("shared_bufers = lots\n")
    with pytest.raises(EmbeddedPostgresError, match=r"shared_bufers.*postgres\.log"):
        await postgres.start()

    (data / "run").chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="nobody else may enter"):
        await postgres.start()
    (data / "run").chmod(0o700)

    (data / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match="made by Postgres 9"):
        await postgres.start()
    (data / "postgres" / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedPostgresError, match="not a Postgres cluster"):
        await postgres.start()

    file = data / "file"
    file.touch()
    with pytest.raises(EmbeddedPostgresError, match="not a directory"):
        await EmbeddedPostgres(file).start()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("initdb: error: could not write file: No space left on device", "disk .* is full"),
        ('could not open directory "/d": Permission denied', "owner or permissions"),
        ("could not map anonymous shared memory: Cannot allocate memory", "not enough memory"),
        ("", "said nothing"),
    ],
)
def test_what_postgres_says_becomes_what_to_do(said, sentence):
    """Full disks, closed directories and small memory are told apart."""
    with pytest.raises(EmbeddedPostgresError, match=sentence):
        raise EmbeddedPostgresError(explain(said, doing="start", place=Path("/d")))


def test_a_log_stays_short(tmp_path):
    """A log past its limit is cut under the feet of its writer, who goes on."""
    path = tmp_path / "postgres.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * (LIMIT + 1))
        trim_log(path)
        writer.write(b"next\n")
    assert path.read_bytes() == b"next\n"
    assert (tmp_path / "postgres.log.1").stat().st_size == LIMIT + 1


def test_root_runs_it_with_and_without_user_namespaces():
    """Where root can't make a user namespace, Postgres runs as nobody; a cluster stands both."""
    if os.geteuid() != 0:
        pytest.skip("only root has this choice")
    interpreter_for_nobody()  # then nobody can reach the binaries, too
    place = Path(tempfile.mkdtemp(prefix="laydown-root-"))
    place.chmod(0o755)
    try:
        for path in ("/nowhere", os.defpath, "/nowhere"):  # without and with unshare
            process = python_process(
                START, place / "data", "stop", env={"PATH": path, "PYTHONPATH": str(SOURCE)}
            )
            said, _ = process.communicate(timeout=60)
            assert said.splitlines()[-1] == "stopped", said
            owner = (place / "data" / "postgres" / "PG_VERSION").stat().st_uid
            assert (owner == 0) is (path == os.defpath)
    finally:
        shutil.rmtree(place)


def test_an_ordinary_user_runs_it():
    """Without any privilege the same calls make, start and stop the server."""
    interpreter = interpreter_for_nobody()
    place = Path(tempfile.mkdtemp(prefix="laydown-user-"))
    options = as_nobody()
    os.chown(place, options["user"], options["group"])
    try:
        done = subprocess.run(
            [interpreter, "-c", START, str(place / "data"), "stop"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )
        assert done.stdout.splitlines()[-1:] == ["stopped"], done.stderr
        assert (place / "data" / "postgres").stat().st_uid == options["user"]
    finally:
        shutil.rmtree(place)

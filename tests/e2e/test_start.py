"""`laydown up` starts for root and others, listens to this machine alone, and explains itself."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.e2e.embedded_support import as_nobody, interpreter_for_nobody
from tests.e2e.yard import Yard, descendants, environment, processes_at

_LISTEN = "0A"  # the state of a listening socket in /proc/net/tcp
_LOOPBACK = "0100007F"  # 127.0.0.1, little-endian


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder with a short path that anybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="ldn"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=["ourselves", "nobody"])
def fresh(request, place) -> Iterator[Yard]:
    """Return a yard that has never been started, ours or an ordinary user's."""
    yard = Yard(place / "data")
    if request.param == "nobody":
        interpreter = interpreter_for_nobody()
        options = as_nobody()
        os.chown(place, options["user"], options["group"])
        yard.interpreter, yard.options = interpreter, options
    yield yard
    yard.dispose()


def test_first_and_later_starts_work(fresh, sample):
    """A first start makes everything, privately; a later one finds it, and keeps the token."""
    fresh.start()
    first = fresh.connection
    assert (fresh.data / "connection.json").stat().st_mode & 0o777 == 0o600
    assert fresh.data.stat().st_mode & 0o066 == 0
    assert fresh.push(sample[0]).counts == sample[1].expected
    assert fresh.stop() == 0
    assert not processes_at(fresh.data)

    fresh.start(port=fresh.port)

    assert fresh.connection == first
    assert fresh.push(sample[0]).sent == 0


def open_files(pid: int) -> list[str]:
    """Return what the descriptors of a process stand for; they come and go while we look."""
    found = []
    with suppress(FileNotFoundError):  # it ended
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                found.append(link.readlink().name)
    return found


def test_only_this_machine_is_listened_to(yard):
    """Of all its processes the api listens, and the worker for who measures it: at 127.0.0.1."""
    pids = [yard.server.pid, *descendants(yard.server.pid)]
    sockets = {
        link.removeprefix("socket:[").removesuffix("]")
        for pid in pids
        for link in open_files(pid)
        if link.startswith("socket:[")
    }
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = words = line.split()
            if state == _LISTEN and words[9] in sockets:
                listening.add(local)

    assert {place.split(":")[0] for place in listening} == {_LOOPBACK}
    assert f"{_LOOPBACK}:{yard.port:04X}" in listening
    assert len(listening) == 2


@pytest.mark.parametrize("command", ["up", "api"])
def test_a_taken_port_gets_a_sentence(command, place):
    """Where another program listens, nothing starts, and the exit code is 1."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        where = f"--port={port}", "--database=host=/nowhere"
        done = _laydown(command, place, *where, settings={"SCANNER": "none"})

    assert done.returncode == 1
    assert done.stderr.startswith(f"laydown: port {port} of 127.0.0.1 is taken: ")
    assert done.stderr.count("\n") == 1


def test_an_address_of_another_machine_gets_a_sentence(place):
    """A host that is not ours is named."""
    done = _laydown("up", place, "--host=192.0.2.1", "--port=0")  # TEST-NET-1, nobody's

    assert done.returncode == 1
    assert done.stderr.startswith("laydown: 192.0.2.1 is no address of this machine")


@pytest.mark.parametrize("command", ["api", "worker"])
def test_a_database_without_our_schema_gets_a_sentence(command, postgres, place):
    """Before `laydown migrate` ran, nothing is served and no job is looked for."""
    unprepared = replace(postgres, database="postgres").dsn("postgres")

    settings = {"PORT": "0", "SCANNER": "none"}
    done = _laydown(command, place, f"--database={unprepared}", settings=settings)

    assert done.returncode == 1
    assert done.stderr == ("laydown: this database lacks our schema: run `laydown migrate` first\n")


@pytest.mark.parametrize("command", ["api", "worker"])
def test_nobody_runs_without_a_scanner_by_accident(command, place):
    """Alone, an api and a worker want to be told who looks for malware, and name the choices."""
    done = _laydown(command, place, "--database=host=/nowhere")

    assert done.returncode == 2
    assert "LAYDOWN_SCANNER=clamav://" in done.stderr
    assert "guardduty, or none" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_newer_schema_gets_a_sentence(database, place):
    """What a newer laydown has taken something away from is left alone."""
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO schema_migrations (number) VALUES (9999)")
        connection.execute("UPDATE schema_floor SET least = 9999")

    done = _laydown("up", place, "--port=0", f"--database={database}")

    assert done.returncode == 1
    assert done.stderr.startswith("laydown: the database needs a laydown that knows migration 9999")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"), [("PORTS", "1"), ("PORT", "many"), ("FLUSH", "never"), ("URL_LIFE", "1")]
)
def test_a_wrong_setting_gets_a_sentence(name, value, place):
    """A variable that is no setting, or has no sense, is named, and the exit code is 2."""
    done = _laydown("up", place, settings={name: value})

    assert done.returncode == 2
    assert f"LAYDOWN_{name}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (place / "data").exists(), "nothing was begun"


def _laydown(
    command: str, place: Path, *options: str, settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "laydown", command, "--data", str(place / "data"), *options],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

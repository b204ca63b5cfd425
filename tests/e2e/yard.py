"""A real `laydown up` on a data directory of its own: started, pushed to, killed, looked into."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from laydown import Client
from laydown.embedded.instance import CONNECTION_FILE, Connection, read_connection
from laydown.embedded.postmaster import LockFile
from tests.e2e.embedded_support import alive

PATIENCE = 60.0  # seconds; what is awaited takes a few on a quiet machine
LAST_WORDS = 4_000  # characters of each log that a failure shows
_GLANCE = 0.01  # seconds between two looks at another process

# What a command line does, without one: push, and say in JSON what came of it.
_PUSH = """
import json, signal, sys
from laydown import Client
from laydown.client.errors import ClientError

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs may ignore it
url, token, project, jobs, *paths = sys.argv[1:]
with Client(url, token) as client:
    try:
        result = client.push(paths, project=project, jobs=int(jobs))
    except ClientError as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
print(json.dumps({
    "batch": str(result.batch.id),
    "state": result.batch.state,
    "counts": result.batch.counts,
    "reasons": result.batch.reasons,
    "bytes_sent": result.bytes_sent,
    "seconds": result.seconds,
    "is_success": result.is_success,
    "unreadable": [[trouble.path, trouble.why] for trouble in result.unreadable],
}))
sys.exit(0 if result.is_success else 1)
"""


def until(claim: Callable[[], Any], *, what: str, within: float = PATIENCE) -> Any:
    """Return what *claim* returns once that is true; fail with *what* was expected otherwise."""
    deadline = time.monotonic() + within
    while not (held := claim()):
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen within {within:g} s: {what}")
        time.sleep(_GLANCE)
    return held


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """How a push ended: its exit code, and what it said of itself."""

    code: int
    said: Mapping[str, Any]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many files of the batch are in each state."""
        return self.said["counts"]

    @property
    def sent(self) -> int:
        """Bytes that were acknowledged in this push."""
        return self.said["bytes_sent"]


class Push:
    """A push as a process of its own."""

    def __init__(self, connection: Connection, paths: Sequence[Path], project: str, jobs: int):
        named = [connection.url, connection.token, project, str(jobs), *map(str, paths)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PUSH, *named],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def is_over_within(self, seconds: float) -> bool:
        """Wait for at most so long; say whether it has ended."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it as a power cut would, if it hasn't ended; may be repeated."""
        assert self.process.stdout is not None
        if not self.process.stdout.closed:
            self.process.kill()
            self.process.communicate(timeout=PATIENCE)

    def interrupt(self) -> int:
        """Press Ctrl-C; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def end(self, *, within: float = PATIENCE) -> Pushed:
        """Wait for its end."""
        try:
            said, complaints = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"the push did not end within {within:g} s")
        if not said:
            pytest.fail(f"the push failed with exit code {self.process.returncode}:\n{complaints}")
        return Pushed(code=self.process.returncode, said=json.loads(said))


@dataclass
class Yard:
    """A data directory, and the laydown that runs on it, if one does."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)  # LAYDOWN_* of the server
    prefix: Sequence[str] = ()  # before the command; must `exec` it
    interpreter: str = sys.executable
    options: Mapping[str, Any] = field(default_factory=dict)  # of Popen: another user's
    server: subprocess.Popen[bytes] | None = None
    pushes: list[Push] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        """How to reach it, as clients of this machine learn it."""
        return read_connection(self.data / CONNECTION_FILE)

    @property
    def port(self) -> int:
        """Where it listens, or last did."""
        return urlsplit(self.connection.url).port or 0

    @property
    def seen(self) -> Path:
        """The data directory as the server sees it, who may have mounted something there."""
        if not self.prefix or self.server is None:
            return self.data
        return Path(f"/proc/{self.server.pid}/root{self.data}")

    @property
    def log(self) -> str:
        """What every `laydown up` on this directory has told its terminal."""
        return self.data.with_suffix(".log").read_text()

    def start(self, *, port: int = 0) -> None:
        """Start it and return as soon as it is ready to work."""
        before = _stamp(self.data / CONNECTION_FILE)
        self.launch(port=port)
        until(
            lambda: self._is_gone() or _stamp(self.data / CONNECTION_FILE) not in (None, before),
            what="connection.json is written",
        )
        until(lambda: self._is_gone() or self.is_ready(), what="readyz says yes")
        assert not self._is_gone(), f"laydown up ended: {self.log}"

    def launch(self, *, port: int = 0) -> subprocess.Popen[bytes]:
        """Start it and return at once."""
        command = [*self.prefix, self.interpreter, "-m", "laydown", "up"]
        # A scanner that happens to be installed takes a GB and half a minute to start; refused
        # bytes that were kept for a while would have to be waited for.
        settings = {"SCANNER": "none", "QUARANTINE": "0", **self.settings}
        options = {"env": environment(settings), **self.options}
        with self.data.with_suffix(".log").open("ab") as log:
            self.server = subprocess.Popen(
                [*command, "--data", str(self.data), "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **options,
            )
        return self.server

    def is_ready(self) -> bool:
        """Say whether it answers that it can work."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, *, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and wait until it has; return its exit code."""
        assert self.server is not None
        self.server.send_signal(with_signal)
        return self.server.wait(timeout=PATIENCE)

    def pid_of(self, part: str) -> int:
        """Return the process id of the api, the worker or postgres, once that one runs."""
        assert self.server is not None
        root = self.server.pid
        return until(
            lambda: next((pid for pid in children(root) if _is(part, pid)), None),
            what=f"the {part} runs",
        )

    def kill(self, part: str) -> None:
        """End a part as the kernel's memory killer would, and wait until it is gone."""
        pid = self.pid_of(part)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid), what=f"the {part} is gone")

    def crash(self) -> None:
        """End everything at once, as a power cut would."""
        assert self.server is not None
        victims: set[int] = set()
        # Stopped first, so that none acts on the death of another; and looked for again, because
        # one may just have started another.
        while new := self._processes() - victims:
            for pid in new:
                tell(pid, signal.SIGSTOP)
            until(lambda new=new: all(map(stands_still, new)), what="every process stands still")
            victims |= new
        for pid in victims:
            tell(pid, signal.SIGKILL)
        self.server.wait(timeout=PATIENCE)
        until(lambda: not processes_at(self.data), what="every process is gone")

    def start_push(
        self, *paths: Path, project: str = "X", jobs: int = 4, via: int | None = None
    ) -> Push:
        """Begin a push in a process of its own, to the port *via* of this machine if given."""
        connection = self.connection
        if via is not None:
            connection = Connection(f"http://127.0.0.1:{via}", connection.token)
        self.pushes.append(Push(connection, paths, project, jobs))
        return self.pushes[-1]

    def push(self, *paths: Path, project: str = "X") -> Pushed:
        """Push, and return how that ended."""
        return self.start_push(*paths, project=project).end()

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Speak to it."""
        connection = self.connection
        with Client(connection.url, connection.token, timeout=PATIENCE) as client:
            yield client

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Look into its database as the superuser."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            yield connection

    @property
    def dsn(self) -> str:
        """How the superuser reaches its database."""
        lock = LockFile.read(self.data / "postgres")
        assert lock is not None
        return f"host={lock.sockets} port={lock.port} dbname=laydown user=postgres"

    def last_words(self) -> Iterator[tuple[str, str]]:
        """Yield the command, if it was ever started, and the end of its log."""
        if self.data.with_suffix(".log").exists():
            yield "laydown up", self.log[-LAST_WORDS:]

    def dispose(self) -> None:
        """End whatever still runs, and delete everything."""
        for push in self.pushes:
            push.kill()
        if self.server is not None and self.server.poll() is None:
            self.crash()
        for pid in processes_at(self.data):
            tell(pid, signal.SIGKILL)
        shutil.rmtree(self.data, ignore_errors=True)

    def _processes(self) -> set[int]:
        assert self.server is not None
        return {self.server.pid, *descendants(self.server.pid), *processes_at(self.data)}

    def _is_gone(self) -> bool:
        return self.server is None or self.server.poll() is not None


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment with these `LAYDOWN_*` and no others."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("LAYDOWN_")}
    return {**inherited, **{f"LAYDOWN_{name}": text for name, text in (settings or {}).items()}}


def children(pid: int) -> list[int]:
    """Return the process ids of the live children of a process."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [child for child in map(int, listed) if alive(child)]


def tell(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def descendants(pid: int) -> list[int]:
    """Return the process ids of everything alive below a process."""
    found = children(pid)
    return found + [each for child in found for each in descendants(child)]


def stands_still(pid: int) -> bool:
    """Tell whether no thread of a process runs: each is stopped, or dead."""
    try:
        threads = [(each / "stat").read_text() for each in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return not alive(pid)
    return all(thread.rpartition(")")[2].split()[0] in {"T", "Z", "X"} for thread in threads)


def processes_at(folder: Path) -> list[int]:
    """Return the processes that work in *folder*, or have a file open below it."""
    mine = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [pid for pid in mine if pid != os.getpid() and alive(pid) and _touches(pid, folder)]


def _touches(pid: int, folder: Path) -> bool:
    process = Path(f"/proc/{pid}")
    try:
        links = [process / "cwd", *(process / "fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    for link in links:
        try:
            if link.readlink().is_relative_to(folder):
                return True
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return False


def _is(part: str, pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    if part == "postgres":
        return words[0].endswith(b"/postgres")
    return words[1:4] == [b"-m", b"laydown", part.encode()]


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns

"""One server of the test session: started, stopped, hurt on purpose, and never left behind."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

ROOM: Final = 4 << 30  # bytes; what makes it worth keeping the files in memory
POLL: Final = 0.02  # seconds between two questions whether a server is ready
# Below the range that Linux hands out to outgoing connections: a server that was killed must
# find its ports free when it is started again.
PORTS: Final = range(20_000, 32_000)
# Reads until the session says that all is well, or is gone; a stopped process dies as well.
_GUARD: Final = 'read -r _ || kill -s KILL -- "-$1"'


class EngineMissingError(Exception):
    """The program isn't installed here; says how it would be."""


class EngineFailedError(Exception):
    """The program is there, and didn't become ready; holds the end of its log."""


class Process:
    """A server that can be paused, killed and started again, on the same ports and files."""

    def __init__(
        self, name: str, argv: Sequence[str | Path], *, folder: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._argv = argv
        self._folder = folder
        self._env = {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(folder), **env}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], *, within: float = 30.0) -> None:
        """Start the server and wait until *ready* says so.

        Raises `EngineFailedError`, with the end of the log, when it ends or takes longer than
        *within* seconds; it doesn't run then.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # Not the kernel's parent-death signal: it is sent when the *thread* that started the
        # server ends, and tests start it from several.
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self._process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + within
        while not ready():
            if self._process.poll() is not None:
                raise self._failure(f"ended with code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {within:g} s")
            time.sleep(POLL)

    @property
    def pid(self) -> int:
        """The process id, also the group's; raises `RuntimeError` when it doesn't run."""
        if self._process is None:
            raise RuntimeError(f"{self.name} doesn't run")
        return self._process.pid

    def pause(self) -> None:
        """Stop it where it is: connections stay open, and nothing is answered."""
        os.killpg(self.pid, signal.SIGSTOP)
        # Sending the signal stops no thread yet: one that runs may still answer. The kernel
        # reports the stop when every thread has stopped.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        os.killpg(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, without a word of warning; does nothing when it doesn't run."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for zombies
            os.killpg(self._process.pid, signal.SIGKILL)
        self._release()
        self._process.wait()
        self._process = None

    def _release(self) -> None:
        """Tell the guard that there is nothing left to end, while the id is still ours."""
        if self._guard is not None:
            with suppress(BrokenPipeError):
                self._guard.communicate(b"done\n")
            self._guard = None

    def _failure(self, how: str) -> EngineFailedError:
        self.kill()
        lines = self.log.read_text(errors="replace").splitlines()[-30:]
        return EngineFailedError("\n".join([f"{self.name} {how}; its last words:", *lines]))


def program(name: str, *, otherwise: str) -> Path:
    """Return where the program *name* is: beside this Python, in PATH, or among the daemons.

    Raises `EngineMissingError` with *otherwise*, which says how to get it.
    """
    search = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), "/usr/sbin"]
    if found := shutil.which(name, path=os.pathsep.join(search)):
        return Path(found)
    raise EngineMissingError(f"there is no {name}: {otherwise}")


def free_ports(count: int) -> list[int]:
    """Return *count* different ports of 127.0.0.1 that nobody listens on."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, k=len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise EngineFailedError(f"there are no {count} free ports in {PORTS}")


@contextmanager
def folder(prefix: str) -> Iterator[Path]:
    """Yield an empty folder, in memory when there is room, and remove it with all it holds."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

"""Servers of the benchmark: started on one core, stopped by process id, whatever happens."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from bench.procfs import tree

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.02
_LOG_TAIL_BYTES = 2_000
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


class ServerFailed(Exception):
    """A server did not start, or died; the message ends with what it last said."""


def adopt_orphans() -> None:
    """Become the parent of every orphaned descendant, so that no server process gets lost."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Tell whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def descendants() -> set[int]:
    """Return every process that this one started, directly or not: all servers there are."""
    own = os.getpid()
    return tree(own) - {own}


def kill_strays() -> list[int]:
    """Kill every process left behind by servers that have been stopped; return their ids."""
    strays = sorted(descendants())
    for pid in strays:
        _kill(pid)
    return strays


class ServerProcess:
    """A server and everything it started, on one core."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cpu: int,
        log: Path,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self._log = log
        self._stop_signal = stop_signal
        # Both replace themselves by the next command, so the process id stays that of the server.
        # Should the benchmark be killed, the kernel tells the server to end.
        prefix = ["taskset", "-c", str(cpu), "setpriv", "--pdeathsig", stop_signal.name]
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [*prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=None if env is None else {**os.environ, **env},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return once *ready* says so.

        Raises `ServerFailed` when the server ends, or a minute passes, before that.
        """
        patience = time.monotonic() + _START_SECONDS
        while not ready():
            if self._process.poll() is not None:
                raise ServerFailed(self._last_words(f"ended with {self._process.returncode}"))
            if time.monotonic() > patience:
                raise ServerFailed(self._last_words(f"was not ready in {_START_SECONDS:.0f} s"))
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Ask the server to end, wait, and kill what is left of it. May be repeated."""
        members = tree(self.pid)
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pid in members & descendants():
            _kill(pid)

    def _last_words(self, what: str) -> str:
        said = self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return f"{self.name} {what}; it last said:\n{said or '(nothing)'}"


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):  # somebody else's child: its own parent reaps it
        os.waitpid(pid, 0)

"""One child process of `laydown up`, from its start to the last of its own children."""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from laydown.embedded import logs
from laydown.embedded.lifeline import LIFELINE_VARIABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run, and how to see that it works."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]  # all of it; the lifeline's variable is added
    ready: Callable[[], Awaitable[bool]] | None = None  # asked until it says yes; None: no need
    ready_within: float = 30.0  # seconds; a child that needs longer counts as failed
    inherits: Sequence[int] = ()  # descriptors it gets under the same numbers
    log: Path | None = None  # where stdout and stderr go; None: where ours go


class Child:
    """A process that can be started, told to stop, and killed with everything it left."""

    def __init__(self, spec: ChildSpec, *, lifeline: int) -> None:
        self.spec = spec
        self.was_ready = asyncio.Event()
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None
        self._exit: asyncio.Future[int] | None = None

    def start(self) -> None:
        """Start the process; only for one that isn't running.

        It gets a session of its own: the terminal's Ctrl-C reaches the supervisor alone, which
        then says once, and in order, who is to stop. Blocks a few milliseconds on purpose: a
        cancellation can't come between the fork and our knowing of the child.
        """
        log = None if self.spec.log is None else logs.open_log(self.spec.log)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what `laydown up` asked for
                self.spec.argv,
                env={**self.spec.env, LIFELINE_VARIABLE: str(self._lifeline)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._lifeline, *self.spec.inherits),
                start_new_session=True,
            )
        finally:
            if log is not None:
                os.close(log)
        self._exit = _exit_of(self._process)

    @property
    def is_running(self) -> bool:
        """Whether the process was started and hasn't ended."""
        return self._exit is not None and not self._exit.done()

    async def ended(self) -> int:
        """Wait for the process to end; return its code, negative for the signal that ended it.

        When this returns, nothing that it started in its own session lives either.
        """
        if self._exit is None:
            return 0
        return await asyncio.shield(self._exit)

    def terminate(self) -> None:
        """Ask the process to stop, if it runs."""
        if self.is_running and self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and everything in its session's group at once, if it runs."""
        if self.is_running and self._process is not None:
            _kill_group(self._process.pid)


def exit_words(code: int) -> str:
    """Say how a process ended, from its code."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


def _exit_of(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """Return a future of the exit code of *process*.

    A thread waits, not the loop's own child watcher: every event loop then behaves alike.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()

    def deliver(code: int) -> None:
        if not future.done():
            future.set_result(code)

    def wait() -> None:
        code = process.wait()
        _kill_group(process.pid)  # what it left behind
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(deliver, code)

    threading.Thread(target=wait, name=f"wait-{process.pid}", daemon=True).start()
    return future


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(leader, signal.SIGKILL)

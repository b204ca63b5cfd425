"""How the children of `laydown up` learn that it is gone, even by `kill -9`.

The supervisor holds the write end of a pipe that every child inherits the read end of, and
never writes. Whatever ends the supervisor closes the pipe, and the children read its end.

Why not `prctl(PR_SET_PDEATHSIG)`: Linux alone has it; it must be set between fork and exec,
where Python can't safely run code once there are threads; it fires when the *thread* that
forked ends, and is forgotten when a program changes its user. The pipe has none of these traps.
"""

import asyncio
import os
import signal
import stat
import threading
import time
from contextlib import suppress
from typing import Final

LIFELINE_VARIABLE: Final = "LAYDOWN_LIFELINE_FD"
"""The environment variable that names the descriptor; a child without it has no supervisor."""


async def parent_gone(fd: int, *, mercy: float = 30.0) -> None:
    """Return once the supervisor at the other end of *fd* is gone; then stop this process.

    Whether or not anyone listens, the process and its group are killed *mercy* seconds
    later: a thread watches, so an event loop that hangs can't keep an orphan alive.
    Takes over *fd*; call it once. Raises `ValueError` when *fd* isn't a lifeline.
    """
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        is_pipe = False
    if not is_pipe:
        raise ValueError(f"descriptor {fd} is no lifeline: unset {LIFELINE_VARIABLE}")
    os.set_inheritable(fd, False)  # noqa: FBT003 - positional only
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def watch() -> None:
        with suppress(OSError):
            while os.read(fd, 1):
                pass  # nobody writes here; only the end of it means something
        with suppress(RuntimeError):  # the loop is closed: this process is ending anyway
            loop.call_soon_threadsafe(gone.set)
        time.sleep(mercy)
        _end_it_all()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    await gone.wait()


def _end_it_all() -> None:
    if os.getpgid(0) == os.getpid():  # started by the supervisor: the group is ours alone
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

"""Which processes belong to a Postgres data directory, found without asking Postgres.

Every Postgres process works in its data directory, a fact the kernel keeps even when
`postmaster.pid` is stale, names a process id that was given to somebody else, or is gone.
"""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

POLL = 0.01  # seconds between two looks at a process that is about to go

_PROC = Path("/proc")
_NAMES = frozenset({"postgres", "initdb"})  # a shell that stands in the directory is not ours


def processes_in(directory: Path) -> frozenset[int]:
    """Return the ids of the Postgres processes that work in *directory*; empty without /proc."""
    if not _PROC.is_dir():
        return frozenset()
    candidates = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())
    return frozenset(pid for pid in candidates if works_in(pid, directory))


def works_in(pid: int, directory: Path) -> bool:
    """Tell whether *pid* is a live Postgres process of *directory* (a zombie isn't).

    Where there is no /proc, any live process with that id is believed.
    """
    if not _PROC.is_dir():
        return _is_alive(pid)
    process = _PROC / str(pid)
    try:
        if (process / "comm").read_text(errors="replace").rstrip("\n") not in _NAMES:
            return False
        try:
            return (process / "cwd").samefile(directory)
        except PermissionError:
            return _names(process, directory)
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return False


def is_taken(pid: int) -> bool:
    """Tell whether any process, dead and unmourned ones included, has that id; no without /proc."""
    return (_PROC / str(pid)).exists()


def cluster_name(directory: Path) -> str:
    """Return the name that the processes of *directory* carry in their titles."""
    status = directory.stat()
    return f"laydown-{status.st_dev:x}-{status.st_ino:x}"


async def end_processes_in(directory: Path, *, patience: float = 5.0) -> None:
    """End what still works in *directory*: first as Postgres asks to be, after *patience* by force.

    For backends whose postmaster was killed: they hold its shared memory, and as long as
    one lives no new postmaster may start. They lose nothing that was committed.
    Raises `TimeoutError` for a process that survives SIGKILL as long again (a stuck disk).
    """
    for number in (signal.SIGQUIT, signal.SIGKILL):
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while alive := await asyncio.to_thread(processes_in, directory):
                    for pid in alive:
                        with suppress(ProcessLookupError):
                            os.kill(pid, number)
                    await asyncio.sleep(POLL)
                return
    raise TimeoutError


def _names(process: Path, directory: Path) -> bool:
    # Root without CAP_SYS_PTRACE (a container) can't see where another user's process works,
    # but it can read its title: children carry the cluster's name, the postmaster its path.
    title = (process / "cmdline").read_bytes().split(b"\0")
    if os.fsencode(directory) in title:
        return True
    with suppress(FileNotFoundError):
        return title[0].startswith(f"postgres: {cluster_name(directory)}: ".encode())
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""Ways to make written bytes and directory entries survive a power cut.

A flush that failed must never be tried again: the kernel reports a lost page once, marks it clean
and says yes the next time. What was written before a failed flush has to be written anew.
"""

import ctypes
import os
import platform
import re
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Protocol

_FSYNC_THREADS = 8  # measured: twice the rate of one thread; the disk's queue orders them
_SYNCFS_REPORTS_SINCE = (5, 8)  # syncfs(2), VERSIONS: earlier kernels hide write errors


class FlushMode(StrEnum):
    """How a group is made durable."""

    AUTO = "auto"  # syncfs where it tells of errors, else fsync
    SYNCFS = "syncfs"  # the whole file system at once: best when the store has one of its own
    FSYNC = "fsync"  # each file and directory


class Flush(Protocol):
    """Makes files and directory entries durable. Blocks; raises `OSError` when it could not."""

    needs_files: bool  # whether files stay open until they are flushed

    def __call__(self, files: Sequence[int], folders: Collection[str]) -> None:
        """Return when these open files, and the entries of these directories, are durable."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class SyncFs:
    """Flushes the whole file system of the store with one call.

    The descriptor is opened at the start and kept: the kernel reports to it every write error of
    the file system since then, so that none passes between two groups unseen.
    """

    needs_files = False

    def __init__(self, root: str) -> None:
        self._syncfs = ctypes.CDLL(None, use_errno=True).syncfs
        self._fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __call__(self, files: Sequence[int], folders: Collection[str]) -> None:
        """Flush everything; *files* and *folders* are part of it."""
        del files, folders
        if self._syncfs(self._fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def close(self) -> None:
        """Close the descriptor. May be repeated."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class FSync:
    """Flushes each file, several at a time, then each directory."""

    needs_files = True

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_FSYNC_THREADS, thread_name_prefix="laydown-fsync")

    def __call__(self, files: Sequence[int], folders: Collection[str]) -> None:
        """Flush the data first, so that no name ever leads to bytes that aren't there."""
        for _ in self._pool.map(os.fdatasync, files):
            pass
        for _ in self._pool.map(flush_folder, folders):
            pass

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def make_flush(root: str, mode: FlushMode) -> Flush:
    """Return the flush for a store at *root*."""
    if mode is FlushMode.SYNCFS or (mode is FlushMode.AUTO and _syncfs_tells()):
        return SyncFs(root)
    return FSync()


def flush_folder(path: str) -> None:
    """Make the entries of a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def flush_file(path: str) -> None:
    """Make the bytes of a file durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _syncfs_tells() -> bool:
    if platform.system() != "Linux":
        return False
    release = re.match(r"(\d+)\.(\d+)", platform.release())
    return release is not None and (int(release[1]), int(release[2])) >= _SYNCFS_REPORTS_SINCE

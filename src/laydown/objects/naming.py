"""Giving a file its name without ever taking one that is in use."""

import ctypes
import errno
import functools
import os
from collections.abc import Callable
from pathlib import Path

_AT_FDCWD = -100  # <fcntl.h>: paths are relative to the working directory
_RENAME_NOREPLACE = 1  # <linux/fs.h>
_NOT_OFFERED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


def rename_new(source: str, target: str) -> bool:
    """Rename a file, or return False when *target* exists: atomic, and it replaces nothing.

    Raises `FileNotFoundError` when the directory of *target*, or *source*, is missing.
    """
    rename = _renameat2()
    if rename is not None:
        if (
            rename(
                _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE
            )
            == 0
        ):
            return True
        number = ctypes.get_errno()
        if number == errno.EEXIST:
            return False
        if number not in _NOT_OFFERED:
            raise OSError(number, os.strerror(number), source, None, target)
    return _link_and_unlink(source, target)


def make_folders(path: str, *, below: str) -> list[str]:
    """Make a directory and what is missing above it; return the directories that got an entry.

    *below* exists. Another process may make them at the same time.
    """
    changed: list[str] = []
    folder = Path(path)
    missing = [folder]
    while str(missing[-1].parent) != below:
        missing.append(missing[-1].parent)
    for name in reversed(missing):
        name.mkdir(mode=0o700, exist_ok=True)
        changed.append(str(name.parent))
    return changed


def _link_and_unlink(source: str, target: str) -> bool:
    """Do the same on file systems without RENAME_NOREPLACE (NFS)."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    Path(source).unlink()
    return True


@functools.cache
def _renameat2() -> Callable[..., int] | None:
    """Return the C library's function, or None where it has none (before glibc 2.28; macOS)."""
    function: Callable[..., int] | None = getattr(
        ctypes.CDLL(None, use_errno=True), "renameat2", None
    )
    return function

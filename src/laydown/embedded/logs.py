"""Log files of the child processes: private, appended to, and never larger than they should be."""

import os
import shutil
from pathlib import Path

LIMIT = 8 * 1024 * 1024  # bytes; with the one predecessor that is kept, 16 MiB a log
TRIM_EVERY = 60.0  # seconds between two looks at a growing log


def open_log(path: Path) -> int:
    """Return a descriptor that appends to *path*; the file and its directory are private.

    A log past its limit first becomes `<name>.1`. Only for a log that nobody writes to.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _size(path) > LIMIT:
        path.replace(_predecessor(path))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def trim_log(path: Path) -> None:
    """Move what *path* holds to `<name>.1` when it is past its limit, under its writers' feet.

    The writers append, so they go on at the new end. A line written between the copy and the
    cut is lost; that is the price of needing no one to reopen anything.
    """
    if _size(path) <= LIMIT:
        return
    shutil.copyfile(path, _predecessor(path))
    os.truncate(path, 0)


def tail(path: Path, *, start: int, lines: int = 5) -> str:
    """Return the last *lines* of what *path* got after byte *start*; empty when unreadable."""
    try:
        with path.open("rb") as log:
            log.seek(max(start, _size(path) - 16_384))
            text = log.read(16_384).decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


def _predecessor(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

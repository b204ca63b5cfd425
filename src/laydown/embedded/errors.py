"""What can keep a machine from running laydown by itself; every message says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class EmbeddedError(Exception):
    """Root of what this package raises on purpose; its text is meant for a person."""


class EmbeddedPostgresError(EmbeddedError):
    """The embedded Postgres can't be made, started or stopped."""


class DataDirectoryBusy(EmbeddedError):
    """Another laydown holds this data directory; `pid` is its process id where known."""

    def __init__(self, directory: Path, *, pid: int | None) -> None:
        holder = "another laydown" if pid is None else f"the laydown with process id {pid}"
        super().__init__(
            f"{directory} is in use by {holder}: stop that one, or choose another data directory"
        )
        self.pid = pid


class ConnectionUnknown(EmbeddedError):
    """The data directory doesn't say how to reach a running laydown."""


def os_error_sentence(error: OSError, place: Path) -> str:
    """Say what the operating system refused at *place*, and what to do about it."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk that holds {place} is full: free some space, then start again"
        case errno.EACCES | errno.EPERM:
            return (
                f"{error.filename or place} may not be written or entered by this user: "
                "correct its owner or permissions, or choose another data directory"
            )
        case errno.EROFS:
            return f"{place} is on a read-only file system: choose another data directory"
        case errno.ENOTDIR | errno.EEXIST:
            return f"{error.filename or place} is not a directory: choose another data directory"
        case errno.ENAMETOOLONG:
            return f"{place} is too long a path: choose a shorter data directory"
        case _:
            return f"{place} can't be used: {error.strerror or error}"


@contextmanager
def in_our_words(place: Path) -> Iterator[None]:
    """Turn an `OSError` raised inside into an `EmbeddedPostgresError` about *place*."""
    try:
        yield
    except OSError as error:
        raise EmbeddedPostgresError(os_error_sentence(error, place)) from error

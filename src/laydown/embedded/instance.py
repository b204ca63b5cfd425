"""A data directory belongs to one running laydown, which says there how to reach it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laydown.embedded.durable import flush_directory
from laydown.embedded.errors import (
    ConnectionUnknown,
    DataDirectoryBusy,
    EmbeddedError,
    os_error_sentence,
)

__all__ = [
    "CONNECTION_FILE",
    "LOCK_FILE",
    "Connection",
    "ConnectionUnknown",
    "DataDirectoryBusy",
    "own",
    "read_connection",
    "write_connection",
]

LOCK_FILE: Final = "laydown.lock"
CONNECTION_FILE: Final = "connection.json"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a running laydown is, and a token it accepts."""

    url: str
    token: str
    database: str | None = None  # our own Postgres, for commands that prepare it

    def __repr__(self) -> str:
        """Show everything but the token, which is a secret."""
        return f"Connection(url={self.url!r})"


@contextmanager
def own(data: Path) -> Iterator[None]:
    """Be the only laydown that uses *data*, which is made if need be, while inside.

    The lock goes with the process, however that ends; the file stays.
    Raises `DataDirectoryBusy`, and `EmbeddedError` when the directory can't be used.
    """
    lock = data / LOCK_FILE
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EmbeddedError(os_error_sentence(error, data)) from error
    try:
        _lock(descriptor, data)
        yield
    finally:
        os.close(descriptor)


def write_connection(path: Path, url: str, token: str, *, database: str | None = None) -> None:
    """Say in *path* how to reach this laydown; the file is private, and whole at any time.

    *database* is our own Postgres, which only its owner may enter. Raises `EmbeddedError` when
    it can't be written.
    """
    said = {"url": url, "token": token} | ({} if database is None else {"database": database})
    text = json.dumps(said, indent=2) + "\n"
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with suppress(FileNotFoundError):
            draft.unlink()  # left by one that was killed, perhaps with other permissions
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        flush_directory(path.parent)
    except OSError as error:
        raise EmbeddedError(os_error_sentence(error, path)) from error


def read_connection(path: Path) -> Connection:
    """Return how to reach the laydown that wrote *path*.

    Raises `ConnectionUnknown` with a sentence when there is none, or none that is readable.
    """
    try:
        said = json.loads(path.read_bytes())
        url, token = said["url"], said["token"]
    except (FileNotFoundError, NotADirectoryError):
        raise ConnectionUnknown(
            f"no laydown has run here ({path} does not exist): start one with `laydown up`, "
            "or say where it is and give a token"
        ) from None
    except OSError as error:
        raise ConnectionUnknown(
            f"{path} can't be read ({error.strerror}): run this as the user who runs `laydown up`"
        ) from error
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    if not (isinstance(url, str) and isinstance(token, str) and url and token):
        raise _damaged(path)
    database = said.get("database")
    return Connection(url, token, database if isinstance(database, str) else None)


def _damaged(path: Path) -> ConnectionUnknown:
    return ConnectionUnknown(f"{path} is damaged: stop laydown and start it again to renew it")


def _lock(descriptor: int, data: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).strip()
        raise DataDirectoryBusy(data, pid=int(holder) if holder.isdigit() else None) from None
    except OSError as error:
        raise EmbeddedError(os_error_sentence(error, data)) from error

"""Where the bytes of one body go. Everything here blocks and runs in threads."""

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from laydown.domain.errors import StoreFull, StoreUnavailable
from laydown.objects.naming import make_folders, rename_new

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MOST_BUFFERS = 1024  # IOV_MAX on Linux: buffers in one writev


Chunk: TypeAlias = bytes | memoryview
"""A piece of a body; a view keeps what was received from being copied."""


class Destination(Protocol):
    """A place for one body. Raises `StoreFull` and `StoreUnavailable`."""

    fd: int  # open, or -1

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Append *chunks* to what was written."""
        ...

    def close(self) -> None:
        """Close the file, if it is open; what was written stays."""
        ...

    def place(self) -> bool:
        """Give the written bytes their final name, or return False when it is taken."""
        ...

    def replace(self) -> None:
        """Give them their final name, whoever had it."""
        ...

    def drop(self) -> None:
        """Forget what was written, placed or not."""
        ...

    @property
    def folders(self) -> Sequence[str]:
        """The directories whose entries changed."""
        ...


class NewObject:
    """A whole object, written below `incoming/` and then moved to its place."""

    def __init__(self, draft: str, target: str, *, objects: str) -> None:
        self.fd = -1
        self.folders: list[str] = []
        self._draft = draft
        self._target = target
        self._folder = target.rpartition("/")[0]
        self._objects = objects
        self._at = 0
        self._is_made = False
        self._is_placed = False

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Append *chunks*; the first call, even without any, makes the file."""
        with in_our_words():
            if self.fd < 0:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                self.fd = os.open(self._draft, flags, 0o600)
                self._is_made = True
            self._at += write_at(self.fd, chunks, self._at)

    def close(self) -> None:
        """Close the file, if it is open."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def place(self) -> bool:
        """Move the file to its place unless there is an object already."""
        with in_our_words():
            try:
                self._is_placed = rename_new(self._draft, self._target)
            except FileNotFoundError:
                self.folders += make_folders(self._folder, below=self._objects)
                self._is_placed = rename_new(self._draft, self._target)
        self.folders.append(self._folder)
        return self._is_placed

    def replace(self) -> None:
        """Move the file to its place, over what a crash left there."""
        with in_our_words():
            Path(self._draft).replace(self._target)
        self._is_placed = True

    def drop(self) -> None:
        """Delete the file wherever it is; an object that was there before us stays."""
        self.close()
        if self._is_made:
            Path(self._target if self._is_placed else self._draft).unlink(missing_ok=True)
            self._is_made = False


class StagedRange:
    """A range of a file that arrives in parts, written where it belongs."""

    def __init__(self, path: str, *, offset: int) -> None:
        self.fd = -1
        self.folders = (path.rpartition("/")[0],)
        self._path = path
        self._at = offset

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Write *chunks* after what was written."""
        with in_our_words():
            if self.fd < 0:
                flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
                self.fd = os.open(self._path, flags, 0o600)
            self._at += write_at(self.fd, chunks, self._at)

    def close(self) -> None:
        """Close the file, if it is open."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def place(self) -> bool:
        """Say yes: the bytes are where they belong."""
        return True

    def replace(self) -> None:
        """Do nothing: the bytes are where they belong."""

    def drop(self) -> None:
        """Leave the bytes of a part that nobody recorded; sending it again overwrites them."""
        self.close()


class Nowhere:
    """For a part that is recorded and never rewritten: only its checksum is wanted."""

    fd = -1
    folders = ()

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Store nothing."""

    def close(self) -> None:
        """Do nothing."""

    def place(self) -> bool:
        """Say yes: there is nothing to place."""
        return True

    def replace(self) -> None:
        """Do nothing."""

    def drop(self) -> None:
        """Do nothing."""


def write_at(fd: int, chunks: Sequence[Chunk], offset: int) -> int:
    """Write all of *chunks* at *offset* bytes into the file; return how many bytes that were."""
    total = sum(map(len, chunks))
    done = os.pwritev(fd, chunks[:_MOST_BUFFERS], offset) if chunks else 0
    while done < total:  # more buffers than one call takes, a signal, or a disk almost full
        done += os.pwritev(fd, _rest(chunks, done)[:_MOST_BUFFERS], offset + done)
    return total


@contextlib.contextmanager
def in_our_words() -> Iterator[None]:
    """Say what an `OSError` means to a client: no path, no number."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull("there is no room left for these bytes") from error
        raise StoreUnavailable("the store could not write these bytes") from error


def _rest(chunks: Sequence[Chunk], done: int) -> list[memoryview]:
    """Return what follows the first *done* bytes of *chunks*."""
    rest: list[memoryview] = []
    for chunk in chunks:
        if done < len(chunk):
            rest.append(memoryview(chunk)[done:])
        done = max(0, done - len(chunk))
    return rest

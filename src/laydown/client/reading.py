"""Reading files: their digests, and their bytes again, noticing when they change meanwhile."""

import hashlib
import os
import re
import stat
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO

from laydown import wire
from laydown.client.checksum import crc64nvme, joined
from laydown.client.walk import Found, Trouble, reason_of

PIECE = 1 << 20  # bytes read at once

_TRIES = 3  # of reading a file that changes meanwhile
_LONGEST_KEY = 1_024  # bytes of UTF-8 that the server takes
_ODD = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # what the server takes in no key
_FIRST_YEAR = 1601  # before it, the server takes a time for a broken clock's

# Of a link put in the place of a file: refused. Of a pipe: not waited for. Neither is on Windows.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


class Changed(Exception):
    """The file is not the one that was read before."""


@dataclass(frozen=True, slots=True)
class Local:
    """A file as it was when it was read through."""

    path: str
    relative: str
    size: int
    modified_ns: int  # since 1970
    inode: int
    sha256: str  # hexadecimal
    crc64nvme: int
    pieces: Sequence[int] = field(default=(), compare=False)
    """The CRC64NVME of each MiB, where there are several."""

    @property
    def key(self) -> str:
        """What the entry is called: the path, or its digest where the path is fit for no key."""
        if not _ODD.search(self.relative) and len(self.relative.encode()) <= _LONGEST_KEY:
            return self.relative
        return "sha256:" + hashlib.sha256(os.fsencode(self.relative)).hexdigest()

    @property
    def modified_at(self) -> datetime | None:
        """When it was last written, as far as a clock can tell."""
        try:
            moment = datetime.fromtimestamp(self.modified_ns // 1000 / 1e6, UTC)
        except (OverflowError, ValueError, OSError):
            return None
        return moment if moment.year >= _FIRST_YEAR else None

    def entry(self) -> wire.Entry:
        """Return it as it is declared."""
        return wire.Entry(
            key=self.key,
            path=self.relative,
            size=self.size,
            sha256=self.sha256,
            modified_at=self.modified_at,
        )


def read_through(
    files: Sequence[Found], *, stop: threading.Event, tell: Callable[[int], None]
) -> list[Local | Trouble]:
    """Return every file's digests, or why it can't be read; *tell* is told bytes as they go by.

    Returns early, with fewer, once *stop* is set.
    """
    read: list[Local | Trouble] = []
    for file in files:
        if stop.is_set():
            break
        try:
            read.append(digest(file.path, file.relative, stop=stop, tell=tell))
        except Changed:
            read.append(Trouble(file.relative, "it keeps changing while it is read"))
        except OSError as error:
            read.append(Trouble(file.relative, reason_of(error)))
    return read


def digest(
    path: str, relative: str, *, stop: threading.Event, tell: Callable[[int], None]
) -> Local:
    """Return a file's digests, of one moment; raise `Changed` when there is no such, `OSError`."""
    for _ in range(_TRIES):
        with _opened(path) as (file, before):
            buffer = memoryview(bytearray(min(PIECE, before.st_size + 1)))  # + 1 to see the end
            sha256, pieces, size = hashlib.sha256(), array("Q"), 0
            # One byte more than it had tells that it grew; a log may grow faster than it is read.
            while size <= before.st_size:
                within = size % PIECE
                count = file.readinto(buffer[: PIECE - within])
                if not count or stop.is_set():
                    break
                sha256.update(buffer[:count])
                if not within:
                    pieces.append(0)
                pieces[-1] = crc64nvme(buffer[:count], pieces[-1])
                size += count
                tell(count)
            after = os.fstat(file.fileno())
        if _stamp(before) == _stamp(after) and size == after.st_size:
            return Local(
                path,
                relative,
                size,
                after.st_mtime_ns,
                after.st_ino,
                sha256.hexdigest(),
                _of_pieces(pieces, size),
                pieces if size > PIECE else (),
            )
        if stop.is_set():
            break
    raise Changed(relative)


@contextmanager
def reopened(file: Local) -> Iterator[FileIO]:
    """Yield a file opened again; raise `Changed` when it is another one by now, `OSError`."""
    with _opened(file.path) as (opened, status):
        _check(file, status)
        yield opened


def check(file: Local, opened: FileIO) -> None:
    """Raise `Changed` when an open file is no longer what it was."""
    _check(file, os.fstat(opened.fileno()))


def checksum(file: Local, offset: int, length: int) -> int:
    """Return the CRC64NVME of a range; raise `Changed` or `OSError`."""
    known = known_checksum(file, offset, length)
    if known is not None:
        return known
    crc = 0
    buffer = memoryview(bytearray(min(PIECE, length)))
    with reopened(file) as opened:
        opened.seek(offset)
        while length:
            count = opened.readinto(buffer[:length])
            if not count:
                raise Changed(file.relative)
            crc = crc64nvme(buffer[:count], crc)
            length -= count
    return crc


def known_checksum(file: Local, offset: int, length: int) -> int | None:
    """Return the CRC64NVME of a range if it is known without reading: that of whole pieces."""
    if length == file.size:
        return file.crc64nvme
    end = offset + length
    if not file.pieces or offset % PIECE or (length % PIECE and end != file.size):
        return None
    return _of_pieces(file.pieces[offset // PIECE : -(-end // PIECE)], length)


def _of_pieces(pieces: Sequence[int], size: int) -> int:
    crc = 0
    for index, piece in enumerate(pieces):
        length = min(PIECE, size - index * PIECE)
        crc = joined(crc, piece, length) if index else piece
    return crc


@contextmanager
def _opened(path: str) -> Iterator[tuple[FileIO, os.stat_result]]:
    descriptor = os.open(path, _FLAGS)
    with FileIO(descriptor) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Changed(path)
        yield file, status


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _check(file: Local, status: os.stat_result) -> None:
    if _stamp(status) != (file.size, file.modified_ns, file.inode):
        raise Changed(file.relative)

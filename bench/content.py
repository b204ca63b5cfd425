"""The bytes of the files: made up on the fly, different in every file, never on a disk.

A file is its stamp followed by one pool of random bytes, read round and round from the file's own
place. `load/plan.h` describes the same thing to the load client.
"""

import mmap
import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from awscrt.checksums import crc64nvme

STAMP_BYTES = 32
_POOL_BYTES = 64 << 20  # more than any cache holds
_SEED = 20_261_122
_STRIDE = 4096 * 37  # how far apart the files begin in the pool


@dataclass(frozen=True, slots=True)
class Content:
    """The content of one file: what makes it unlike all others."""

    stamp: bytes
    shift: int  # bytes into the pool


def content_of(label: str, number: int) -> Content:
    """Return the content of file *number* of the sending called *label* (at most 19 letters)."""
    stamp = f"{label:<20.19}{number:011}\n".encode("ascii")
    if len(stamp) != STAMP_BYTES:
        raise ValueError(f"{label!r} and {number} don't fit into a stamp")
    return Content(stamp, number * _STRIDE % _POOL_BYTES)


class Pool:
    """The random bytes all files are made of."""

    def __init__(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size != _POOL_BYTES:
            path.write_bytes(random.Random(_SEED).randbytes(_POOL_BYTES))
        self.path = path
        with path.open("rb") as file:
            self._bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def pieces(self, content: Content, start: int, length: int) -> Iterator[memoryview]:
        """Yield bytes *start* to *start + length* of a file, in pieces."""
        end = start + length
        if start < STAMP_BYTES:
            stamped = min(end, STAMP_BYTES)
            yield memoryview(content.stamp)[start:stamped]
            start = stamped
        while start < end:
            at = (content.shift + start) % _POOL_BYTES
            run = min(end - start, _POOL_BYTES - at)
            yield self._bytes[at : at + run]
            start += run

    def crc64nvme(self, content: Content, start: int, length: int) -> str:
        """Return the checksum of a range of a file, as S3 writes it: base64, big-endian."""
        value = 0
        for piece in self.pieces(content, start, length):
            value = crc64nvme(piece, value)
        return b64encode(value.to_bytes(8, "big")).decode("ascii")

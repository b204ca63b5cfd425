"""Reading objects once for everything that proving needs."""

import hashlib
import os
from collections.abc import Mapping

from laydown.domain.errors import StoreUnavailable
from laydown.ports import Fingerprint

_EDGE = 64 * 1024  # bytes of head and tail, as `Fingerprint` promises
_BUFFER = 1 << 20  # bytes; more leaves the processor's caches


def fingerprints(paths: Mapping[str, str]) -> dict[str, Fingerprint | StoreUnavailable]:
    """Return what one pass over each file tells, by key; files that are missing are left out.

    *paths* by key. One that can't be read says so. Blocks; hashing and reading release the GIL.
    """
    buffer = bytearray(_BUFFER)
    found: dict[str, Fingerprint | StoreUnavailable] = {}
    for key, path in paths.items():
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                found[key] = _fingerprint(fd, buffer)
            finally:
                os.close(fd)
        except FileNotFoundError:
            continue
        except OSError as error:
            found[key] = StoreUnavailable(f"the disk can't read an object: {error.strerror}")
    return found


def _fingerprint(fd: int, buffer: bytearray) -> Fingerprint:
    view = memoryview(buffer)
    digest = hashlib.sha256()
    size = last = 0
    while count := os.readv(fd, [buffer]):
        digest.update(view[:count])
        size += count
        last = count
    if size == last:  # all of it is in the buffer: most files
        head, tail = bytes(view[: min(size, _EDGE)]), bytes(view[max(0, size - _EDGE) : size])
    else:
        head, tail = os.pread(fd, _EDGE, 0), os.pread(fd, _EDGE, size - _EDGE)
    return Fingerprint(size=size, sha256=digest.digest(), head=head, tail=tail)

"""Objects in a directory of a local file system."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Self

from laydown.domain.errors import ContentGone, ScannerUnavailable, StoreUnavailable
from laydown.domain.scanning import Scan
from laydown.domain.upload import Upload
from laydown.objects.destination import in_our_words
from laydown.objects.fingerprint import fingerprints
from laydown.objects.flush import FlushMode, flush_file, flush_folder, make_flush
from laydown.objects.layout import Attempt, Layout
from laydown.objects.listing import listing
from laydown.objects.naming import make_folders, rename_new
from laydown.ports import Fingerprint, Look, Scanner, StoredObject

_CHUNK = 1 << 20  # bytes a read yields at most
_SCANNED_AT_ONCE = 4


class StoreBusy(Exception):
    """Another process owns this store; stop it first, or give this one a directory of its own."""


class DiskStore:
    """Whole, durable, immutable objects in a directory.

    One process owns the directory and takes bytes in (see `Intake`); others may be its guests:
    they join, read, list and discard. Bytes are flushed before anybody is told of them. Once a
    flush has failed the store takes nothing more until it is opened again, because the kernel no
    longer knows what it lost.
    """

    def __init__(self, root: Path, *, flush: FlushMode, lock: int | None) -> None:
        self.layout = Layout(root)
        self.flush = make_flush(self.layout.root, flush)
        self._lock = lock
        self._trouble: str | None = None

    @classmethod
    def open(cls, root: Path, *, owner: bool = True, flush: FlushMode = FlushMode.AUTO) -> Self:
        """Open a store, made if absent; blocks, for use at the start.

        An owner clears what a crash left half-written. Raises `StoreBusy` when there is another
        owner, and `StoreUnavailable` when the directory can't be used.
        """
        layout = Layout(root)
        with in_our_words():
            for folder in (layout.root, *layout.folders()):
                Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _lock(layout.owner_lock) if owner else None
            if owner:
                for entry in os.scandir(layout.incoming):
                    Path(entry.path).unlink(missing_ok=True)
            flush_folder(layout.root)
            return cls(root, flush=flush, lock=lock)

    @property
    def is_owner(self) -> bool:
        """Whether this is the one process that takes bytes in."""
        return self._lock is not None

    @property
    def is_healthy(self) -> bool:
        """Whether every flush so far succeeded."""
        return self._trouble is None

    @property
    def trouble(self) -> str | None:
        """What went wrong, for operators."""
        return self._trouble

    def fail(self, trouble: str) -> None:
        """Take nothing more until the store is opened again."""
        self._trouble = trouble

    def close(self) -> None:
        """Let another process own the directory. May be repeated."""
        self.flush.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def join(self, upload: Upload) -> int | None:
        """Make the landed parts one durable object; return its size, None when there is nothing.

        Without all declared bytes no object is made, and the size found is returned.
        """
        return await asyncio.to_thread(self._join, Attempt.of_key(upload.key), upload.entry.size)

    async def size(self, key: str) -> int | None:
        """Return the object's size in bytes, or None if there is no such object."""
        path = self.layout.placed_path(Attempt.of_key(key))
        return await asyncio.to_thread(self._size, path)

    async def read(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes]:
        """Yield the object's bytes in order, at most 1 MiB at a time.

        Raises `ContentGone` when there is no such object.
        """
        path = self.layout.placed_path(Attempt.of_key(key))
        fd = await asyncio.to_thread(_open, path)
        try:
            end = None if length is None else start + length
            while end is None or start < end:
                wanted = _CHUNK if end is None else min(_CHUNK, end - start)
                chunk = await asyncio.to_thread(_pread, fd, wanted, start)
                if not chunk:
                    return
                start += len(chunk)
                yield chunk
        finally:
            os.close(fd)

    async def quarantine(self, key: str) -> None:
        """Keep the object from every reader until it is discarded; nothing when there is none."""
        attempt = Attempt.of_key(key)
        await asyncio.to_thread(
            _set_aside, self.layout.placed_path(attempt), self.layout.quarantined_path(attempt)
        )

    async def discard(self, key: str) -> None:
        """Delete the object and every part of it that landed."""
        attempt = Attempt.of_key(key)
        await asyncio.to_thread(
            _unlink,
            self.layout.placed_path(attempt),
            self.layout.staged_path(attempt),
            self.layout.quarantined_path(attempt),
        )

    async def objects(self) -> AsyncIterator[StoredObject]:
        """Yield what arrives and what is in quarantine, and then every object by key.

        A key whose join is under way may come twice.
        """
        pages = listing(self.layout)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            for stored in page:
                yield stored

    async def fingerprints(
        self, keys: Sequence[str], *, scanner: Scanner | None = None
    ) -> Mapping[str, Look | StoreUnavailable]:
        """Read each object once, all in one thread; a key without an object is left out.

        A scanner reads them again, from the system's cache, a few at a time. One that can't be
        read says so.
        """
        paths = {key: self.layout.placed_path(Attempt.of_key(key)) for key in keys}
        found = await asyncio.to_thread(fingerprints, paths)
        turn = asyncio.Semaphore(_SCANNED_AT_ONCE)

        async def look(key: str, seen: Fingerprint | StoreUnavailable) -> Look | StoreUnavailable:
            if isinstance(seen, StoreUnavailable):
                return seen
            if scanner is None:
                return Look(fingerprint=seen)
            async with turn:
                try:
                    return Look(fingerprint=seen, scan=await self._scan(key, seen.size, scanner))
                except StoreUnavailable as error:
                    return error

        looks = await asyncio.gather(*(look(key, seen) for key, seen in found.items()))
        return dict(zip(found, looks, strict=True))

    async def _scan(self, key: str, size: int, scanner: Scanner) -> Scan | ScannerUnavailable:
        async with aclosing(self.read(key)) as chunks:
            try:
                return await scanner.scan(chunks, size=size)
            except ScannerUnavailable as away:
                return away

    def _size(self, path: str) -> int | None:
        """Tell an absent file from an absent directory, which says nothing of any file."""
        with in_our_words():
            found = _size(path)
            if found is None:
                Path(self.layout.objects).stat()
            return found

    def _join(self, attempt: Attempt, size: int) -> int | None:
        """Flush, rename, flush the directory: whatever a crash leaves, the next call goes on."""
        staged = self.layout.staged_path(attempt)
        placed = self.layout.placed_path(attempt)
        shelf = placed.rpartition("/")[0]
        with in_our_words():
            found = _size(placed)
            if found is None:
                found = _size(staged)
                if found != size:
                    return found
                flush_file(staged)
                for folder in make_folders(shelf, below=self.layout.objects):
                    flush_folder(folder)
                with contextlib.suppress(FileNotFoundError):  # another join was faster
                    rename_new(staged, placed)
            flush_folder(shelf)
            flush_folder(self.layout.staged)
            return _size(placed)


def _lock(path: str) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise StoreBusy(f"another process owns the store at {Path(path).parent}") from None
    return fd


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return None


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ContentGone("the store does not have this content") from None


def _pread(fd: int, length: int, start: int) -> bytes:
    with in_our_words():
        return os.pread(fd, length, start)


def _set_aside(placed: str, quarantined: str) -> None:
    with in_our_words(), contextlib.suppress(FileNotFoundError):
        Path(placed).rename(quarantined)
        flush_folder(quarantined.rpartition("/")[0])
        flush_folder(placed.rpartition("/")[0])


def _unlink(*paths: str) -> None:
    with in_our_words():
        for path in paths:
            Path(path).unlink(missing_ok=True)

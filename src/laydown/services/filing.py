"""Filing: files that come one after the other in one request, with their names and nothing more."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeAlias

from laydown.domain.batch import Batch, OnConflict
from laydown.domain.errors import LedgerUnavailable, Overloaded, RateLimited, Unauthenticated
from laydown.domain.happening import Recorded
from laydown.domain.lifecycle import SETTLED
from laydown.domain.policy import Policy
from laydown.domain.trace import Trace
from laydown.domain.upload import BatchId, Entry, ProjectId, Upload, UploadId, object_key
from laydown.domain.verdicts import Refused, is_unwanted
from laydown.ports import ByteSink, Ledger
from laydown.services.bringing import Brought, key_of
from laydown.services.completing import Completing
from laydown.services.declaring import Declaring, Verdict
from laydown.services.dropping import placed
from laydown.services.identifiers import new_id
from laydown.services.identity import Caller, Identity
from laydown.services.watching import Watching

_AT_ONCE = 16
"""How many files of one request may be on their way to the disk at once, at most 1 MiB of each in
memory; they come one after the other, but a flush, or a store's answer, takes longer than a small
file's bytes."""

_MOST_UNDECLARED = 512
"""How many files of one request may be kept, or be about to be, before they are declared: they hold
no memory, and the more there are at once, the fewer transactions declare them."""

Chunk: TypeAlias = bytes | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file whose bytes begin to come."""

    entry: Entry | Refused  # without key, size and digest, which the bytes will tell
    chunks: AsyncIterator[Chunk]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What became of one file."""

    verdict: Verdict
    size: int  # bytes that came
    sha256: bytes | None  # None: it was too long to look at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """A file of which all bytes have come."""

    file: Brought | Entry | Refused
    size: int
    sha256: bytes | None

    @property
    def key(self) -> str | None:
        """The key it is declared under, if it is."""
        entry = self.file if isinstance(self.file, Entry) else self.file.entry
        return None if entry is None else entry.key


class _TooLong(Exception):
    """A file has more bytes than any may have."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size  # bytes so far


@dataclass(frozen=True, kw_only=True)
class Filing:
    """Use cases for files that are declared once their bytes are here.

    A form may take an hour: what its sender may do is looked up again before each declaration.
    """

    ledger: Ledger
    identity: Identity
    sink: ByteSink
    declaring: Declaring
    completing: Completing
    watching: Watching
    policy: Policy

    async def open(
        self,
        caller: Caller,
        project_id: ProjectId,
        *,
        reference: str | None,
        label: str | None,
        on_conflict: OnConflict,
        trace: Trace | None = None,
    ) -> Batch:
        """Return the open batch of this reference; without one, a batch of its own.

        A new one belongs to *trace*.
        Raises `NotFound` for the project.
        """
        declaration = await self.declaring.declare(
            caller,
            project_id,
            reference=reference or f"form-{new_id()}",
            label=label,
            on_conflict=on_conflict,
            entries=(),
            trace=trace,
        )
        return declaration.batch

    async def take(
        self,
        caller: Caller,
        batch_id: BatchId,
        offers: AsyncIterator[Offer],
        filed: list[Filed],
        *,
        is_last: bool,
    ) -> None:
        """Keep every file as it comes, then declare it and have it checked.

        What is declared is added to *filed*, in order, also when this raises in the end: a file
        that was whole before its sender or the store broke off is kept. When nothing follows, the
        batch is closed in any case.
        """
        drawer = _Drawer(self, caller, batch_id, filed)
        declaring = asyncio.create_task(drawer.empty())
        try:
            async for offer in offers:
                if not await drawer.put(offer):
                    break
        finally:
            drawer.close()
            try:
                await declaring
            finally:
                if is_last:
                    await self._close(caller, batch_id)

    async def settled(
        self, caller: Caller, batch_id: BatchId, ids: Sequence[UploadId], *, patience: float
    ) -> Sequence[Upload]:
        """Return uploads as they are once all are settled, or *patience* seconds have passed.

        They are returned at once when too many are watching already: they are here all the same.
        """
        with suppress(TimeoutError, RateLimited, Overloaded):
            async with asyncio.timeout(patience):
                await self._until_settled(caller, batch_id, ids)
        return await self._now(caller, ids)

    async def kept(self, caller: Caller, offer: Offer, read: "asyncio.Future[None]") -> _Arrival:
        """Keep the bytes of one file; *read* is told when the last of them has come."""
        [entry] = placed([offer.entry], caller.link)
        if isinstance(entry, Refused) or is_unwanted(entry, self.policy):
            digest = sha256()
            size = 0
            async for chunk in offer.chunks:
                digest.update(chunk)
                size += len(chunk)
            return _arrived(entry, size, digest.digest())
        upload = UploadId(new_id())
        key = object_key(caller.organization, upload, 1)
        try:
            async with aclosing(_bounded(offer.chunks, self.policy.largest_file, read)) as chunks:
                kept = await self.sink.keep(key, chunks)
        except _TooLong as over:
            size = over.size + sum([len(chunk) async for chunk in offer.chunks])
            return _arrived(entry, size, None)
        complete = _described(entry, kept.size, kept.sha256)
        brought = Brought(entry=complete, upload=upload, crc64nvme=kept.crc64nvme)
        return _Arrival(file=brought, size=kept.size, sha256=kept.sha256)

    async def _until_settled(
        self, caller: Caller, batch_id: BatchId, ids: Sequence[UploadId]
    ) -> None:
        waiting: set[UploadId] | None = None
        async for seen in self.watching.watch(caller, batch_id, after=None):
            if waiting is None:  # what happens from here on will be seen
                now = await self._now(caller, ids)
                waiting = {upload.id for upload in now if upload.state not in SETTLED}
            if isinstance(seen, Recorded) and seen.happening.upload is not None:
                is_over = seen.happening.state in SETTLED
                waiting -= {seen.happening.upload} if is_over else set()
            if not waiting:
                return

    async def _close(self, caller: Caller, batch_id: BatchId) -> None:
        with suppress(LedgerUnavailable):  # then the sweeper does, in a day
            await self.completing.close_batch(caller, batch_id)

    async def _now(self, caller: Caller, ids: Sequence[UploadId]) -> Sequence[Upload]:
        async with self.ledger.snapshot(caller.organization) as tx:
            return await tx.uploads(ids)


class _Drawer:
    """The files of one request that are not declared yet, in order."""

    def __init__(
        self, filing: Filing, caller: Caller, batch_id: BatchId, filed: list[Filed]
    ) -> None:
        self._filing = filing
        self._caller = caller
        self._batch_id = batch_id
        self._filed = filed
        self._files: deque[asyncio.Task[_Arrival]] = deque()
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._read: asyncio.Future[None] | None = None  # done when the last file's bytes have come
        self._under_way = 0
        self._is_closed = False
        self._failure: BaseException | None = None  # the first

    async def put(self, offer: Offer) -> bool:
        """Take a file; return when the next may come, or False when none should."""
        read: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        keeping = asyncio.create_task(self._filing.kept(self._caller, offer, read))
        keeping.add_done_callback(lambda _: self._was_kept(read))
        self._under_way += 1
        self._files.append(keeping)
        self._read = read
        try:
            await read
        except asyncio.CancelledError:
            keeping.cancel()
            raise
        if self._failure is not None:
            keeping.cancel()
        while self._is_full and self._failure is None:
            self._has_room.clear()
            await self._has_room.wait()
        return self._failure is None and not _failed(keeping)

    @property
    def _is_full(self) -> bool:
        return self._under_way >= _AT_ONCE or len(self._files) >= _MOST_UNDECLARED

    def _was_kept(self, read: "asyncio.Future[None]") -> None:
        _tell(read)
        self._under_way -= 1
        self._has_room.set()
        self._changed.set()

    def _note(self, failure: BaseException | None) -> None:
        """Remember what went wrong first; nothing more is read then."""
        if failure is not None and self._failure is None:
            self._failure = failure
            if self._read is not None:
                _tell(self._read)

    def close(self) -> None:
        """Let `empty` return once nothing is left."""
        self._is_closed = True
        self._changed.set()

    async def empty(self) -> None:
        """Declare files as they are kept, until closed; then raise what went wrong first."""
        while self._files or not self._is_closed:
            group = self._next()
            if group:
                declaring = asyncio.create_task(self._declare(group))
                await asyncio.wait([declaring])
                self._note(declaring.exception())
            elif self._files or not self._is_closed:
                self._changed.clear()
                await self._changed.wait()
            self._has_room.set()
        if self._failure is not None:
            raise self._failure

    def _next(self) -> list[_Arrival]:
        """Take out the files that are kept and can be declared at once: no two of one key."""
        group: list[_Arrival] = []
        keys: set[str | None] = set()
        while self._files and self._files[0].done():
            if self._files[0].cancelled():
                self._files.popleft()
                continue
            if failure := self._files[0].exception():
                self._files.popleft()
                self._note(failure)
                continue
            arrival = self._files[0].result()
            if arrival.key in keys:
                break
            keys.add(arrival.key)
            group.append(arrival)
            self._files.popleft()
        return group

    async def _declare(self, group: list[_Arrival]) -> None:
        files = [arrival.file for arrival in group]
        caller = await self._filing.identity.again(self._caller)
        if caller is None:
            raise Unauthenticated("the token was revoked while the form came")
        declaration = await self._filing.declaring.bring(caller, self._batch_id, files)
        self._filed += [
            Filed(verdict=verdict, size=arrival.size, sha256=arrival.sha256)
            for verdict, arrival in zip(declaration.verdicts, group, strict=True)
        ]


async def _bounded(
    chunks: AsyncIterator[Chunk], most: int, read: "asyncio.Future[None]"
) -> AsyncGenerator[Chunk, None]:
    """Yield *chunks*, tell *read* when they are over; raise `_TooLong` past *most* bytes."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise _TooLong(size)
        yield chunk
    _tell(read)


def _failed(keeping: asyncio.Task[_Arrival]) -> bool:
    return keeping.done() and (keeping.cancelled() or keeping.exception() is not None)


def _tell(read: "asyncio.Future[None]") -> None:
    if not read.done():
        read.set_result(None)


def _arrived(given: Entry | Refused, size: int, digest: bytes | None) -> _Arrival:
    """Return a file whose bytes are not kept."""
    if isinstance(given, Entry):
        return _Arrival(file=_described(given, size, digest), size=size, sha256=digest)
    entry = None if given.entry is None else _described(given.entry, size, digest)
    key = given.key if entry is None else entry.key
    return _Arrival(file=replace(given, key=key, entry=entry), size=size, sha256=digest)


def _described(entry: Entry, size: int, digest: bytes | None) -> Entry:
    return replace(entry, key=key_of(entry.path, digest), size=size, sha256=digest)

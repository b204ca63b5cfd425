"""One body on its way into the store, from its first byte to its answer."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from laydown.domain.errors import LaydownError, WrongLength
from laydown.domain.upload import Part, PartOutcome
from laydown.objects.budget import Budget
from laydown.objects.checksum import Meter
from laydown.objects.destination import Chunk, Destination, Nowhere
from laydown.objects.layout import Attempt

_CHUNK_COST = 64  # bytes that a bytes object and its place in a list take besides its content


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What a body is."""

    attempt: Attempt
    number: int  # of the part, from 1
    offset: int | None  # bytes into a file that arrives in parts; None: the body is the file
    length: int | None  # bytes; None: whoever brings it says when it is over, and records it


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all landings share."""

    budget: Budget
    buffer: int  # bytes of one body that are held before they go to the disk
    writers: Executor
    choose: Callable[[Slot], Awaitable[Destination]]
    choose_now: Callable[[Slot], Destination | None]  # None: only `choose` knows
    commit: Callable[["Landing"], None]
    release: Callable[["Landing"], None]


class Landing:
    """Takes a body chunk by chunk, then has it made durable and recorded.

    A body of at most one buffer stays in memory, as the chunks it came in, until its group is
    written. Of a longer one, a full buffer is written in a thread while the next one fills. A
    chunk that was taken is never copied. Whoever asked for a landing calls `abandon` at the end,
    whatever happened; after `commit` that does nothing.
    """

    __slots__ = (
        "_chunks",
        "_desk",
        "_failure",
        "_has_written",
        "_held",
        "_is_over",
        "_most",
        "_writing",
        "answer",
        "destination",
        "error",
        "meter",
        "received",
        "slot",
    )

    def __init__(self, slot: Slot, meter: Meter, desk: Desk) -> None:
        self.slot = slot
        self.meter = meter
        self.destination: Destination = Nowhere()
        self.received = 0  # bytes
        self.error: LaydownError | None = None  # what its group found wrong with it
        self.answer: asyncio.Future[PartOutcome] | None = None
        self._most = sys.maxsize if slot.length is None else slot.length  # bytes
        self._desk = desk
        self._chunks: list[Chunk] = []
        self._held = 0  # bytes of memory
        self._failure: BaseException | None = None  # of a write under way
        self._writing: asyncio.Future[None] | None = None
        self._has_written = False
        self._is_over = False

    @property
    def crc64nvme(self) -> int:
        """The checksum of the body, once its commit is answered."""
        return self.meter.crc64nvme

    def open_now(self) -> bool:
        """Say whether the first bytes may come at once; if not, `open` must be awaited."""
        destination = None if self._desk.budget.is_exhausted else self._desk.choose_now(self.slot)
        if destination is not None:
            self.destination = destination
        return destination is not None

    async def open(self) -> None:
        """Return when the first bytes may come. Raises `LedgerUnavailable`."""
        self.destination = await self._desk.choose(self.slot)
        if self._desk.budget.is_exhausted:
            await self._desk.budget.room()

    def take(self, chunk: Chunk) -> bool:
        """Take the next bytes; True asks to await `breathe` before more. Raises `WrongLength`."""
        size = len(chunk)
        self.received += size
        if self.received >= self._most:
            if self.received > self._most:
                raise WrongLength(f"the body is longer than the {self._most} bytes signed")
            if size == 0:
                return False
        self._chunks.append(chunk)
        self._held += size + _CHUNK_COST
        self._desk.budget.take(size + _CHUNK_COST)
        return self.received < self._most and (
            self._held >= self._desk.buffer or self._desk.budget.is_exhausted
        )

    async def breathe(self) -> None:
        """Hand what is held to the disk; return when more may come.

        Raises `StoreFull` or `StoreUnavailable` when the disk would not take it.
        """
        await self._written()
        self._write_held()
        if self._desk.budget.is_exhausted:
            await self._written()
            await self._desk.budget.room()

    def spill(self) -> None:
        """Let a body that makes no progress hold no memory."""
        if self._chunks and self._writing is None and self._failure is None and not self._is_over:
            self._write_held()

    async def commit(self) -> tuple[PartOutcome, int]:
        """Return what recording came to, and the body's CRC64NVME, once it is durable.

        Raises `WrongLength`, `ChecksumMismatch`, `StoreFull`, `StoreUnavailable`, or what the
        recorder raises; then nothing is recorded, or the ledger could not say.
        """
        if self.slot.length not in (None, self.received):
            raise WrongLength(
                f"the body has {self.received} bytes, not the {self.slot.length} signed"
            )
        await self._written()
        return await self._submitted(), self.meter.crc64nvme

    def commit_now(self) -> "asyncio.Future[PartOutcome] | None":
        """Return what `commit` would wait for; None when it must be awaited instead."""
        if self.received != self.slot.length or self._writing or self._failure:
            return None
        return self._submitted()

    async def abandon(self) -> None:
        """Drop a body that was not committed; once this returns, others may write its part."""
        dropping = self.leave()
        if dropping is not None:
            await asyncio.shield(dropping)

    def leave(self) -> "asyncio.Task[None] | None":
        """Drop a body that was not committed; return what to wait for until that is done.

        The task must be kept until it ends. None means that nothing is left to be done.
        """
        if self._is_over:
            return None
        self._is_over = True
        if self._has_written:
            # A task of its own: being cancelled must not stop it halfway.
            return asyncio.create_task(self._drop())
        self.let_go()
        return None

    def part(self) -> Part:
        """Return what is to be recorded."""
        return Part(
            upload=self.slot.attempt.upload,
            attempt=self.slot.attempt.number,
            number=self.slot.number,
            size=self.received,
            crc64nvme=self.meter.crc64nvme,
            is_whole_file=self.slot.offset is None,
        )

    def finish(self, *, stay_open: bool) -> bool:
        """Write what is held, verify and place it; say whether it has its place. Blocks.

        Called by the group, in its thread. What is wrong with this body alone goes to `error`.
        """
        try:
            for chunk in self._chunks:
                self.meter.update(chunk)
            self.meter.verify()
            self.destination.write(self._chunks)
            if not stay_open:
                self.destination.close()
            return self.destination.place()
        except LaydownError as error:
            self.refuse(error)
            return False

    def refuse(self, error: LaydownError) -> None:
        """Have the group answer with *error*, and drop what was written. Blocks."""
        self.error = error
        with contextlib.suppress(OSError):  # the next start clears what can't be deleted now
            self.destination.drop()

    def let_go(self) -> None:
        """Give back the memory held and the right to write this part."""
        self._chunks.clear()
        self._desk.budget.give(self._held)
        self._held = 0
        self._desk.release(self)

    def _submitted(self) -> "asyncio.Future[PartOutcome]":
        self._is_over = True
        self.answer = asyncio.get_running_loop().create_future()
        self._desk.commit(self)
        return self.answer

    def _write_held(self) -> None:
        self._has_written = True
        chunks, held = self._chunks, self._held
        self._chunks, self._held = [], 0
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(self._desk.writers, self._write, chunks)
        self._writing.add_done_callback(partial(self._was_written, held))

    def _write(self, chunks: list[Chunk]) -> None:
        """Write and measure chunks; blocks."""
        for chunk in chunks:
            self.meter.update(chunk)
        self.destination.write(chunks)

    def _was_written(self, held: int, writing: "asyncio.Future[None]") -> None:
        self._desk.budget.give(held)
        self._writing = None
        self._failure = writing.exception()

    async def _written(self) -> None:
        """Return when no write is under way; raise what went wrong in one."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if self._failure is not None:
            raise self._failure

    async def _drop(self) -> None:
        """Delete what was written; what can't be deleted now goes at the next start."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        loop = asyncio.get_running_loop()
        dropping = loop.run_in_executor(self._desk.writers, self.destination.drop)
        await asyncio.wait([dropping])
        dropping.exception()
        self.let_go()

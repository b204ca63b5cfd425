"""Parts of files on their way: what is left to send, and the bytes of one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from io import FileIO
from uuid import UUID

from laydown import wire
from laydown.client.checksum import headers_for, is_for_store, signable
from laydown.client.reading import Changed, Local, check, checksum, known_checksum, reopened

_AT_ONCE = 1 << 20  # bytes of a body that are held; a larger one is read as it goes
_HANDED_OVER = 1 << 18  # bytes at once: how closely a stalled line is noticed


@dataclass(slots=True, eq=False)
class Outgoing:
    """A file on its way, and which of its parts are not asked for yet."""

    upload_id: UUID
    file: Local
    plan: wire.Plan
    is_known: bool  # whether `todo` is; else the next grant tells what is here already
    todo: deque[int] = field(default_factory=deque)
    under_way: set[int] = field(default_factory=set)
    restarts: int = 0  # new attempts, because the file changed
    incomplete: int = 0  # how often the server missed parts that it was told are sent
    needs_completion: bool = False  # even of one part: the server doesn't see it arrive
    sent: dict[int, int] = field(default_factory=dict)  # bytes by part, those under way too
    is_over: bool = False  # sent, or given up

    def range(self, number: int) -> tuple[int, int]:
        """Return the offset and length in bytes of a part, counted from 1."""
        if self.plan.part_size is None:
            return 0, self.file.size
        offset = (number - 1) * self.plan.part_size
        return offset, min(self.plan.part_size, self.file.size - offset)

    def wanted(self, number: int) -> wire.WantedPart:
        """Return how a part is asked for: bound to its bytes, where those are known."""
        crc = known_checksum(self.file, *self.range(number))
        return wire.WantedPart(number=number, checksum=None if crc is None else signable(crc))


@dataclass(slots=True, eq=False)
class Piece:
    """One part with the permission to send it."""

    outgoing: Outgoing
    number: int
    grant: wire.PartGrant

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.outgoing.range(self.number)[1]

    @property
    def is_for_store(self) -> bool:
        """Whether it goes to a store without the server seeing it."""
        return is_for_store(self.grant)


def outgoing(verdict: wire.Verdict, file: Local) -> Outgoing | None:
    """Return what is to be sent for a verdict, None when nothing is."""
    if verdict.verdict not in ("send", "resume") or verdict.upload_id is None:
        return None
    plan = verdict.plan or wire.Plan(kind="single", part_size=None, parts=1, concurrency=1)
    is_fresh = verdict.verdict == "send"
    todo = deque(range(1, plan.parts + 1)) if is_fresh else deque[int]()
    return Outgoing(verdict.upload_id, file, plan, is_known=is_fresh, todo=todo)


class Body:
    """The bytes of a part, read again, and their checksum.

    `error` says what went wrong while they were sent; aiohttp only tells that they stopped.
    """

    def __init__(
        self, piece: Piece, threads: Executor, *, handed_over: Callable[[int], None]
    ) -> None:
        """Read *piece* in *threads*; *handed_over* is told of bytes as they leave us."""
        self._file = piece.outgoing.file
        self._grant = piece.grant
        self._offset, self._length = piece.outgoing.range(piece.number)
        self._threads = threads
        self._handed_over = handed_over
        self.error: OSError | Changed | None = None
        self.headers: dict[str, str] = {}
        self.data: bytes | AsyncIterator[bytes | memoryview] = b""

    async def prepare(self) -> None:
        """Have the headers, and small content, ready; raises `Changed` or `OSError`."""
        run = asyncio.get_running_loop().run_in_executor
        crc: int | None
        if self._length <= _AT_ONCE:
            crc, self.data = await run(self._threads, self._whole)
            self._handed_over(self._length)
        else:
            crc = known_checksum(self._file, self._offset, self._length)
            if crc is None and not is_for_store(self._grant):
                crc = await run(self._threads, checksum, self._file, self._offset, self._length)
            self.data = self._pieces(run)
        self.headers = headers_for(self._grant, self._length, crc)

    def _whole(self) -> tuple[int, bytes]:
        with reopened(self._file) as opened:
            opened.seek(self._offset)
            data = opened.read(self._length)
            if len(data) != self._length:
                raise Changed(self._file.relative)
            check(self._file, opened)
        return checksum(self._file, self._offset, self._length), data

    async def _pieces(
        self, run: Callable[..., "asyncio.Future[bytes]"]
    ) -> AsyncIterator[bytes | memoryview]:
        left = self._length
        try:
            with reopened(self._file) as opened:
                opened.seek(self._offset)
                while left:
                    data = await run(self._threads, self._next, opened, left)
                    left -= len(data)
                    for start in range(0, len(data), _HANDED_OVER):
                        some = memoryview(data)[start : start + _HANDED_OVER]
                        self._handed_over(len(some))
                        yield some
        except (OSError, Changed) as error:
            self.error = error
            raise

    def _next(self, opened: FileIO, left: int) -> bytes:
        data = opened.read(min(_AT_ONCE, left)) or b""
        if not data:
            raise Changed(self._file.relative)
        if len(data) == left:
            check(self._file, opened)  # before the server has a whole part
        return data

"""Parts of files on their way: what is left to send, and the bytes of one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from io import FileIO
from uuid import UUID

from laydown import wire
from laydown.client.checksum import part_headers
from laydown.client.reading import Changed, Local, check, checksum, reopened

_AT_ONCE = 1 << 20  # bytes of a body that are held; a larger one is read as it goes


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
    is_over: bool = False  # sent, or given up

    def range(self, number: int) -> tuple[int, int]:
        """Return the offset and length in bytes of a part, counted from 1."""
        if self.plan.part_size is None:
            return 0, self.file.size
        offset = (number - 1) * self.plan.part_size
        return offset, min(self.plan.part_size, self.file.size - offset)


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

    def __init__(self, piece: Piece, threads: Executor) -> None:
        self._file = piece.outgoing.file
        self._offset, self._length = piece.outgoing.range(piece.number)
        self._threads = threads
        self.error: OSError | Changed | None = None
        self.headers: dict[str, str] = {}
        self.data: bytes | AsyncIterator[bytes] = b""

    async def prepare(self) -> None:
        """Have the checksum, and small content, ready; raises `Changed` or `OSError`."""
        run = asyncio.get_running_loop().run_in_executor
        if self._length <= _AT_ONCE:
            crc, self.data = await run(self._threads, self._whole)
        else:
            crc = await run(self._threads, checksum, self._file, self._offset, self._length)
            self.data = self._pieces(run)
        self.headers = part_headers(self._length, crc)

    def _whole(self) -> tuple[int, bytes]:
        with reopened(self._file) as opened:
            opened.seek(self._offset)
            data = opened.read(self._length)
            if len(data) != self._length:
                raise Changed(self._file.relative)
            check(self._file, opened)
        return checksum(self._file, self._offset, self._length), data

    async def _pieces(self, run: Callable[..., "asyncio.Future[bytes]"]) -> AsyncIterator[bytes]:
        left = self._length
        try:
            with reopened(self._file) as opened:
                opened.seek(self._offset)
                while left:
                    data = await run(self._threads, self._next, opened, left)
                    left -= len(data)
                    yield data
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

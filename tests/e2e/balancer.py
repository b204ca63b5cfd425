"""What stands before several api processes: connections in turn to those that accept them."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

_PIECE = 64 << 10  # bytes passed on at once
_GLANCE = 0.05  # seconds between two rounds when nobody accepts, as in the middle of a restart


class Balancer:
    """Gives each new connection to the next of some ports of this machine; a dead one is skipped.

    A connection that breaks behind it breaks before it. A context manager; `port` is where it
    listens, `given` counts the connections that each target got.
    """

    def __init__(self, targets: Sequence[int]) -> None:
        self.port = 0
        self.given = dict.fromkeys(targets, 0)
        self._turns = list(targets)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer")
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close everything."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await self._pass(reader, writer)
        finally:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await self._connected()
        try:
            ways = [
                asyncio.create_task(_carry(reader, ahead)),
                asyncio.create_task(_carry(behind, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            ahead.transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to the target whose turn it is, or to the next that accepts."""
        while True:
            for _ in self._turns:
                target = self._turns.pop(0)
                self._turns.append(target)
                with suppress(ConnectionRefusedError):
                    connection = await asyncio.open_connection("127.0.0.1", target)
                    self.given[target] += 1
                    return connection
            await asyncio.sleep(_GLANCE)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()  # what was written before it still goes out

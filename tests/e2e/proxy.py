"""A TCP proxy that cuts connections where dice say: what bad lines do to clients and servers."""

import asyncio
import random
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_PIECE = 16 << 10  # bytes passed on at once
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST instead of FIN


class CuttingProxy:
    """Passes bytes between clients and a port of this machine; resets the first connections.

    Each of the first *cuts* connections is reset after so many bytes, in either direction, as
    *dice* say; all further ones are left alone. A context manager; `port` is where it listens.
    """

    def __init__(self, target: int, *, dice: random.Random, cuts: int, longest: int) -> None:
        self.port = 0
        self.done = 0  # connections that were cut
        self._target = target
        self._budgets = [dice.randrange(longest) for _ in range(cuts)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
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
        behind, ahead = await asyncio.open_connection("127.0.0.1", self._target)
        line = _Line(self._budgets.pop() if self._budgets else None)
        try:
            ways = [
                asyncio.create_task(line.carry(reader, ahead)),
                asyncio.create_task(line.carry(behind, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            if line.is_cut:
                self.done += 1
                for end in (writer, ahead):
                    end.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, _RESET
                    )
            ahead.transport.abort()


class _Line:
    """One connection, both ways, and how many bytes it may carry yet."""

    def __init__(self, budget: int | None) -> None:
        self.is_cut = False
        self._left = budget  # bytes; None: any number

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on until one side ends or the line is cut."""
        while piece := await reader.read(_PIECE):
            if self._left is not None:
                piece = piece[: self._left]
                self._left -= len(piece)
            writer.write(piece)
            await writer.drain()
            if self._left == 0:
                self.is_cut = True
                return

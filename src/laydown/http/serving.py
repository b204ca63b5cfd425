"""Serves the application on a socket until it is told to stop, without cutting anybody off."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from laydown.http.bytes_protocol import protocol_for
from laydown.http.listening import BACKLOG

_KEEP_ALIVE = 65  # seconds; longer than the 60 after which usual balancers drop an idle one


class _Server(uvicorn.Server):
    """A server whose signals only say what its owner then does."""

    def __init__(self, config: uvicorn.Config, on_signal: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_signal = on_signal

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, on SIGINT and SIGTERM."""
        del sig, frame
        self._on_signal()


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    stopping: asyncio.Event,
    drain: Callable[[], Awaitable[object]],
    patience: float,
) -> None:
    """Serve until *stopping* is set or a signal comes; then finish what is under way.

    New connections are refused from then on; requests under way have *patience* seconds.
    """
    loop = asyncio.get_running_loop()

    def begin_to_stop() -> None:
        loop.call_soon_threadsafe(stopping.set)

    config = uvicorn.Config(
        app,
        http=protocol_for(app),  # type: ignore[arg-type] # is called as a class is
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="error",  # what is no request is answered; whoever sends it fills no log
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=round(patience),
    )
    server = _Server(config, begin_to_stop)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        told = tasks.create_task(stopping.wait())
        await asyncio.wait([serving, told], return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        server.should_exit = True
        await drain()

"""An asynchronous client on a loop and a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, TypeVar

from laydown.client.aio import AsyncClient
from laydown.client.conversation import PATIENCE

T = TypeVar("T")


class Loop:
    """What a blocking client stands on; a context manager, usable from any thread."""

    def __init__(self, url: str, token: str, *, timeout: float = PATIENCE.lasting) -> None:
        self._async = AsyncClient(url, token, timeout=timeout)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="laydown-client", daemon=True
        )

    def __enter__(self) -> Self:
        """Start the loop and open the connections."""
        self._thread.start()
        self._run(self._async.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections and stop the loop."""
        self._run(self._async.__aexit__(kind, error, traceback))
        self._run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, asked: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C ends the work too, not only the waiting
            raise

    def _each(self, items: AsyncIterator[T]) -> Iterator[T]:
        try:
            while True:
                try:
                    item = self._run(_next(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._run(_closed(items))


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


async def _closed(items: AsyncIterator[Any]) -> None:
    async with aclosing(items):  # type: ignore[type-var] # every one of ours is a generator
        pass

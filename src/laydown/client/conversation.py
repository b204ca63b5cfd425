"""What every call of the API stands on: one server, asked in JSON."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

from laydown.client.backoff import Patience
from laydown.client.bodies import decoded, encoded, query_of
from laydown.client.errors import BrokenOff
from laydown.client.transport import Transport, is_broken

T = TypeVar("T")

PATIENCE = Patience()
"""What a client waits for unless it is told otherwise."""

_PAGE = "1000"  # the server's largest


class Conversation:
    """A conversation with one server; an asynchronous context manager."""

    def __init__(
        self, url: str, token: str, *, timeout: float = PATIENCE.lasting, connections: int = 32
    ) -> None:
        patience = Patience(first=min(PATIENCE.first, timeout), lasting=timeout)
        self.transport = Transport(url, token, patience=patience, connections=connections)

    async def __aenter__(self) -> Self:
        """Open the connections."""
        await self.transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.transport.__aexit__(kind, error, traceback)

    async def _get(self, path: str, shape: type[T], query: Mapping[str, object] | None = None) -> T:
        return decoded(await self.transport.call("GET", path, query=query_of(query)), shape)

    async def _post(self, path: str, body: object, shape: type[T]) -> T:
        data = None if body is None else encoded(body)
        return decoded(await self.transport.call("POST", path, body=data), shape)

    async def _make(self, path: str, body: object, shape: type[T]) -> T:
        """Post what makes something new, which is made once even if the answer is lost."""
        answer = await self.transport.call("POST", path, body=encoded(body), key=str(uuid4()))
        return decoded(answer, shape)

    async def _pages(
        self, path: str, shape: type[Any], query: Mapping[str, object] | None = None
    ) -> AsyncIterator[Any]:
        cursor: str | None = None
        while True:
            asked = {**(query or {}), "limit": _PAGE, "cursor": cursor}
            page = await self._get(path, shape, asked)
            for item in page.items:
                yield item
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _pieces(
        self, path: str, query: Mapping[str, object] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield a long answer as it comes; `BrokenOff` when it ends too early."""
        attempt, has_begun = 0, False
        while True:
            try:
                async with self.transport.stream(path, query=query_of(query)) as answer:
                    async for piece in answer.content.iter_chunked(1 << 16):
                        has_begun = True
                        yield piece
                    return
            except Exception as error:
                if has_begun and is_broken(error):
                    raise BrokenOff(f"the answer broke off, ask again: {error}") from error
                await self.transport.broken(attempt, error)
                attempt += 1

"""How slow a client may be while it sends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

_TICKS = 30  # looks at each transfer within the time that counts as idle


class Arriving(Protocol):
    """A body on its way."""

    received: int  # bytes

    def spill(self) -> None:
        """Hold no memory for a body that makes no progress."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When a client counts as gone."""

    idle: float = 30.0  # seconds without a byte
    slowest: float = 1024.0  # bytes a second on average, over the time we waited for it
    grace: float = 60.0  # seconds of waiting before the average counts


class Pace:
    """Watches all transfers with one timer, which costs a transfer nothing for each chunk."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._transfers: set[Transfer] = set()
        self._tick = patience.idle / _TICKS
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, body: Arriving) -> "Watch":
        """Return a block that raises `TimeoutError` in itself when its client is too slow."""
        return Watch(self, body)

    def add(self, transfer: "Transfer") -> None:
        """Watch *transfer* from now on; it is told to end once, when its client is too slow."""
        self._transfers.add(transfer)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tick, self._look)

    def remove(self, transfer: "Transfer") -> None:
        """Watch it no more. May be repeated."""
        self._transfers.discard(transfer)

    def _look(self) -> None:
        """Note the progress of each transfer; end those without."""
        for transfer in list(self._transfers):
            if transfer.is_listening and transfer.is_too_slow(self._tick, self.patience):
                self.remove(transfer)
                transfer.end()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._tick, self._look) if self._transfers else None


class Transfer:
    """One body being waited for. Only time spent listening to the client counts against it."""

    __slots__ = ("_body", "_idle", "_listened", "_seen", "end", "is_listening")

    def __init__(self, body: Arriving, *, end: Callable[[], None]) -> None:
        self.is_listening = False
        self.end = end
        self._body = body
        self._seen = 0  # bytes, at the last look
        self._idle = 0.0  # seconds
        self._listened = 0.0  # seconds

    def is_too_slow(self, seconds: float, patience: Patience) -> bool:
        """Say whether the client is too slow, *seconds* after it was asked last."""
        self._listened += seconds
        if self._body.received == self._seen:
            self._idle += seconds
            self._body.spill()
        else:
            self._idle = 0.0
            self._seen = self._body.received
        return self._idle >= patience.idle or (
            self._listened >= patience.grace and self._seen < self._listened * patience.slowest
        )


class Watch:
    """A block that waits for one body."""

    __slots__ = ("_deadline", "_pace", "_transfer")

    def __init__(self, pace: Pace, body: Arriving) -> None:
        self._pace = pace
        self._deadline = asyncio.timeout(None)
        self._transfer = Transfer(body, end=self._end)

    async def __aenter__(self) -> Transfer:
        """Begin to watch."""
        await self._deadline.__aenter__()
        self._pace.add(self._transfer)
        return self._transfer

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop watching; a block that was ended raises `TimeoutError`."""
        self._pace.remove(self._transfer)
        await self._deadline.__aexit__(kind, error, traceback)

    def _end(self) -> None:
        """Raise `TimeoutError` in the block."""
        self._deadline.reschedule(asyncio.get_running_loop().time())

"""How many bytes of bodies may wait in memory."""

import asyncio


class Budget:
    """Counts the bytes held by all bodies together; receivers wait while it is exhausted.

    Who holds bytes is not waiting for room: a body hands its own to the disk first. So room comes
    back always. Receivers that were waiting go on together, each with at most what its
    connection had read already.
    """

    def __init__(self, limit: int) -> None:
        self.held = 0  # bytes
        self._limit = limit
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def is_exhausted(self) -> bool:
        """Whether to wait before taking more."""
        return self.held >= self._limit

    def take(self, amount: int) -> None:
        """Note that *amount* bytes are held."""
        self.held += amount
        if self.held >= self._limit:
            self._has_room.clear()

    def give(self, amount: int) -> None:
        """Note that *amount* bytes are let go."""
        self.held -= amount
        if self.held < self._limit:
            self._has_room.set()

    async def room(self) -> None:
        """Return when there is room."""
        while self.is_exhausted:
            await self._has_room.wait()

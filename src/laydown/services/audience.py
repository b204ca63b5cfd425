"""How many watch at once: each holds a connection and some memory for as long as it likes."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from laydown.domain.errors import Overloaded, RateLimited
from laydown.services.identity import Caller

_WAIT = 10  # seconds; streams end when they end


@dataclass(frozen=True, kw_only=True)
class Audience:
    """The event streams that this process serves."""

    refused: Callable[[str], None]  # told that there was no place
    most: int = 2_000
    most_of_caller: int = 200  # by token, drop link or session
    _places: Counter[UUID] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """How many streams there are."""
        return self._places.total()

    @asynccontextmanager
    async def place(self, caller: Caller) -> AsyncIterator[None]:
        """Have a place while the block lasts; raise `RateLimited` or `Overloaded` for none."""
        if self._places.get(caller.token, 0) >= self.most_of_caller:
            self.refused("streams")
            raise RateLimited(
                f"you have {self.most_of_caller:,} event streams open here, and may have no more",
                seconds=_WAIT,
            )
        if self.size >= self.most:
            self.refused("streams")
            raise Overloaded
        self._places[caller.token] += 1
        try:
            yield
        finally:
            self._places[caller.token] -= 1
            if not self._places[caller.token]:
                del self._places[caller.token]

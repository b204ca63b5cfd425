"""One tail of the event log for all viewers of a process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice

from laydown.domain.errors import LedgerUnavailable
from laydown.domain.happening import Recorded
from laydown.domain.upload import OrganizationId
from laydown.ports import EventLog

_KEPT = 20_000
"""Events kept in memory for each organization that is watched; a viewer further behind asks the
ledger itself."""

_PAGE = 5_000


@dataclass(slots=True)
class Reel:
    """The newest events of one organization, while somebody watches it."""

    newest: int
    events: deque[Recorded] = field(default_factory=lambda: deque(maxlen=_KEPT))
    viewers: int = 0
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def after(self, number: int) -> Sequence[Recorded] | None:
        """Return the events after *number*, or None when they are no longer all here."""
        if number >= self.newest:
            return ()
        if not self.events:
            return None
        if number + 1 < self.events[0].number:
            return None
        # From the new end: viewers who keep up don't pay for all that is kept.
        newer = list(islice(reversed(self.events), self.newest - number))
        return newer[::-1]


@dataclass(slots=True, kw_only=True)
class Tail:
    """Polls the log while anyone watches and wakes the viewers of what has grown.

    Polling reads one row an organization; events are read once for all viewers.
    """

    log: EventLog
    interval: float = 0.25  # seconds
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _reels: dict[OrganizationId, Reel] = field(default_factory=dict)
    _watched: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def watch(self, organization: OrganizationId) -> AsyncIterator[Reel]:
        """Follow an organization's events for as long as the block lasts."""
        reel = self._reels.get(organization)
        if reel is None:
            newest = (await self.log.heads()).get(organization, 0)
            reel = self._reels.setdefault(organization, Reel(newest=newest))
        reel.viewers += 1
        self._watched.set()
        try:
            yield reel
        finally:
            reel.viewers -= 1
            if not reel.viewers:
                self._reels.pop(organization, None)

    async def since(
        self, reel: Reel, organization: OrganizationId, number: int
    ) -> Sequence[Recorded]:
        """Return the events after *number*: those in memory, or a page of the ledger's."""
        recent = reel.after(number)
        if recent is not None:
            return recent
        return await self.log.since(organization, number, limit=_PAGE)

    async def run(self) -> None:
        """Poll until `stop` is called; a database that is away is asked again."""
        while not self.stopping.is_set():
            if not self._reels:
                self._watched.clear()
            await self._watched.wait()
            with suppress(LedgerUnavailable):  # viewers wait; their heartbeat goes on
                await self._catch_up()
            await self._pause()

    def stop(self) -> None:
        """End the tail and every viewer's wait."""
        self.stopping.set()
        self._watched.set()
        for reel in self._reels.values():
            reel.grown.set()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.interval):
                await self.stopping.wait()

    async def _catch_up(self) -> None:
        heads = await self.log.heads()
        for organization, reel in list(self._reels.items()):
            head = heads.get(organization, 0)
            while reel.newest < head:
                events = await self.log.since(organization, reel.newest, limit=_PAGE)
                if not events:
                    break
                reel.events.extend(events)
                reel.newest = events[-1].number
                reel.grown.set()
                reel.grown = asyncio.Event()

"""The listener: hears what the store and its scanner say, and has the ledger know it."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from laydown.domain.errors import Conflict, LedgerUnavailable, QueueUnavailable
from laydown.observe import NOTICES, LogEvent
from laydown.ports import Arrival, Judgement, Notice, NoticeFeed
from laydown.worker.telling import Numbers, Words
from laydown.worker.waiting import pause, until_stopped

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds after failures, doubling
_PASSING = (LedgerUnavailable, Conflict, QueueUnavailable)


class Hearer(Protocol):
    """Who is told. Being told twice must change nothing."""

    async def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Take note of objects that the store has."""
        ...

    async def judged(self, judgements: Sequence[Judgement]) -> None:
        """Take note of what a scanner said."""
        ...


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Any number may listen; what one was told and did not settle, another hears again."""

    notices: NoticeFeed
    hearer: Hearer
    numbers: Numbers
    words: Words
    luck: random.Random = field(default_factory=random.SystemRandom)

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until *stop*; while queue or ledger are away, try ever less often."""
        delay = _FIRST_PAUSE
        while not stop.is_set():
            try:
                heard = await until_stopped(self.notices.receive(), stop)
                await self._deal_with(heard or ())
            except QueueUnavailable as error:
                self.words.warning(LogEvent.QUEUE_AWAY, detail=str(error))
            except (LedgerUnavailable, Conflict) as error:
                self.words.warning(LogEvent.LEDGER_AWAY, detail=str(error))
            else:
                delay = _FIRST_PAUSE
                continue
            await pause(stop, self.luck.uniform(delay / 2, delay))
            delay = min(delay * 2, _LONGEST_PAUSE)

    async def _deal_with(self, notices: Sequence[Notice]) -> None:
        """Tell of all at once; when that fails of each alone, so that one does not hold up all."""
        try:
            await self._tell(notices)
        except _PASSING:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the message comes again
            if len(notices) > 1:
                for each in notices:
                    await self._deal_with([each])
                return
            # The queue sets it aside when it keeps failing.
            self.words.error(LogEvent.NOTICE_FAILED, error=error)
        else:
            await self.notices.settle(notices)

    async def _tell(self, notices: Sequence[Notice]) -> None:
        facts = [fact for notice in notices for fact in notice.facts]
        if arrivals := [fact for fact in facts if isinstance(fact, Arrival)]:
            await self.hearer.arrived(arrivals)
            self.numbers.count(NOTICES, len(arrivals), kind="arrival")
        if judgements := [fact for fact in facts if isinstance(fact, Judgement)]:
            await self.hearer.judged(judgements)
            self.numbers.count(NOTICES, len(judgements), kind="judgement")

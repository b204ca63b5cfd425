"""The relay: has a queue carry the ids of due jobs. One runs at a time; two would only repeat."""

import asyncio
import random
from dataclasses import dataclass, field

from laydown.domain.errors import Conflict, LedgerUnavailable, QueueUnavailable
from laydown.observe import JOBS_ANNOUNCED, LogEvent
from laydown.ports import Outbox, QueueSender
from laydown.worker.telling import Numbers, Words
from laydown.worker.waiting import pause

_IDLE = 0.1  # seconds between looks when nothing was due: what a job waits on top of the queue
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds after failures, doubling


@dataclass(frozen=True, kw_only=True)
class Relay:
    """Sends what the ledger wants announced, and then notes that it did.

    Between the two it may die: then the same ids are sent again, which is harmless.
    """

    outbox: Outbox
    sender: QueueSender
    numbers: Numbers
    words: Words
    batch: int = 500
    luck: random.Random = field(default_factory=random.SystemRandom)

    async def run(self, stop: asyncio.Event) -> None:
        """Announce jobs until *stop*; while queue or ledger are away, try ever less often."""
        delay = _FIRST_PAUSE
        while not stop.is_set():
            try:
                sent = await self.round()
            except (LedgerUnavailable, Conflict) as error:
                self.words.warning(LogEvent.LEDGER_AWAY, detail=str(error))
            except QueueUnavailable as error:
                self.words.warning(LogEvent.QUEUE_AWAY, detail=str(error))
            else:
                delay = _FIRST_PAUSE
                if not sent:
                    await pause(stop, _IDLE)
                continue
            await pause(stop, self.luck.uniform(delay / 2, delay))
            delay = min(delay * 2, _LONGEST_PAUSE)

    async def round(self) -> int:
        """Announce what is due now, up to a batch; return how many the queue took."""
        due = await self.outbox.unsent(limit=self.batch)
        if not due:
            return 0
        sent = await self.sender.send(due)
        if sent:
            await self.outbox.mark_sent(sent)
            self.numbers.count(JOBS_ANNOUNCED, len(sent))
        return len(sent)

"""The sweeper's rounds."""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta

from laydown.domain.errors import LaydownError
from laydown.observe import SWEPT, LogEvent
from laydown.services.sweeping import Report, Sweeping
from laydown.worker.telling import Numbers, Words


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    """Tidies often and reconciles seldom, until it is stopped."""

    sweeping: Sweeping
    numbers: Numbers
    words: Words
    tidy_every: timedelta
    reconcile_every: timedelta

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until *stop*; a round that fails is tried again when the next is due."""
        clock = asyncio.get_running_loop().time
        reconciled_at = clock()
        while not stop.is_set():
            try:
                self._report(await self.sweeping.tidy())
                if clock() - reconciled_at >= self.reconcile_every.total_seconds():
                    reconciled_at = clock()
                    self._report(await self.sweeping.reconcile())
            except LaydownError as error:
                self.words.warning(LogEvent.LEDGER_AWAY, detail=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self.tidy_every.total_seconds()):
                    await stop.wait()

    def _report(self, report: Report) -> None:
        found = {what: count for what, count in asdict(report).items() if count}
        for what, count in found.items():
            self.numbers.count(SWEPT, count, what=what)
        if found:
            self.words.warning(LogEvent.SWEPT, **found)

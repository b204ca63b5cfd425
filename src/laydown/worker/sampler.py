"""The sampler's looks."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from laydown.domain.errors import LaydownError
from laydown.observe import LogEvent
from laydown.ports import Sampler
from laydown.worker.telling import Words


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Looks at the queues again and again, until it is stopped."""

    sampler: Sampler
    words: Words
    every: timedelta

    async def run(self, stop: asyncio.Event) -> None:
        """Look until *stop*; a look that fails is made up for by the next."""
        while not stop.is_set():
            try:
                await self.sampler.take()
            except LaydownError as error:
                self.words.warning(LogEvent.LEDGER_AWAY, detail=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self.every.total_seconds()):
                    await stop.wait()

"""The sampler's looks, and what is told of them."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from laydown import observe
from laydown.domain.errors import LaydownError
from laydown.domain.figures import SUCCESSES, Survey
from laydown.domain.lifecycle import State
from laydown.observe import LogEvent, Metric
from laydown.ports import Sampler
from laydown.worker.telling import Numbers, Words

_NOW: Mapping[Metric, Callable[[Survey], float]] = {
    observe.QUEUE_WAITING: lambda seen: seen.waiting,
    observe.QUEUE_RUNNING: lambda seen: seen.running,
    observe.QUEUE_DEAD: lambda seen: seen.dead,
    observe.QUEUE_OLDEST: lambda seen: seen.oldest,
    observe.ANNOUNCED_FILES: lambda seen: seen.announced,
    observe.OVERDUE_FILES: lambda seen: seen.overdue,
}


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Looks at the queues again and again, until it is stopped."""

    sampler: Sampler
    numbers: Numbers
    words: Words
    every: timedelta

    async def run(self, stop: asyncio.Event) -> None:
        """Look until *stop*; a look that fails is made up for by the next.

        What is now is told only while it is: nobody must take an old number for a new one.
        """
        self._begin()
        try:
            while not stop.is_set():
                try:
                    await self.look()
                except LaydownError as error:
                    self._forget()
                    self.words.warning(LogEvent.LEDGER_AWAY, detail=str(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.every.total_seconds()):
                        await stop.wait()
        finally:
            self._forget()

    async def look(self) -> None:
        """Look once, and tell what was seen."""
        self._tell(await self.sampler.take())

    def _begin(self) -> None:
        """Have what everybody looks at begin with 0, so that its first growth is seen as such."""
        for pace in ("prompt", "late"):
            self.numbers.count(observe.TIMED_FILES, 0, pace=pace)
        for state in SUCCESSES:
            self.numbers.count(observe.FILES, 0, state=state.value, reason="")
            self.numbers.count(observe.FILE_BYTES, 0, state=state.value)

    def _forget(self) -> None:
        for metric in _NOW:
            self.numbers.forget(metric)

    def _tell(self, seen: Survey) -> None:
        numbers = self.numbers
        for metric, read in _NOW.items():
            numbers.set(metric, read(seen))
        for outcome in seen.outcomes:
            state, reason = outcome.state.value, outcome.reason or ""
            numbers.count(observe.FILES, outcome.files, state=state, reason=reason)
            numbers.count(observe.FILE_BYTES, outcome.bytes, state=state)
            if outcome.state is State.READY:
                numbers.count(observe.BYTES_ACKNOWLEDGED, outcome.bytes)
        for life in seen.lives:
            for stage, seconds in life.stages.items():
                numbers.time(observe.STAGE_SECONDS, seconds, stage=stage.value)
            if life.waited is not None:
                numbers.time(observe.FILE_SECONDS, life.waited)
                pace = "prompt" if life.is_prompt else "late"
                numbers.count(observe.TIMED_FILES, life.stands_for, pace=pace)
        for batch in seen.batches:
            numbers.time(observe.BATCH_SECONDS, batch)

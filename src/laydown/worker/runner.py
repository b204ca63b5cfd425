"""Claim, do, report; hold leases while it lasts; stop without dropping anything."""

import asyncio
import random
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Protocol
from uuid import UUID

from laydown.domain.errors import Conflict, LedgerUnavailable
from laydown.domain.jobs import MOST_ATTEMPTS, ClaimedJob, delay_after, is_last
from laydown.observe import JOB_SECONDS, JOBS_DONE, LogEvent, Metric
from laydown.ports import JobFeed
from laydown.services.proving import Proving
from laydown.worker.handlers import give_up, handle, kind_of

_IDLE_FIRST, _IDLE_LONGEST = 0.05, 0.5  # seconds between looks at an empty feed
_GATHER = 0.3  # seconds to let jobs gather when there were few: a group costs hardly more than one
_PASSING = (LedgerUnavailable, Conflict)  # the ledger is away, or two of our statements met
_AWAY = 1.0  # seconds between looks while the database is away


class Numbers(Protocol):
    """Where the worker's metrics go."""

    def count(self, metric: Metric, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        ...

    def time(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        ...


class Words(Protocol):
    """Where the worker's log goes."""

    def warning(self, event: LogEvent, **fields: object) -> None:
        """Log something an operator may want to know."""
        ...

    def error(
        self, event: LogEvent, *, error: BaseException | None = None, **fields: object
    ) -> None:
        """Log something an operator must look at."""
        ...


class WorkerDied(Exception):
    """A worker that had begun the job never said how it ended."""


@dataclass(kw_only=True)
class Runner:
    """A worker's loop. Any number may run; any may die at any time."""

    feed: JobFeed
    proving: Proving
    worker: UUID
    numbers: Numbers
    words: Words
    slots: int
    group: int
    lease: timedelta
    luck: random.Random = field(default_factory=random.SystemRandom)
    _held: dict[UUID, ClaimedJob] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop*; what is begun by then is finished."""
        async with asyncio.TaskGroup() as tasks:
            heart = tasks.create_task(self._heartbeat())
            async with asyncio.TaskGroup() as slots:
                for _ in range(self.slots):
                    slots.create_task(self._slot(stop))
            heart.cancel()

    async def _slot(self, stop: asyncio.Event) -> None:
        idle = _IDLE_FIRST
        while not stop.is_set():
            try:
                claimed = await self.feed.claim(
                    worker=self.worker, limit=self.group, lease=self.lease
                )
            except _PASSING as error:
                self.words.warning(LogEvent.LEDGER_AWAY, detail=str(error))
                await _wait(stop, _AWAY)
                continue
            if claimed:
                idle = _IDLE_FIRST
                await self._do(claimed)
                if len(claimed) < self.group // 2:
                    await _wait(stop, _GATHER)
            else:
                await _wait(stop, idle)
                idle = min(idle * 2, _IDLE_LONGEST)

    async def _do(self, claimed: Sequence[ClaimedJob]) -> None:
        """Do claimed jobs, those of one kind and organization together.

        Those that were begun before go alone and in any order: one of them may be what killed
        its worker, and must not take the others with it for ever.
        """
        self._held |= {each.id: each for each in claimed}

        def place(each: ClaimedJob) -> tuple[str, str]:
            return str(each.organization), kind_of(each)

        new = sorted((each for each in claimed if each.attempt == 1), key=place)
        for (_, kind), alike in groupby(new, key=place):
            await self._do_alike(kind, list(alike))
        again = [each for each in claimed if each.attempt > 1]
        self.luck.shuffle(again)
        for each in again:
            if each.attempt > MOST_ATTEMPTS:
                await self._failed(kind_of(each), [each], WorkerDied("so did every one before"))
                self._held.pop(each.id, None)
            else:
                await self._do_alike(kind_of(each), [each])

    async def _do_alike(self, kind: str, jobs: Sequence[ClaimedJob]) -> None:
        began = time.perf_counter()
        try:
            await handle(jobs, proving=self.proving)
        except Exception as error:  # noqa: BLE001 - whatever it was, the job is tried again or dead
            await self._failed(kind, jobs, error)
        else:
            await _if_it_can(self.feed.finish(jobs, worker=self.worker))
            self.numbers.count(JOBS_DONE, len(jobs), kind=kind, end="done")
        finally:
            for each in jobs:
                self._held.pop(each.id, None)
            self.numbers.time(JOB_SECONDS, time.perf_counter() - began, kind=kind)

    async def _failed(self, kind: str, jobs: Sequence[ClaimedJob], error: Exception) -> None:
        """Find the job that failed by doing each alone; note its failure."""
        if len(jobs) > 1 and not isinstance(error, LedgerUnavailable):
            for each in jobs:
                await self._do_alike(kind, [each])
            return
        for each in jobs:
            dead = is_last(each.attempt)
            self.numbers.count(JOBS_DONE, kind=kind, end="dead" if dead else "failed")
            self.words.error(
                LogEvent.JOB_DEAD if dead else LogEvent.JOB_FAILED,
                error=error,
                job=str(each.id),
                kind=kind,
                attempt=each.attempt,
            )
            await _if_it_can(self._note(each, error, dead=dead))

    async def _note(self, job: ClaimedJob, error: Exception, *, dead: bool) -> None:
        if dead:
            await give_up(job, proving=self.proving)
        await self.feed.fail(
            job,
            worker=self.worker,
            error=f"{type(error).__name__}: {error}",
            retry_in=None if dead else delay_after(job.attempt, luck=self.luck),
        )

    async def _heartbeat(self) -> None:
        """Extend the leases of the jobs in hand, well before they run out."""
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            if held := list(self._held.values()):
                with suppress(*_PASSING):
                    await self.feed.extend(held, worker=self.worker, lease=self.lease)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def _if_it_can(note: Awaitable[None]) -> None:
    """Note something in the ledger; when it is away, the lease runs out and says it for us."""
    with suppress(*_PASSING):
        await note

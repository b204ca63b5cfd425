"""Claim, do, report; hold leases while it lasts; stop without dropping anything."""

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from laydown.domain.errors import (
    Conflict,
    LedgerUnavailable,
    QueueUnavailable,
    ScannerUnavailable,
    StoreUnavailable,
)
from laydown.domain.jobs import MOST_ATTEMPTS, ClaimedJob, delay_after, is_last
from laydown.observe import JOB_SECONDS, JOBS_DONE, LogEvent
from laydown.ports import JobFeed, Tracing
from laydown.worker.following import spans_of, whereabouts
from laydown.worker.handlers import UseCases, give_up, handle, kind_of
from laydown.worker.telling import Numbers, Words
from laydown.worker.waiting import pause, until_stopped

_IDLE_FIRST, _IDLE_LONGEST = 0.05, 0.5  # seconds between looks at an empty feed
_GATHER = 0.3  # seconds to let jobs gather when there were few: a group costs hardly more than one
# The ledger or the queue is away, or two of our statements met.
_PASSING = (LedgerUnavailable, Conflict, QueueUnavailable)
_AWAY = 1.0  # seconds between looks while one of them is away
_COME_BACK = (1.0, 10.0)  # seconds they wait for it, at random so that they don't come back as one


class WorkerDied(Exception):
    """A worker that had begun the job never said how it ended."""


@dataclass(kw_only=True)
class Runner:
    """A worker's loop. Any number may run; any may die at any time."""

    feed: JobFeed
    use_cases: UseCases
    worker: UUID
    numbers: Numbers
    words: Words
    tracing: Tracing
    slots: int
    group: int
    lease: timedelta
    luck: random.Random = field(default_factory=random.SystemRandom)
    _held: dict[UUID, ClaimedJob] = field(default_factory=dict)
    _busy: int = 0

    @property
    def busy(self) -> int:
        """How many slots have jobs to do."""
        return self._busy

    @property
    def held(self) -> int:
        """How many jobs are in hand."""
        return len(self._held)

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
                claimed = await until_stopped(
                    self.feed.claim(worker=self.worker, limit=self.group, lease=self.lease), stop
                )
            except _PASSING as error:
                is_queue = isinstance(error, QueueUnavailable)
                event = LogEvent.QUEUE_AWAY if is_queue else LogEvent.LEDGER_AWAY
                self.words.warning(event, detail=str(error))
                await pause(stop, _AWAY)
                continue
            if claimed:
                idle = _IDLE_FIRST
                await self._occupied(claimed)
                if len(claimed) < self.group // 2:
                    await pause(stop, _GATHER)
            else:
                await pause(stop, idle)
                idle = min(idle * 2, _IDLE_LONGEST)

    async def _occupied(self, claimed: Sequence[ClaimedJob]) -> None:
        self._busy += 1
        try:
            await self._do(claimed)
        finally:
            self._busy -= 1

    async def _do(self, claimed: Sequence[ClaimedJob]) -> None:
        """Do claimed jobs, those of one kind and organization together, the fewest first.

        Those that were begun before go alone and in any order: one of them may be what killed
        its worker, and must not take the others with it for ever.
        """
        self._held |= {each.id: each for each in claimed}

        def place(each: ClaimedJob) -> tuple[str, str]:
            return str(each.organization), kind_of(each)

        new = sorted((each for each in claimed if each.attempt == 1), key=place)
        groups = [(kind, list(alike)) for (_, kind), alike in groupby(new, key=place)]
        for kind, alike in sorted(groups, key=lambda group: len(group[1])):
            await self._do_alike(kind, alike)
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
        why: Exception | None = None
        try:
            await handle(jobs, use_cases=self.use_cases)
        except ScannerUnavailable as error:
            why = error
            await self._postpone(kind, jobs, error)
        except StoreUnavailable as error:
            why = error
            if await self.use_cases.proving.store_answers():  # then it is one of these objects
                await self._failed(kind, jobs, error)
            else:
                await self._postpone(kind, jobs, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the job is tried again or dead
            why = error
            await self._failed(kind, jobs, error)
        else:
            await _if_it_can(self.feed.finish(jobs, worker=self.worker))
            self.numbers.count(JOBS_DONE, len(jobs), kind=kind, end="done")
        finally:
            for each in jobs:
                self._held.pop(each.id, None)
            seconds = time.perf_counter() - began
            self.numbers.time(JOB_SECONDS, seconds, kind=kind)
            for span in spans_of(kind, jobs, seconds=seconds, why=why, tracing=self.tracing):
                self.tracing.tell(span)

    async def _postpone(self, kind: str, jobs: Sequence[ClaimedJob], error: Exception) -> None:
        """Let jobs wait for something that they need and that is away, however often."""
        self.numbers.count(JOBS_DONE, len(jobs), kind=kind, end="postponed")
        self.words.warning(LogEvent.JOBS_POSTPONED, kind=kind, jobs=len(jobs), detail=_told(error))
        retry_in = timedelta(seconds=self.luck.uniform(*_COME_BACK))
        await _if_it_can(
            self.feed.postpone(jobs, worker=self.worker, why=_told(error), retry_in=retry_in)
        )

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
                **whereabouts(each),
            )
            await _if_it_can(self._note(each, error, dead=dead))

    async def _note(self, job: ClaimedJob, error: Exception, *, dead: bool) -> None:
        if dead:
            await give_up(job, use_cases=self.use_cases)
        await self.feed.fail(
            job,
            worker=self.worker,
            error=_told(error),
            retry_in=None if dead else delay_after(job.attempt, luck=self.luck),
        )

    async def _heartbeat(self) -> None:
        """Extend the leases of the jobs in hand, well before they run out."""
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            if held := list(self._held.values()):
                with suppress(*_PASSING):
                    await self.feed.extend(held, worker=self.worker, lease=self.lease)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


async def _if_it_can(note: Coroutine[Any, Any, None]) -> None:
    """Note something in the ledger; when it is away, the lease runs out and says it for us."""
    with suppress(*_PASSING):
        await note

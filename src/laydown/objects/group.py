"""Group commit: many bodies share one flush and one ledger commit."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TypeAlias

from laydown.domain.errors import Conflict, LaydownError, Stopping, StoreUnavailable
from laydown.domain.upload import OrganizationId, Part, PartOutcome
from laydown.objects.checksum import crc64nvme_of
from laydown.objects.destination import in_our_words
from laydown.objects.disk import DiskStore
from laydown.objects.landing import Landing
from laydown.objects.layout import Attempt
from laydown.objects.recorded import RecordedParts
from laydown.objects.stats import IntakeStats

Recorder: TypeAlias = Callable[[OrganizationId, Sequence[Part]], Awaitable[Sequence[PartOutcome]]]
"""Records durable parts of one organization; answers one outcome each, in their order."""

_UNWANTED = frozenset({PartOutcome.DIFFERENT, PartOutcome.NOT_RECEIVING})


class GroupCommit:
    """Takes whole bodies; makes all that wait durable at once, records them, answers each.

    Durable comes first, then recorded, then answered. Bodies are written as they come; a flush
    takes all that was written since the last one began; while its group is recorded, the next is
    flushed. So nobody waits for company, and the busier it is the larger groups are. A flush that
    fails fails its group, what was written meanwhile, and the store: see `flush`.
    """

    def __init__(
        self, store: DiskStore, *, recorder: Recorder, recorded: RecordedParts, stats: IntakeStats
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._recorded = recorded
        self._stats = stats
        self._queue: list[Landing] = []
        self._written: list[Landing] = []
        self._wake = asyncio.Event()
        self._was_written = asyncio.Event()
        self._is_closed = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="laydown-group")
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="laydown-flush")

    def add(self, landing: Landing) -> None:
        """Queue a body that is whole; its `answer` is set in time."""
        if self._is_closed:
            stopping = Stopping("the server is shutting down; send the part again in a moment")
            landing.refuse(stopping)
            _answer(landing, stopping)
            return
        self._queue.append(landing)
        self._wake.set()

    def close(self) -> None:
        """Let `run` return once the queue is empty."""
        self._is_closed = True
        self._wake.set()

    async def run(self) -> None:
        """Commit groups until closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write_all())
                tasks.create_task(self._commit_all(writing))
        finally:
            self._writer.shutdown(wait=False)
            self._flusher.shutdown(wait=False)

    async def _write_all(self) -> None:
        """Write bodies as they come, until closed and all are written."""
        while await self._has_work():
            group, self._queue = self._queue, []
            written = await self._write_group(group)
            self._written.extend(written)  # looked up only now: a flush may have taken the list
            self._was_written.set()

    async def _commit_all(self, writing: asyncio.Task[None]) -> None:
        """Flush, record and answer what is written, until nothing more will be."""
        recording: asyncio.Task[None] | None = None
        writing.add_done_callback(lambda _: self._was_written.set())
        async with asyncio.TaskGroup() as tasks:
            while self._written or not writing.done():
                if not self._written:
                    self._was_written.clear()
                    await self._was_written.wait()
                    continue
                group, self._written = self._written, []
                durable = await self._flush_group(group)
                if recording is not None:
                    await recording
                recording = tasks.create_task(self._record_group(durable))

    async def _has_work(self) -> bool:
        while not self._queue and not self._is_closed:
            self._wake.clear()
            await self._wake.wait()
        return bool(self._queue)

    async def _write_group(self, group: list[Landing]) -> list[Landing]:
        """Return the bodies that are written and placed; answer the others with what is wrong."""
        started = perf_counter()
        writing = asyncio.ensure_future(self._write_and_settle(group))
        await asyncio.wait([writing])
        self._stats.durable_seconds += perf_counter() - started
        return _still_good(group, writing.exception())

    async def _write_and_settle(self, group: list[Landing]) -> None:
        """Write and place a group: one thread hop, unless an object's place is taken."""
        loop = asyncio.get_running_loop()
        contested = await loop.run_in_executor(self._writer, self._land, group)
        if contested:
            try:
                asked = [it.slot.attempt for it in contested if it.slot.length is not None]
                recorded = await self._recorded.among(asked)
            except LaydownError as error:
                await loop.run_in_executor(self._writer, _refuse_all, group, error)
                raise
            await loop.run_in_executor(self._writer, self._settle, contested, recorded)

    async def _flush_group(self, group: list[Landing]) -> list[Landing]:
        """Return the bodies that are durable; answer the others with what went wrong."""
        started = perf_counter()
        loop = asyncio.get_running_loop()
        flushing = loop.run_in_executor(self._flusher, self._flush, group)
        await asyncio.wait([flushing])
        self._stats.groups += 1
        self._stats.grouped += len(group)
        self._stats.largest_group = max(self._stats.largest_group, len(group))
        self._stats.durable_seconds += perf_counter() - started
        return _still_good(group, flushing.exception())

    def _land(self, group: list[Landing]) -> list[Landing]:
        """Write and place a group's bodies; return those whose place is taken. Blocks."""
        if not self._store.is_healthy:
            error = StoreUnavailable("the disk failed; nothing is stored until an operator looks")
            _refuse_all(group, error)
            raise error
        stay_open = self._store.flush.needs_files
        return [
            landing
            for landing in group
            if not landing.finish(stay_open=stay_open) and landing.error is None
        ]

    def _settle(self, contested: list[Landing], recorded: set[Attempt]) -> None:
        """Settle who owns an object's place. Blocks.

        An object of a recorded attempt is never replaced: these bytes are dropped, and the
        recorder says whether they are the same. One that a crash left before its commit must be
        replaced: its bytes may not have reached the disk. What is kept for somebody else to record
        replaces nothing at all.
        """
        for landing in contested:
            if landing.slot.length is None:
                self._compare(landing)
                continue
            if landing.slot.attempt in recorded:
                landing.destination.drop()
                continue
            try:
                landing.destination.replace()
            except LaydownError as error:
                landing.refuse(error)

    def _compare(self, landing: Landing) -> None:
        """Refuse a body under whose key there are other bytes; drop one that is there. Blocks."""
        path = self._store.layout.placed_path(landing.slot.attempt)
        try:
            with in_our_words():
                is_there = crc64nvme_of(path) == landing.crc64nvme
        except LaydownError as error:
            landing.refuse(error)
            return
        if is_there:
            landing.destination.drop()
        else:
            landing.refuse(Conflict("there are other bytes under this key"))

    def _flush(self, group: list[Landing]) -> None:
        """Make durable what a group wrote; when that fails, the store takes nothing more."""
        written = [landing.destination for landing in group]
        lost = StoreUnavailable("the disk did not keep what was written; nothing was stored")
        if not self._store.is_healthy:
            _refuse_all(group, lost)
            raise lost
        try:
            self._store.flush(
                [destination.fd for destination in written if destination.fd >= 0],
                {folder for destination in written for folder in destination.folders},
            )
            for destination in written:
                destination.close()
        except OSError as error:
            self._store.fail(f"flush failed: {error.strerror}")
            _refuse_all(group, lost)
            raise lost from error

    async def _record_group(self, group: list[Landing]) -> None:
        """Record each organization's bodies in one call, side by side, and answer them.

        Those that somebody else records are answered at once: they are durable.
        """
        started = perf_counter()
        owned: defaultdict[OrganizationId, list[Landing]] = defaultdict(list)
        for landing in group:
            if landing.slot.length is None:
                _answer(landing, PartOutcome.RECORDED)
            else:
                owned[landing.slot.attempt.organization].append(landing)
        results = await asyncio.gather(
            *(
                self._recorder(organization, [landing.part() for landing in landings])
                for organization, landings in owned.items()
            ),
            return_exceptions=True,
        )
        self._stats.ledger_seconds += perf_counter() - started
        for landings, result in zip(owned.values(), results, strict=True):
            if isinstance(result, BaseException):
                for landing in landings:
                    # The commit may have happened: the bytes stay, and the ledger is asked again.
                    self._recorded.forget(landing.slot.attempt)
                    _answer(landing, result)
            else:
                await self._answer_all(landings, result)

    async def _answer_all(self, landings: list[Landing], outcomes: Sequence[PartOutcome]) -> None:
        pairs = list(zip(landings, outcomes, strict=True))
        unwanted = [landing for landing, outcome in pairs if outcome in _UNWANTED]
        if unwanted:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._writer, _drop_all, unwanted)
        for landing, outcome in pairs:
            if outcome is not PartOutcome.NOT_RECEIVING:
                self._recorded.add(landing.slot.attempt, landing.slot.number)
            self._stats.outcomes[outcome] += 1
            _answer(landing, outcome)


def _still_good(group: list[Landing], failure: BaseException | None) -> list[Landing]:
    """Return the bodies nothing is wrong with; answer the others with what is."""
    good: list[Landing] = []
    for landing in group:
        error = landing.error or failure
        if error is None:
            good.append(landing)
        else:
            _answer(landing, error)
    return good


def _answer(landing: Landing, answer: PartOutcome | BaseException) -> None:
    landing.let_go()
    assert landing.answer is not None
    if landing.answer.done():  # its client's task was cancelled
        return
    if isinstance(answer, BaseException):
        landing.answer.set_exception(answer)
    else:
        landing.answer.set_result(answer)


def _refuse_all(group: list[Landing], error: LaydownError) -> None:
    """Drop what a group wrote, and answer all of it with *error*. Blocks."""
    for landing in group:
        landing.refuse(landing.error or error)


def _drop_all(landings: list[Landing]) -> None:
    """Delete objects that the ledger doesn't want. Blocks."""
    for landing in landings:
        with contextlib.suppress(OSError):  # the sweeper finds what can't be deleted now
            landing.destination.drop()

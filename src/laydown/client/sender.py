"""Sending: windows of grants, parts in parallel, and completion, until nothing is left."""

import asyncio
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from uuid import UUID

from laydown import wire
from laydown.client.api import Api
from laydown.client.delivery import Deliverer, Outcome
from laydown.client.errors import ApiError, BadAnswer
from laydown.client.parts import Outgoing, Piece
from laydown.client.progress import Log
from laydown.client.reading import Local

_WINDOW_PARTS = 128  # URLs asked for at once: enough to keep the connections busy meanwhile
_WINDOW_BYTES = 64 << 20  # and few enough that they are used before they expire
_COMPLETED_AT_ONCE = 1_000
_COMPLETED_AFTER = 0.25  # seconds that a file of one part waits for company
_INCOMPLETE = 5  # times that a file is sent again because the server misses parts of it
_REPORTED_EVERY = 2.0  # seconds
_REPORTED_AT_ONCE = 1_000


class Sender:
    """Sends what it is given, in order, *jobs* parts at a time."""

    def __init__(self, api: Api, batch_id: UUID, *, jobs: int, log: Log, threads: Executor) -> None:
        self._api = api
        self._batch_id = batch_id
        self._jobs = jobs
        self._log = log
        self._deliverer = Deliverer(api, batch_id, log=log, threads=threads)
        self._waiting: deque[Outgoing] = deque()
        self._has_waiting = asyncio.Event()
        self._pieces: asyncio.Queue[Piece] = asyncio.Queue(_WINDOW_PARTS)
        self._joined: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._open: dict[UUID, Outgoing] = {}
        self._goes_to_store = asyncio.Event()  # so that the server doesn't see the bytes
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @property
    def kept(self) -> int:
        """How many files were given up but left as they are, for a later push to resume."""
        return self._deliverer.kept

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to be sent, for now."""
        return self._is_idle.is_set()

    def has_tried(self, upload_id: UUID) -> bool:
        """Say whether an upload is under way, or was given up."""
        return upload_id in self._open or self._deliverer.has_given_up(upload_id)

    def leave(self, upload_id: UUID, file: Local, why: str) -> None:
        """Report a file that can't be sent now, and leave its upload to a later push."""
        self._deliverer.leave(upload_id, file, why)

    def send(self, outgoing: Outgoing) -> None:
        """Have a file sent."""
        self._log.wanted_files += 1
        self._log.wanted_bytes += outgoing.file.size
        self._open[outgoing.upload_id] = outgoing
        self._is_idle.clear()
        self._enqueue(outgoing)

    async def idle(self) -> None:
        """Return once nothing is left to be sent."""
        await self._is_idle.wait()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._grant())
            group.create_task(self._complete())
            group.create_task(self._report())
            for _ in range(self._jobs):
                group.create_task(self._work())

    def _enqueue(self, outgoing: Outgoing) -> None:
        self._waiting.append(outgoing)
        self._has_waiting.set()

    # -- grants

    async def _grant(self) -> None:
        while True:
            await self._has_waiting.wait()
            asked = list(self._window())
            wanted = [
                wire.WantedUpload(
                    id=outgoing.upload_id,
                    parts=[outgoing.wanted(number) for number in numbers],
                )
                for outgoing, numbers in asked
            ]
            wanted.sort(
                key=lambda each: not each.parts
            )  # who names none takes the room that is left
            limit = max(sum(len(numbers) for _, numbers in asked), 1)
            grants = await self._api.grants(self._batch_id, wanted, limit=limit)
            answered = {grant.id: grant for grant in grants}
            for outgoing, numbers in asked:
                await self._granted(outgoing, numbers, answered.get(outgoing.upload_id))

    def _window(self) -> Iterator[tuple[Outgoing, list[int]]]:
        """Take from the front what one request asks for; an upload's parts may fill several."""
        parts, size = _WINDOW_PARTS, _WINDOW_BYTES
        while self._waiting and parts > 0 and size > 0:
            outgoing = self._waiting[0]
            numbers: list[int] = []
            while outgoing.todo and parts > 0 and size > 0:
                number = outgoing.todo.popleft()
                numbers.append(number)
                parts, size = parts - 1, size - outgoing.range(number)[1]
            if not outgoing.todo:
                self._waiting.popleft()
            if not outgoing.is_known:
                parts -= 1
            outgoing.under_way.update(numbers)
            yield outgoing, numbers
        if not self._waiting:
            self._has_waiting.clear()

    async def _granted(
        self, outgoing: Outgoing, numbers: list[int], grant: wire.UploadGrant | None
    ) -> None:
        if outgoing.is_over:
            return
        if grant is None or grant.code is not None:
            await self._finish(outgoing, await self._why_not(outgoing))
            return
        here = set(grant.have)
        if grant.needs_completion:
            outgoing.needs_completion = True
            outgoing.sent |= {number: outgoing.range(number)[1] for number in here}
            self._goes_to_store.set()
        if not outgoing.is_known:
            outgoing.is_known = True
            outgoing.todo.extend(sorted(set(range(1, outgoing.plan.parts + 1)) - here))
            if outgoing.todo:
                self._enqueue(outgoing)
            else:
                await self._all_parts_sent(outgoing)
            return
        urls = {part.number: part for part in grant.parts}
        for number in numbers:
            if number in urls:
                await self._pieces.put(Piece(outgoing, number, urls[number]))
            elif number in here:
                await self._landed(outgoing, number)
            else:  # the answer had no room for it
                outgoing.under_way.discard(number)
                outgoing.todo.append(number)
        if outgoing.todo and outgoing not in self._waiting:
            self._enqueue(outgoing)

    async def _why_not(self, outgoing: Outgoing) -> Outcome:
        return await self._deliverer.refused(outgoing)

    # -- bytes

    async def _work(self) -> None:
        while True:
            piece = await self._pieces.get()
            if piece.outgoing.is_over:
                continue
            outcome = await self._deliverer.deliver(piece)
            if outcome is Outcome.LANDED:
                await self._landed(piece.outgoing, piece.number)
            else:
                await self._finish(piece.outgoing, outcome)

    async def _landed(self, outgoing: Outgoing, number: int) -> None:
        outgoing.under_way.discard(number)
        outgoing.sent[number] = outgoing.range(number)[1]
        if not outgoing.todo and not outgoing.under_way and not outgoing.is_over:
            await self._all_parts_sent(outgoing)

    async def _all_parts_sent(self, outgoing: Outgoing) -> None:
        if outgoing.plan.kind == "single" and not outgoing.needs_completion:
            await self._finish(outgoing, Outcome.ARRIVED)
        else:
            await self._joined.put(outgoing)

    async def _finish(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Settle what becomes of a file: it is here, it begins again, or it is given up."""
        if outgoing.is_over:
            return
        outgoing.is_over = True
        if outcome is Outcome.CHANGED:
            again = await self._deliverer.restarted(outgoing)
            if again is not None:
                self._open[outgoing.upload_id] = again
                self._enqueue(again)
                return
        elif outcome is Outcome.ARRIVED:
            self._log.sent_files += 1
        if self._open.get(outgoing.upload_id) is outgoing:
            del self._open[outgoing.upload_id]
        if not self._open:
            self._is_idle.set()

    # -- completion

    async def _complete(self) -> None:
        while True:
            by_id = {outgoing.upload_id: outgoing for outgoing in await self._all_sent()}
            for completion in await self._api.complete(self._batch_id, list(by_id)):
                outgoing = by_id[completion.id]
                if completion.missing and outgoing.incomplete < _INCOMPLETE:
                    outgoing.incomplete += 1
                    outgoing.todo.extend(completion.missing)
                    self._enqueue(outgoing)
                elif completion.missing:
                    why = "the store keeps losing parts of it"
                    self._deliverer.leave(outgoing.upload_id, outgoing.file, why)
                    await self._finish(outgoing, Outcome.GIVEN_UP)
                else:
                    is_done = completion.code is None and completion.state is not None
                    outcome = Outcome.ARRIVED if is_done else await self._why_not(outgoing)
                    await self._finish(outgoing, outcome)

    async def _all_sent(self) -> list[Outgoing]:
        """Wait for files to be completed; where they are many, for more than one."""
        sent = [await self._joined.get()]
        patience = _COMPLETED_AFTER if sent[0].needs_completion else 0
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                # None of those still open may be left to wait for.
                while len(sent) < min(_COMPLETED_AT_ONCE, len(self._open)):
                    sent.append(await self._joined.get())
        return sent

    # -- what others see

    async def _report(self) -> None:
        """Say how much has gone to a store, where the server can't see it itself."""
        await self._goes_to_store.wait()
        reported: dict[UUID, int] = {}
        while True:
            await asyncio.sleep(_REPORTED_EVERY)
            sent = {
                upload_id: sum(outgoing.sent.values())
                for upload_id, outgoing in self._open.items()
                if outgoing.needs_completion
            }
            news = [each for each, count in sent.items() if count and reported.get(each) != count]
            reported = {each: count for each, count in reported.items() if each in sent}
            latest = {each: sent[each] for each in news[:_REPORTED_AT_ONCE]}
            if latest:
                with suppress(ApiError, BadAnswer):  # nothing depends on it
                    await self._api.report_progress(self._batch_id, latest)
                reported |= latest

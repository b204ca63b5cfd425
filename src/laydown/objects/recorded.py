"""Which parts are recorded, so that none is ever written again."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from laydown.domain.upload import OrganizationId, UploadId
from laydown.objects.layout import Attempt

LandedQuery: TypeAlias = Callable[
    [OrganizationId, Sequence[tuple[UploadId, int]]],
    Awaitable[Mapping[tuple[UploadId, int], Collection[int]]],
]
"""Returns the numbers of the parts recorded for each (upload, attempt).

The store overwrites what this leaves out. So it must name a recorded part whatever has become of
its upload since, and it must wait for transactions that may still record one (lock the rows).
An attempt without recorded parts may be missing from the answer.
"""

_MOST_KEPT = 4_096  # attempts; a bit a part, so at most 1.3 KB each


class _Numbers:
    """The recorded part numbers of one attempt, one bit each."""

    __slots__ = ("bits", "loading")

    def __init__(self) -> None:
        self.bits = 0
        self.loading: asyncio.Task[None] | None = None


class RecordedParts:
    """Remembers recorded parts of uploads under way, asking the ledger once for each attempt.

    The ledger is asked when a process meets an attempt for the first time, after a restart, and
    when a commit ended in doubt; in between, memory follows what this process records. That is
    enough because one process owns the store.
    """

    def __init__(self, landed: LandedQuery) -> None:
        self._landed = landed
        self._known: OrderedDict[Attempt, _Numbers] = OrderedDict()

    async def holds(self, attempt: Attempt, number: int) -> bool:
        """Say whether the part is recorded; errors of the ledger pass through."""
        numbers = self._known.get(attempt)
        if numbers is None:
            numbers = self._known[attempt] = _Numbers()
            numbers.loading = asyncio.create_task(self._load(attempt, numbers))
            numbers.loading.add_done_callback(_retrieve)
            if len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(attempt)
        if numbers.loading is not None:
            # Several parts wait for one query; one of them going away must not end it.
            await asyncio.shield(numbers.loading)
        return bool(numbers.bits >> number & 1)

    def add(self, attempt: Attempt, number: int) -> None:
        """Note that the part is recorded now."""
        numbers = self._known.get(attempt)
        if numbers is not None:  # else the ledger is asked again, and says so
            numbers.bits |= 1 << number

    def forget(self, attempt: Attempt) -> None:
        """Ask the ledger again next time: what is recorded is in doubt."""
        self._known.pop(attempt, None)

    async def among(self, attempts: Sequence[Attempt]) -> set[Attempt]:
        """Return which of these have their first part recorded; always asks the ledger."""
        found: set[Attempt] = set()
        for organization in {attempt.organization for attempt in attempts}:
            ours = [attempt for attempt in attempts if attempt.organization == organization]
            landed = await self._landed(
                organization, [(attempt.upload, attempt.number) for attempt in ours]
            )
            found.update(
                attempt for attempt in ours if 1 in landed.get((attempt.upload, attempt.number), ())
            )
        return found

    async def _load(self, attempt: Attempt, numbers: _Numbers) -> None:
        try:
            landed = await self._landed(attempt.organization, [(attempt.upload, attempt.number)])
        except BaseException:
            if self._known.get(attempt) is numbers:
                del self._known[attempt]
            raise
        for number in landed.get((attempt.upload, attempt.number), ()):
            numbers.bits |= 1 << number
        numbers.loading = None


def _retrieve(task: asyncio.Task[None]) -> None:
    """Look at the task's error: everybody who waited may have gone."""
    if not task.cancelled():
        task.exception()

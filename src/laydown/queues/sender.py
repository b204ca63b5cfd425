"""The relay's way into the queue."""

import asyncio
from collections.abc import Sequence

from laydown.domain.errors import QueueUnavailable
from laydown.ports import Announced
from laydown.queues.client import Queue, in_tens
from laydown.queues.messages import letter_of

_REQUESTS = 8  # at once


class SqsSender:
    """A `QueueSender`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def send(self, jobs: Sequence[Announced]) -> Sequence[Announced]:
        """Send these; return those that the queue took.

        Raises `QueueUnavailable` when it took none; those it may have taken without our hearing
        of it are sent again, which is harmless.
        """
        slots = asyncio.Semaphore(_REQUESTS)
        taken: list[Announced] = []
        failures: list[QueueUnavailable] = []

        async def send(some: Sequence[Announced]) -> None:
            by_letter = {letter_of(job): job for job in some}
            async with slots:
                try:
                    took = await self._queue.send(list(by_letter))
                except QueueUnavailable as error:
                    failures.append(error)
                else:
                    taken.extend(by_letter[letter] for letter in took)

        async with asyncio.TaskGroup() as tasks:
            for some in in_tens(jobs):
                tasks.create_task(send(some))
        if failures and not taken:
            raise failures[0]
        return taken

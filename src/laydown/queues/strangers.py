"""Messages that aren't ours: said, counted, and dropped when they keep coming."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

from laydown.domain.errors import QueueUnavailable
from laydown.observe import STRANGE_MESSAGES, LogEvent, Metric
from laydown.queues.client import Message, Queue

ENOUGH: Final = 3
"""Deliveries after which it is dropped: below the five after which the queue sets it aside, above
the one that a worker of the next version, which may understand it, would have needed."""

_SHOWN = 200  # characters of it


class Numbers(Protocol):
    """Where this package's metrics go."""

    def count(self, metric: Metric, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        ...


class Words(Protocol):
    """Where this package's log goes."""

    def warning(self, event: LogEvent, **fields: object) -> None:
        """Log something an operator may want to know."""
        ...


class Strangers:
    """What is done with messages that aren't ours, in a queue of this name."""

    def __init__(self, name: str, *, numbers: Numbers, words: Words) -> None:
        self._name = name
        self._numbers = numbers
        self._words = words

    async def meet(self, queue: Queue, messages: Sequence[Message]) -> None:
        """Say and count each; drop those that came often enough. Never raises for the queue."""
        for message in messages:
            self._numbers.count(STRANGE_MESSAGES, queue=self._name)
            self._words.warning(
                LogEvent.STRANGE_MESSAGE,
                queue=self._name,
                receives=message.receives,
                is_dropped=message.receives >= ENOUGH,
                body=message.body[:_SHOWN],
            )
        with suppress(QueueUnavailable):
            await queue.delete([each.receipt for each in messages if each.receives >= ENOUGH])

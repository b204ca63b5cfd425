"""Whether to ask a store at all: one that is away is asked by one caller, now and then."""

import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from laydown.domain.errors import StoreUnavailable

_IN_A_ROW: Final = 3
"""Requests that were given all their attempts and time, and none an answer. One may have met a
broken connection, two the moment of a restart; each has cost its caller up to 30 s by then."""
_PAUSE: Final = (1.0, 5.0)
"""Seconds until the next probe. Short, because callers are turned away for so long after the store
is back; random, so that many processes don't ask at one moment."""

_LUCK: Final = random.SystemRandom()


class Circuit:
    """Turns requests away at once while a store does not answer.

    Any answer counts, a refusal too: it is there. What is under way when the store goes away keeps
    its own attempts and time, and is the first to notice the return.
    """

    def __init__(
        self,
        *,
        in_a_row: int = _IN_A_ROW,
        pause: tuple[float, float] = _PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open after *in_a_row* requests without an answer; *pause* is in seconds."""
        self.clock = clock
        self._in_a_row = in_a_row
        self._pause = pause
        self._unanswered = 0  # requests in a row
        self._answered_at = float("-inf")
        self._probe_at = float("-inf")
        self._is_probing = False

    async def passed(self, probe: Callable[[], Awaitable[None]]) -> None:
        """Return if the store may be asked; raise `StoreUnavailable` at once if it may not.

        When the pause is over one caller calls *probe*, and goes on if that returns; it raises
        `StoreUnavailable` when there was no answer.
        """
        if self._unanswered < self._in_a_row:
            return
        if self._is_probing or self.clock() < self._probe_at:
            raise StoreUnavailable(
                f"the store answered none of the last {self._unanswered} requests: "
                "it is asked again in a few seconds"
            )
        self._is_probing = True
        began = self.clock()
        try:
            await probe()
        except StoreUnavailable:
            self.failed(since=began)
            raise
        finally:
            self._is_probing = False

    def answered(self) -> None:
        """Note that the store has answered something."""
        self._unanswered = 0
        self._answered_at = self.clock()

    def failed(self, *, since: float) -> None:
        """Note that a request was given up that had begun then.

        It says nothing of a store that has answered anybody meanwhile.
        """
        if self._answered_at < since:
            self._unanswered += 1
            self._probe_at = self.clock() + _LUCK.uniform(*self._pause)

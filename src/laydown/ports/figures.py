"""What operators are shown, and who writes down what can't be known later."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from laydown.domain.figures import Duration, Moment, Outcome, Patience, Plight, StuckUpload, Survey
from laydown.ports.limits import Transient
from laydown.ports.pages import Page


class FigureRows(Protocol):
    """What operators look at. Moments are whole minutes."""

    async def outcomes(self, since: datetime) -> Sequence[Outcome]:
        """Return how files settled since then, the most frequent first."""
        ...

    async def durations(self, since: datetime) -> Sequence[Duration]:
        """Return how long the stages took that files left since then; of many files, of some."""
        ...

    async def last_sample(self) -> datetime | None:
        """Return the minute in which the queue was last looked at; None: never."""
        ...

    async def moments(self, since: datetime, step: timedelta) -> Sequence[Moment]:
        """Return what was written down since then, in steps; one without a look is missing."""
        ...

    async def count_stuck(self, patience: Patience) -> Mapping[Plight, int]:
        """Return how many files move no more."""
        ...

    async def stuck(self, page: Page, patience: Patience) -> Sequence[StuckUpload]:
        """Return the files that move no more, by id; the cursor is an id."""
        ...


class Sampler(Transient, Protocol):
    """Who looks at the queues of all organizations; what is written down is forgotten in time."""

    async def take(self) -> Survey:
        """Write down what waits now, and what settled since the look before, each once; tell it."""
        ...

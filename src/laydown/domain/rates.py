"""How often something may be done: so many at once, and so many a second after that."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of *burst* units that fills by *per_second*; each request takes one."""

    per_second: float
    burst: int

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket fills."""
        return math.ceil(self.burst / self.per_second)

    @property
    def draught(self) -> int:
        """Units that a process takes from the bucket at once, to spend without asking again.

        A hundredth: a client that is sent from one process to another can't miss much of it.
        """
        return max(1, self.burst // 100)

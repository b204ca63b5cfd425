"""How jobs and news reach a worker."""

from collections.abc import Callable
from dataclasses import dataclass

from laydown.ports import JobFeed
from laydown.worker.listener import Hearer, Listener
from laydown.worker.relay import Relay


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Where a worker's jobs come from, and who else it is."""

    jobs: JobFeed
    relay: Relay | None = None  # for whoever is elected to announce jobs
    listener: Callable[[Hearer], Listener] | None = None  # to what the store has to say

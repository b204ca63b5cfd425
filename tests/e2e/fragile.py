"""A laydown that a test may hurt, on either set of engines: one face for both."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar, Protocol

from laydown.ports import Office
from tests.e2e import ledger, site_ledger
from tests.e2e.ledger import Holding, holding_of
from tests.e2e.site import APIS, WORKERS, Node, Site
from tests.e2e.site_talk import holder
from tests.e2e.yard import Push, Yard
from tests.engines.postgres import Postgres
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed

_LEASES = 2.5  # seconds; longer than a site's `JOB_LEASE`
_AWAY = 0.6  # seconds that something is away at most, beside what its return takes


class Fragile(Protocol):
    """A laydown of one test's own."""

    kills: ClassVar[Sequence[str]]
    """What can be killed alone."""
    harms: ClassVar[Sequence[str]]
    """Whatever may befall it, those included."""

    def start_push(self, folder: Path) -> Push:
        """Begin a push, with few jobs at once so that it takes a while."""
        ...

    def hurt(self, harm: str, push: Push, dice: Random) -> None:
        """Do one of the harms, and undo it after a time that is short once *push* has ended."""
        ...

    def check(self) -> None:
        """Wait until nothing is left to do, and check every invariant."""
        ...

    def holding(self) -> Holding:
        """Return what became of each path, and the versions of each document."""
        ...

    def last_words(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each process that keeps a log, and its end."""
        ...


@dataclass(frozen=True, slots=True)
class FragileYard:
    """A `laydown up`, which starts again by itself what was killed."""

    kills: ClassVar = ("api", "worker", "postgres")
    harms: ClassVar = (*kills, "everything")

    yard: Yard

    def start_push(self, folder: Path) -> Push:
        return self.yard.start_push(folder, jobs=2)

    def hurt(self, harm: str, push: Push, dice: Random) -> None:  # noqa: ARG002 - the supervisor knows when
        if harm == "everything":
            port = self.yard.port
            self.yard.crash()
            self.yard.start(port=port)
        else:
            self.yard.kill(harm)

    def check(self) -> None:
        ledger.check(self.yard)

    def holding(self) -> Holding:
        return holding_of(self.yard)

    def last_words(self) -> Iterator[tuple[str, str]]:
        return self.yard.last_words()


@dataclass(frozen=True, slots=True)
class FragileSite:
    """A distributed set-up with a database server and a store that nobody else uses."""

    kills: ClassVar = ("api", "worker", "relay", "store", "postgres")
    harms: ClassVar = (*kills, "paused worker", "paused store", "paused queue", "everything")

    site: Site
    postgres: Postgres

    def start_push(self, folder: Path) -> Push:
        return self.site.start_push(folder, jobs=1)

    def hurt(self, harm: str, push: Push, dice: Random) -> None:
        site, seconds = self.site, dice.uniform(0.0, _AWAY)
        api, worker = dice.choice(APIS), dice.choice(WORKERS)

        def paused(what: Node | Seaweed | Queues, seconds: float = seconds) -> None:
            what.pause()
            push.is_over_within(seconds)
            what.resume()

        def killed(*victims: Node | Seaweed | Postgres) -> None:
            for victim in victims:
                victim.kill()
            push.is_over_within(seconds)
            for victim in victims:
                victim.start()

        do: dict[str, Callable[[], None]] = {
            "api": lambda: killed(site.nodes[api]),
            "worker": lambda: killed(site.nodes[worker]),
            "relay": lambda: killed(site.nodes[holder(site, Office.RELAY)]),
            "store": lambda: killed(site.seaweed),
            "postgres": lambda: killed(self.postgres),
            "paused worker": lambda: paused(site.nodes[worker], _LEASES + seconds),
            "paused store": lambda: paused(site.seaweed),
            "paused queue": lambda: paused(site.queues),
            "everything": lambda: killed(self.postgres, site.seaweed, *site.nodes.values()),
        }
        do[harm]()

    def check(self) -> None:
        site_ledger.check(self.site)

    def holding(self) -> Holding:
        return holding_of(self.site)

    def last_words(self) -> Iterator[tuple[str, str]]:
        return self.site.last_words()

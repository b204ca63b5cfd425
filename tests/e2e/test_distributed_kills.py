"""Whatever dies of a distributed set-up in the middle of a push, no file is lost or doubled.

Set SOAK=1 in the environment to run many seeds.
"""

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from laydown.client.walk import walk
from laydown.embedded.postgres import PostgresAddress
from laydown.ports import Office
from laydown.sample import Manifest, generate
from tests.e2e.ledger import holding_of
from tests.e2e.site import APIS, SINGLE_UP_TO, WORKERS, Node, Site, running_site
from tests.e2e.site_ledger import check
from tests.e2e.site_talk import holder
from tests.e2e.yard import Push, until
from tests.engines.process import EngineMissingError
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed, running_seaweed

_SEEDS = range(1, 13 if os.environ.get("SOAK") else 2)
_FILES = 150
_DISASTERS = 6
_LEASES = 2.5  # seconds; longer than a site's `JOB_LEASE`
_LARGE = (SINGLE_UP_TO + 1, 2 * SINGLE_UP_TO, 4 * SINGLE_UP_TO + 17)  # bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A folder, and what must become of it."""

    folder: Path
    manifest: Manifest

    @property
    def counts(self) -> Mapping[str, int]:
        """How many files end in each state."""
        return {**self.manifest.expected, "ready": self.manifest.expected["ready"] + len(_LARGE)}


@pytest.fixture
def fragile_site(
    postgres: PostgresAddress,
    template: str,
    queues: Queues,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Return a site with a store that nobody else uses, so that it may be killed."""
    try:
        with (
            running_seaweed() as seaweed,
            running_site(
                tmp_path_factory.mktemp("fragile"),
                postgres=postgres,
                template=template,
                seaweed=seaweed,
                queues=queues,
            ) as site,
        ):
            yield site
    except EngineMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    """Return files of which some are so large that they go in parts."""
    folder = tmp_path / "delivery"
    manifest = generate(folder, files=_FILES)
    for number, size in enumerate(_LARGE):
        with (folder / f"large-{number}.bin").open("wb") as large:
            large.write(f"large {number}".encode())
            large.truncate(size)
    return Delivery(folder, manifest)


def disasters(site: Site, push: Push, dice: Random) -> Mapping[str, Callable[[float], object]]:
    """Return what may befall a site, by name; each lasts so many seconds, or as long as it must."""

    def killed(name: str, seconds: float) -> None:
        site.nodes[name].kill()
        push.is_over_within(seconds)
        site.nodes[name].launch()

    def paused(what: Node | Seaweed | Queues, seconds: float) -> None:
        what.pause()
        push.is_over_within(seconds)
        what.resume()

    def store_killed(seconds: float) -> None:
        site.seaweed.kill()
        push.is_over_within(seconds)
        site.seaweed.start()

    return {
        "an api is killed": lambda seconds: killed(dice.choice(APIS), seconds),
        "a worker is killed": lambda seconds: killed(dice.choice(WORKERS), seconds),
        "a worker is paused for longer than its leases": lambda seconds: paused(
            site.nodes[dice.choice(WORKERS)], _LEASES + seconds
        ),
        "the relay is killed": lambda seconds: killed(holder(site, Office.RELAY), seconds),
        "the store is killed": store_killed,
        "the store is paused": lambda seconds: paused(site.seaweed, seconds),
        "the queue is paused": lambda seconds: paused(site.queues, seconds),
    }


@pytest.mark.parametrize("seed", _SEEDS)
def test_anything_may_die_and_every_file_ends_once(seed, fragile_site, delivery):
    """Kills and pauses of all kinds at random moments end as if nothing had happened."""
    dice, site = Random(seed), fragile_site
    push = site.start_push(delivery.folder, jobs=1)
    _has_begun(site)
    happened = []
    possible = disasters(site, push, dice)
    for name in dice.choices(sorted(possible), k=_DISASTERS):
        if push.is_over_within(dice.uniform(0.0, 0.4)):
            break
        happened.append(name)
        possible[name](dice.uniform(0.0, 0.6))

    pushed = push.end(within=120)

    assert pushed.said.get("unreadable") == [], f"after {happened}: {pushed.said}"
    assert pushed.counts == {state: n for state, n in delivery.counts.items() if n}, happened
    assert pushed.code == 1, "three files are rejected"
    check(site)
    _came_through(site, delivery)


def _has_begun(site: Site) -> None:
    """Return when the first file has been declared."""
    with site.database() as database:
        until(
            lambda: database.execute("SELECT FROM uploads LIMIT 1").rowcount,
            what="something is declared",
        )


def _came_through(site: Site, delivery: Delivery) -> None:
    """Every document has exactly the bytes of its file, in exactly one version."""
    sources = {
        unicodedata.normalize("NFC", each.relative): Path(each.path)
        for each in walk([delivery.folder]).files
    }
    versions = holding_of(site).versions
    assert len(versions) == delivery.counts["ready"] + delivery.counts["duplicate"]
    for path, found in versions.items():
        assert list(found) == [hashlib.sha256(sources[path].read_bytes()).hexdigest()], path

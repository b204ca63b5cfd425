"""The seed's spike: thousands of files at once, and somebody else who works as if alone.

A short form runs always; with SOAK=1 in the environment 5,000 files arrive in 5 minutes.
"""

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count as numbers
from pathlib import Path
from random import Random

import pytest

from laydown import Client
from laydown.domain.lifecycle import SETTLED, TAKES_BYTES
from tests.e2e.ledger import Database
from tests.e2e.site import WORKERS, Site, running_site
from tests.e2e.site_ledger import check
from tests.e2e.site_talk import complete, declared, is_ready, send
from tests.e2e.yard import PATIENCE, Push, until

_IN_FLIGHT = 64
"""Jobs of one organization that the queue carries at once: few, so that a backlog is one."""

_SMALL_BATCH = 5  # files
_BACKLOG = 400  # files
_STATUS_P99 = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """How many files come, in how many deliveries, within how many seconds."""

    files: int
    deliveries: int
    seconds: float


_SPIKE = (
    Spike(files=5_000, deliveries=20, seconds=300.0)
    if os.environ.get("SOAK")
    else Spike(files=400, deliveries=4, seconds=6.0)
)


@dataclass
class Normal:
    """What somebody saw who delivers a few files at a time, and looks at them all the while."""

    answers: list[float] = field(default_factory=list)  # seconds that each status request took
    batches: list[float] = field(default_factory=list)  # seconds from the first word to the end

    @property
    def p99(self) -> float:
        """Seconds that one status request in a hundred took longer than."""
        return statistics.quantiles(self.answers, n=100)[-1]

    def deliver(self, client: Client, name: str) -> None:
        """Deliver a few files, and ask how they are until they are ready."""
        began = time.monotonic()
        contents = {f"{name}/{n}.txt": f"{name} {n}\n".encode() for n in range(_SMALL_BATCH)}
        delivery = declared(client, name, contents)
        send(client, delivery)
        complete(client, delivery)
        client.close_batch(delivery.batch)
        until(
            lambda: self._timed(lambda: is_ready(client, delivery)),
            what=f"{name} is ready",
        )
        self.batches.append(time.monotonic() - began)

    def _timed(self, ask: Callable[[], bool]) -> bool:
        asked = time.monotonic()
        answer = ask()
        self.answers.append(time.monotonic() - asked)
        return answer


@pytest.fixture(scope="module")
def busy_site(postgres, template, seaweed, queues, tmp_path_factory) -> Iterator[Site]:
    with running_site(
        tmp_path_factory.mktemp("spike"),
        postgres=postgres,
        template=template,
        seaweed=seaweed,
        queues=queues,
        JOBS_IN_FLIGHT=str(_IN_FLIGHT),
    ) as site:
        yield site


@pytest.fixture
def site(busy_site: Site) -> Site:
    busy_site.heal()
    return busy_site


def test_a_small_batch_overtakes_a_backlog(site, tmp_path):
    """Hundreds of files wait for workers; five of another organization are ready before them."""
    big = site.issue("big")
    _fill(tmp_path, _BACKLOG, "backlog")
    for worker in WORKERS:
        site.nodes[worker].pause()
    push = site.start_push(tmp_path, token=big)
    with site.database() as database, site.client() as client:
        until(lambda: _waiting(database) == _BACKLOG, what="all files wait for workers")

        normal = Normal()
        for worker in WORKERS:
            site.nodes[worker].resume()
        normal.deliver(client, "small")

        assert _waiting(database), f"five files took {normal.batches[0]:.1f} s"
    assert push.end().counts == {"ready": _BACKLOG}
    check(site, tokens=[site.token, big])


def test_a_spike_loses_nothing_and_delays_nobody(site, tmp_path, record_property, capsys):
    """While thousands come and an api is replaced, another organization works as always."""
    big = site.issue("spike")
    per_delivery = _SPIKE.files // _SPIKE.deliveries
    folders = [tmp_path / str(number) for number in range(_SPIKE.deliveries)]
    for folder in folders:
        _fill(folder, per_delivery, folder.name)
    pushes: list[Push] = []
    within = PATIENCE + _SPIKE.seconds
    with site.database() as database, _working_normally(site) as normal:
        began = time.monotonic()
        for number, folder in enumerate(folders):
            due = began + number * _SPIKE.seconds / _SPIKE.deliveries
            until(lambda due=due: time.monotonic() >= due, what="its turn", within=within)
            pushes.append(site.start_push(folder, project="SPIKE", token=big))
            if number == _SPIKE.deliveries // 2:
                assert site.nodes["api_b"].stop() == 0
                site.start("api_b")
        until(lambda: _came(database) == _SPIKE.files, what="all has come", within=within)
        came = time.monotonic()
        until(lambda: _settled(database) == _SPIKE.files, what="all is settled", within=within)
        drained = time.monotonic()

    for push in pushes:
        pushed = push.end()
        assert (pushed.code, pushed.counts) == (0, {"ready": per_delivery}), pushed.said
    check(site, tokens=[site.token, big])
    measured = {
        "seconds in which the files came": came - began,
        "seconds to drain after the last": drained - came,
        "status requests": len(normal.answers),
        "status p99, seconds": normal.p99,
        "small batches": len(normal.batches),
        "small batch, median seconds": statistics.median(normal.batches),
        "small batch, longest, seconds": max(normal.batches),
    }
    with capsys.disabled():
        print()  # noqa: T201 - what this test is asked to report
        for what, value in measured.items():
            record_property(what, value)
            print(f"  spike of {_SPIKE.files}: {what}: {value:.3g}")  # noqa: T201 - the same
    assert len(normal.batches) >= 3
    if os.environ.get("SOAK"):
        assert normal.p99 < _STATUS_P99
    assert min(normal.batches) < drained - began, "none waited for the whole spike"


@contextmanager
def _working_normally(site: Site) -> Iterator[Normal]:
    """Have somebody deliver a few files at a time until the block ends."""
    normal, enough = Normal(), threading.Event()

    def work() -> None:
        with site.client() as client:
            for number in numbers():
                normal.deliver(client, f"normal-{number}")
                if enough.is_set():
                    return

    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(work)
        try:
            yield normal
        finally:
            enough.set()
        working.result()


def _fill(folder: Path, files: int, name: str) -> None:
    """Write so many different files of up to a few KiB."""
    folder.mkdir(exist_ok=True)
    dice = Random(name)
    for number in range(files):
        content = f"{name} {number}\n" * dice.randrange(1, 300)
        (folder / f"{number}.txt").write_text(content)


def _waiting(database: Database) -> int:
    """Return how many jobs of the organization with the backlog are not done."""
    return _count(
        database,
        "SELECT count(*) FROM jobs j JOIN organizations o ON o.id = j.organization_id"
        " WHERE o.name = 'big'",
    )


def _came(database: Database) -> int:
    """Return how many files of the spike are with the store."""
    return _count(database, _OF_THE_SPIKE + " AND NOT u.state::text = ANY(%s)", sorted(TAKES_BYTES))


def _settled(database: Database) -> int:
    return _count(database, _OF_THE_SPIKE + " AND u.state::text = ANY(%s)", sorted(SETTLED))


_OF_THE_SPIKE = (
    "SELECT count(*) FROM uploads u JOIN projects p ON p.id = u.project_id WHERE p.code = 'SPIKE'"
)


def _count(database: Database, query: str, *given: object) -> int:
    [[count]] = database.execute(query, list(given))
    return int(count)

"""Yards to test in: each a copy of one that was made before, so that few tests wait for initdb."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from laydown.embedded.postgres import PostgresAddress
from laydown.sample import Manifest, generate
from tests.e2e.site import Site, report_logs, running_site
from tests.e2e.yard import Yard
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed

_SHORT_LEASE = {"JOB_LEASE": "2"}  # seconds after which the jobs of a killed worker run again


@pytest.fixture(scope="session")
def made_yard() -> Iterator[Path]:
    """Return the data directory of a laydown that was started once and stopped."""
    folder = Path(tempfile.mkdtemp(prefix="ldn"))  # short: a socket's path has 107 bytes
    yard = Yard(folder / "data")
    yard.start()
    assert yard.stop() == 0
    yield yard.data
    shutil.rmtree(folder)


@pytest.fixture
def make_yard(made_yard: Path) -> Iterator[Callable[..., Yard]]:
    """Return what makes a yard that has never been pushed to; `start` it yourself."""
    folder = Path(tempfile.mkdtemp(prefix="ldn"))
    yards: list[Yard] = []

    def make(**settings: str) -> Yard:
        yard = Yard(folder / f"{len(yards)}", settings={**_SHORT_LEASE, **settings})
        shutil.copytree(made_yard, yard.data)
        yards.append(yard)
        return yard

    yield make
    for yard in yards:
        yard.dispose()
    shutil.rmtree(folder)


@pytest.fixture
def yard(make_yard: Callable[..., Yard]) -> Yard:
    """Return a yard that runs and has never been pushed to."""
    made = make_yard()
    made.start()
    return made


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """Return a generated delivery, and what must become of it. Copy it before changing it."""
    folder = tmp_path_factory.mktemp("delivery") / "Riverside"
    return folder, generate(folder, files=80)


@pytest.fixture(scope="module")
def shared_site(
    postgres: PostgresAddress,
    template: str,
    seaweed: Seaweed,
    queues: Queues,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Return a distributed laydown that the tests of a module have in common."""
    with running_site(
        tmp_path_factory.mktemp("site"),
        postgres=postgres,
        template=template,
        seaweed=seaweed,
        queues=queues,
    ) as site:
        yield site


@pytest.fixture
def site(shared_site: Site) -> Site:
    """Return the module's distributed laydown with everything running."""
    shared_site.heal()
    return shared_site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show what the nodes of a site logged when its test failed."""
    report = yield
    report_logs(item, report)
    return report

"""What the suites of the database's ports share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from laydown.bootstrap.database import Database
from laydown.settings import Settings
from tests.engines.choice import CHOSEN, IS_DISTRIBUTED
from tests.ledger_support import Tenant, opened, settled_in

_HERE = Path(__file__).parent
_DISTRIBUTED = {"seaweed", "queues"}  # the fixtures


def pytest_configure(config: pytest.Config) -> None:
    """Let a test say that it is about S3 or SQS, where its fixtures don't show it."""
    config.addinivalue_line("markers", "distributed: promises of S3 and SQS")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With TEST_ENGINE set, keep of this suite what is about those engines; the rest is embedded.

    A promise of several engines is a test of each here, and no test is another on another choice:
    to run all of them on both would prove nothing twice.
    """
    if CHOSEN is None:
        return
    others = [
        item
        for item in items
        if item.path.is_relative_to(_HERE) and _is_distributed(item) != IS_DISTRIBUTED
    ]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def _is_distributed(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("distributed") is not None
    return marked or not _DISTRIBUTED.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """Open a fresh database through its two roles."""
    async with opened(settings) as database:
        yield database


@pytest.fixture
async def tenant(opened_database: Database, database: str) -> Tenant:
    """Return an organization with a project and an open batch."""
    return await settled_in(opened_database, database, "ours")


@pytest.fixture
async def stranger(opened_database: Database, database: str) -> Tenant:
    """Return another organization of the same database."""
    return await settled_in(opened_database, database, "theirs")

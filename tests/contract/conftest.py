"""What the suites of the database's ports share."""

from collections.abc import AsyncIterator

import pytest

from laydown.bootstrap.database import Database
from laydown.settings import Settings
from tests.ledger_support import Tenant, opened, settled_in


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

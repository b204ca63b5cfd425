"""A database whose owner is no superuser, as `docs/howto/operate.md` has one made."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from laydown.domain.quotas import Usage
from laydown.embedded.postgres import EmbeddedPostgres
from laydown.postgres.migrate import migrate, migrations
from laydown.settings import Settings
from tests.ledger_support import opened, settled_in
from tests.usage_support import AS_BEFORE_QUOTAS, MISCOUNTED


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Return how the owner connects to an empty database of a cluster without our roles."""
    folder = Path(tempfile.mkdtemp(prefix="ldn"))  # short: a socket's path has 107 bytes
    server = EmbeddedPostgres(folder)
    try:
        made = await server.start()
        connection = await psycopg.AsyncConnection.connect(made.dsn("postgres"), autocommit=True)
        async with connection:
            await connection.execute("CREATE ROLE plain LOGIN CREATEROLE")
            await connection.execute("CREATE DATABASE plain OWNER plain")
        yield replace(made, database="plain").dsn("plain")
    finally:
        await server.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def test_an_owner_without_powers_has_all_it_needs(address, tmp_path):
    """It migrates, takes both roles, and its migrations see the rows there are."""
    assert await migrate(address) == [number for number, _ in migrations()]
    async with opened(Settings(data=tmp_path, database=address)) as database:
        tenant = await settled_in(database, address, "ours")
        await tenant.declared(3)
        for statement in AS_BEFORE_QUOTAS:
            await tenant.ask(statement)
        assert await migrate(address) == [9]
        async with tenant.begin() as tx:
            usage = await tx.usage([tenant.project])
        assert usage[tenant.project] == Usage(bytes=30, files=3, uploads=3)
        assert await tenant.ask(MISCOUNTED) == []

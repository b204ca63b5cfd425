"""Migrations are made once, whoever comes first."""

import asyncio

import psycopg
import pytest

from laydown.postgres.migrate import migrate

pytestmark = pytest.mark.embedded  # of Postgres alone

_QUEUE = 0x6C61_7964_6F77_6E21  # see postgres/queries/migrate.sql
_LONGER_THAN_A_LOCK = 6.0  # seconds; a migration waits five for one


async def test_who_migrates_second_waits_for_the_first(database):
    """However long that takes: a limit to waiting for tables is none to waiting for one's turn."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as first:
        await first.execute("SELECT pg_advisory_lock(%s)", [_QUEUE])
        second = asyncio.create_task(migrate(database))
        done, _ = await asyncio.wait([second], timeout=_LONGER_THAN_A_LOCK)
        assert not done
    assert await second == []

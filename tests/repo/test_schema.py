"""The migrations, and what they leave."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from laydown.postgres.migrate import SchemaTooNew, migrate, migrations
from tests.ledger_support import ask, in_thread
from tests.repo.schema import SCHEMA, dumped


def test_the_schema_is_what_the_migrations_make(database):
    """`schema.sql` is the migrated database's schema, to the letter."""
    assert SCHEMA.read_text("utf-8") == dumped(database), "python -m tests.repo.schema"


async def test_migrating_again_changes_nothing(database):
    """A migrated database is left as it is."""
    before = dumped(database)
    assert await migrate(database) == []
    assert dumped(database) == before


def test_migrations_are_numbered_from_one_without_gaps():
    """No number is missing or used twice."""
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


async def test_every_migration_is_noted_once(database):
    """The history has each migration's number."""
    noted = await ask(database, "SELECT number FROM schema_migrations ORDER BY 1")
    assert [number for (number,) in noted] == [number for number, _ in migrations()]


async def test_a_database_from_the_future_is_refused(database):
    """One that a newer program took something away from is left as it is."""
    await ask(database, "INSERT INTO schema_migrations VALUES (9999)")
    await ask(database, "UPDATE schema_floor SET least = 9999")
    before = dumped(database)
    with pytest.raises(SchemaTooNew, match="9999"):
        await migrate(database)
    assert dumped(database) == before


async def test_what_a_newer_program_added_is_left_alone(database):
    """Going back to this release runs its migration first, which finds nothing to do."""
    await ask(database, "INSERT INTO schema_migrations VALUES (9999)")
    await ask(database, "ALTER TABLE uploads ADD COLUMN of_a_newer_one text")
    before = dumped(database)
    assert await migrate(database) == []
    assert dumped(database) == before


def test_many_may_migrate_at_once(postgres):
    """Of many processes that start together, one migrates and the others find it done."""

    async def all_at_once():
        owner = postgres.dsn("postgres")
        await _outside(owner, 'CREATE DATABASE "migrated_at_once"')
        try:
            fresh = replace(postgres, database="migrated_at_once").dsn("postgres")
            return await asyncio.gather(*(migrate(fresh) for _ in range(5)))
        finally:
            await _outside(owner, 'DROP DATABASE "migrated_at_once" WITH (FORCE)')

    applied = in_thread(all_at_once())
    assert sorted(applied) == [[], [], [], [], [number for number, _ in migrations()]]


async def _outside(owner, statement):
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        await connection.execute(statement)

"""Bring a database to this program's schema, once, whoever comes first."""

import re
from collections.abc import Sequence
from importlib.resources import files

import psycopg

from laydown.postgres import sql
from laydown.postgres.pool import in_our_words

_Q = sql.load("migrate.sql")
_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")


class SchemaTooNew(Exception):
    """The database was migrated by a newer laydown; start that one, or restore a backup."""


def migrations() -> Sequence[tuple[int, str]]:
    """Return this program's migrations in order: number and text."""
    folder = files(__package__) / "migrations"
    found = [
        (int(match[1]), path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if (match := _NUMBERED.fullmatch(path.name))
    ]
    return sorted(found)


async def missing(conninfo: str) -> Sequence[int]:
    """Return the numbers of this program's migrations that a database lacks."""
    with in_our_words():
        async with await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, application_name="laydown_migrate"
        ) as connection:
            cursor = await connection.execute(_Q["has_history"])
            applied: set[int] = set()
            if (await cursor.fetchone()) == (True,):
                cursor = await connection.execute(_Q["applied"])
                applied = {row[0] for row in await cursor.fetchall()}
    return [number for number, _ in migrations() if number not in applied]


async def migrate(conninfo: str) -> Sequence[int]:
    """Apply the migrations that are missing, each in a transaction; return their numbers.

    Safe to run from many processes at once: they queue on an advisory lock. Raises
    `SchemaTooNew` rather than work on a schema this program does not know.
    """
    with in_our_words():
        async with await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, application_name="laydown_migrate"
        ) as connection:
            await connection.execute(_Q["limit_waiting"])
            await connection.execute(_Q["queue_up"])
            await connection.execute(_Q["keep_history"])
            cursor = await connection.execute(_Q["applied"])
            applied = {row[0] for row in await cursor.fetchall()}
            known = migrations()
            if unknown := applied - {number for number, _ in known}:
                raise SchemaTooNew(
                    f"the database has migration {max(unknown)}, which this laydown doesn't know"
                )
            new = [(number, text) for number, text in known if number not in applied]
            for number, text in new:
                async with connection.transaction():
                    await connection.execute(text.encode())
                    await connection.execute(_Q["note_applied"], {"number": number})
            return [number for number, _ in new]

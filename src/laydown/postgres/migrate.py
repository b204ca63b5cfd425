"""Bring a database to this program's schema, once, whoever comes first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import psycopg

from laydown.postgres import sql
from laydown.postgres.pool import Connection, Password, in_our_words, with_password

_Q = sql.load("migrate.sql")
_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")
_FOLDER = "migrations"


class SchemaTooNew(Exception):
    """A newer laydown took away what this one needs; start that one, or restore a backup."""


def released() -> int:
    """Return the last migration of the release before, without which this program can't run.

    Later ones may be missing while a release rolls out: they only add what it can do without.
    """
    return int((files(__package__) / _FOLDER / "RELEASED").read_text(encoding="ascii"))


def migrations() -> Sequence[tuple[int, str]]:
    """Return this program's migrations in order: number and text."""
    folder = files(__package__) / _FOLDER
    found = [
        (int(match[1]), path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if (match := _NUMBERED.fullmatch(path.name))
    ]
    return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a database stands to this program."""

    missing: Sequence[int]  # our migrations that it lacks
    unknown: Sequence[int]  # its migrations that we don't know: a newer laydown's
    refused: Sequence[str]  # roles that whoever connects may not take on
    least: int  # the migration that a program must know at least, to run on it

    @property
    def is_too_old(self) -> bool:
        """Say whether it lacks what this program can't run without."""
        return any(number <= released() for number in self.missing)

    @property
    def is_too_new(self) -> bool:
        """Say whether a newer laydown took away what this program needs."""
        return self.least > _newest()


async def standing(conninfo: str, *, password: Password | None = None) -> Standing:
    """Return how a database stands to this program; it is only read.

    To whoever may not take our roles it says nothing of its schema: then nothing is missing.
    """
    with in_our_words():
        async with await _connected(conninfo, password) as connection:
            cursor = await connection.execute(_Q["refused_roles"])
            refused = [row[0] for row in await cursor.fetchall()]
            cursor = await connection.execute(_Q["has_history"])
            applied: set[int] = set()
            try:
                if (await cursor.fetchone()) == (True,):
                    cursor = await connection.execute(_Q["applied"])
                    applied = {row[0] for row in await cursor.fetchall()}
                least = await _least(connection)
            except psycopg.errors.InsufficientPrivilege:
                if not refused:
                    raise
                return Standing(missing=[], unknown=[], refused=refused, least=0)
    known = [number for number, _ in migrations()]
    return Standing(
        missing=[number for number in known if number not in applied],
        unknown=sorted(applied.difference(known)),
        refused=refused,
        least=least,
    )


async def migrate(conninfo: str, *, password: Password | None = None) -> Sequence[int]:
    """Apply the migrations that are missing, each in a transaction; return their numbers.

    Safe to run from many processes at once: they queue on an advisory lock. What a newer laydown
    added is left alone. Raises `SchemaTooNew` where that one took something away that this
    program needs.
    """
    with in_our_words():
        async with await _connected(conninfo, password) as connection:
            await connection.execute(_Q["queue_up"])
            await connection.execute(_Q["limit_waiting"])
            await connection.execute(_Q["keep_history"])
            cursor = await connection.execute(_Q["applied"])
            applied = {row[0] for row in await cursor.fetchall()}
            if (least := await _least(connection)) > _newest():
                raise SchemaTooNew(too_new(least))
            new = [(number, text) for number, text in migrations() if number not in applied]
            for number, text in new:
                async with connection.transaction():
                    await connection.execute(text.encode())
                    await connection.execute(_Q["note_applied"], {"number": number})
            return [number for number, _ in new]


async def admit(conninfo: str, login: str, *, password: Password | None = None) -> None:
    """Make a role that api and worker log in as, unless it is there; repeating it is harmless.

    It may take our two roles and owns nothing. On RDS it logs in with a token of IAM; elsewhere
    somebody gives it a password.
    """
    with in_our_words():
        async with await _connected(conninfo, password) as connection:
            await connection.execute(_Q["queue_up"])
            await connection.execute(_Q["name_login"], {"login": login})
            await connection.execute(_Q["admit_login"])


def too_new(least: int) -> str:
    """Return what to say of a schema that serves only programs that know migration *least*."""
    return f"the database needs a laydown that knows migration {least}, and this one doesn't"


def _newest() -> int:
    return migrations()[-1][0]


async def _least(connection: Connection) -> int:
    """Return the migration that a program must know at least, to run on this schema."""
    cursor = await connection.execute(_Q["has_floor"])
    if (await cursor.fetchone()) != (True,):
        return 0
    cursor = await connection.execute(_Q["floor"])
    (row,) = await cursor.fetchall()
    return int(row[0])


async def _connected(conninfo: str, password: Password | None) -> Connection:
    return await psycopg.AsyncConnection.connect(
        await with_password(conninfo, password),
        autocommit=True,
        application_name="laydown_migrate",
    )

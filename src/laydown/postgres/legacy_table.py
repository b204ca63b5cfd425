"""The old system's table, beside ours in the same database."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import psycopg

from laydown.domain.access import PrincipalId
from laydown.domain.legacy import OldDocument, OldProject
from laydown.domain.upload import OrganizationId
from laydown.postgres import sql
from laydown.postgres.legacy import old_document_of, old_project_of
from laydown.postgres.pool import (
    Connection,
    Password,
    Pool,
    fetched,
    in_our_words,
    with_password,
)

_Q = sql.load("legacy_table.sql")
_AT_ONCE: Final = 5_000  # rows
_COLUMNS: Final = (
    "id", "project_id", "filename", "mime", "size", "s3_key", "uploaded_by", "created_at"
)  # fmt: skip

_LONGEST: Final = 1024  # letters of a path of ours, as of a key in S3

_AMISS: Final = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
)


class NoOldTable(Exception):
    """There is no old table here, or not one that we can read; the message says why."""


async def make_schema(conninfo: str, *, password: Password | None = None) -> None:
    """Make the schema of ours that the search path names, unless it is there.

    Raises `NoOldTable` where the table beside it isn't the old system's.
    """
    async with await _connected(conninfo, password) as connection:
        cursor = await connection.execute(_Q["columns_of_old_table"])
        found = {name for (name,) in await cursor.fetchall()}
        if lacking := [name for name in _COLUMNS if name not in found]:
            raise NoOldTable(
                f"the table public.documents lacks {', '.join(lacking)}: give it those columns as "
                "a view, or name the old system's database"
            )
        await connection.execute(_Q["make_schema"])
        cursor = await connection.execute(_Q["where_we_are"])
        if await cursor.fetchone() == ("public",):
            raise NoOldTable(
                "our tables can't be beside the old ones in `public`: add "
                "options=-csearch_path=laydown to LAYDOWN_DATABASE"
            )


async def open_old_table(conninfo: str, *, password: Password | None = None) -> None:
    """Let our roles read the old table, and add to it. Repeatable."""
    async with await _connected(conninfo, password) as connection:
        await connection.execute(_Q["open_old_table"])


async def _connected(conninfo: str, password: Password | None) -> Connection:
    with in_our_words():
        return await psycopg.AsyncConnection.connect(
            await with_password(conninfo, password),
            autocommit=True,
            application_name="laydown_legacy",
        )


class PostgresOldTable:
    """The `OldTable`; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def _all(self, name: str, given: Mapping[str, Any]) -> Sequence[Any]:
        with _explained():
            return await fetched(self._pool, _Q[name], given)

    async def check(self) -> None:
        """Raise `NoOldTable` unless there is one that we can read."""
        await self._all("old_rows_by_id", {"after": 0, "limit": 1})

    async def refusals(self) -> Sequence[str]:
        """Return what in the table itself could refuse a row of ours, each in words."""
        given = {"filled": list(_COLUMNS), "longest": _LONGEST}
        return [row.why for row in await self._all("what_may_refuse_a_row", given)]

    async def by_key(self) -> AsyncIterator[OldDocument]:
        """Yield all rows by their objects' keys, byte by byte.

        Postgres sorts them once and holds them, on its disk where they are many; whoever reads
        may take hours.
        """
        with in_our_words(), _explained():
            async with self._pool.connection() as connection:
                await connection.execute(_Q["take_time"])
                try:
                    async with connection.cursor("old_rows", withhold=True) as cursor:
                        await cursor.execute(_Q["old_rows_by_key"])
                        while rows := await cursor.fetchmany(_AT_ONCE):
                            for row in rows:
                                yield old_document_of(row)
                finally:
                    await connection.execute(_Q["take_no_more_time"])

    async def by_id(self) -> AsyncIterator[OldDocument]:
        """Yield all rows by id."""
        after = 0
        while rows := await self._all("old_rows_by_id", {"after": after, "limit": _AT_ONCE}):
            for row in rows:
                yield old_document_of(row)
            after = rows[-1].id

    async def next_id(self) -> int:
        """Return an id that no document has or gets."""
        [row] = await self._all("next_old_id", {})
        return int(row.id)

    async def mapped(self) -> Mapping[int, OldProject]:
        """Return all mapped projects by their old id."""
        return {row.old_id: old_project_of(row) for row in await self._all("mapped_projects", {})}

    async def owner_of(self, organization: str) -> tuple[OrganizationId, PrincipalId, str] | None:
        """Return an organization by its name with one of its owners."""
        for row in await self._all("owner_by_name", {"name": organization}):
            return row.organization_id, row.id, row.name
        return None

    async def owner_in(self, organization: OrganizationId) -> tuple[PrincipalId, str]:
        """Return an owner of an organization."""
        [row] = await self._all("owner_by_organization", {"organization": organization})
        return row.id, row.name

    async def token_of(self, key_sha256: bytes) -> UUID | None:
        """Return the token that a key of the old API stands for, or None."""
        for row in await self._all("token_of_old_key", {"key": key_sha256}):
            found: UUID = row.token_id
            return found
        return None


@contextmanager
def _explained() -> Iterator[None]:
    """Say what is missing of the old table, instead of what Postgres says."""
    try:
        yield
    except _AMISS as error:
        why = str(error).splitlines()[0]
        raise NoOldTable(f"{why}: run `laydown legacy prepare`") from error

"""The ledger, on Postgres."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import IsolationLevel

from laydown.domain.upload import OrganizationId
from laydown.postgres import sql
from laydown.postgres.documents import DocumentRows
from laydown.postgres.jobs import JobRows
from laydown.postgres.pool import Pool, in_our_words
from laydown.postgres.projects import ProjectRows
from laydown.postgres.uploads import UploadRows

_Q = sql.load("session.sql")


class PostgresTx(ProjectRows, UploadRows, DocumentRows, JobRows):
    """A `Tx` on one connection."""


class PostgresLedger:
    """A `Ledger` whose transactions see one organization each, held to it by row security."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def begin(self, organization: OrganizationId) -> AsyncIterator[PostgresTx]:
        """Open a transaction; leaving the block commits, an exception undoes."""
        with in_our_words():
            async with self._pool.connection() as connection:
                await connection.execute(_Q["take_organization"], {"organization": organization})
                tx = PostgresTx(connection, organization)
                yield tx
                await tx.number_events()

    @asynccontextmanager
    async def snapshot(self, organization: OrganizationId) -> AsyncIterator[PostgresTx]:
        """Open a transaction that reads one moment and writes nothing."""
        with in_our_words():
            async with self._pool.connection() as connection:
                await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
                await connection.set_read_only(True)
                try:
                    async with connection.transaction():
                        await connection.execute(
                            _Q["take_organization"], {"organization": organization}
                        )
                        yield PostgresTx(connection, organization)
                finally:
                    await connection.set_isolation_level(None)
                    await connection.set_read_only(None)

"""The ledger, on Postgres."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from laydown.domain.upload import OrganizationId
from laydown.postgres import sql
from laydown.postgres.documents import DocumentRows
from laydown.postgres.figures import FigureRows
from laydown.postgres.jobs import JobRows
from laydown.postgres.legacy import LegacyRows
from laydown.postgres.people import AuditRows, PeopleRows
from laydown.postgres.pool import Pool, transaction
from laydown.postgres.projects import ProjectRows
from laydown.postgres.quotas import QuotaRows
from laydown.postgres.scans import ScanRows
from laydown.postgres.uploads import UploadRows

_Q = sql.load("session.sql")


class PostgresTx(
    ProjectRows,
    UploadRows,
    DocumentRows,
    ScanRows,
    JobRows,
    PeopleRows,
    AuditRows,
    QuotaRows,
    FigureRows,
    LegacyRows,
):
    """A `Tx` on one connection."""


class PostgresLedger:
    """A `Ledger` whose transactions see one organization each, held to it by row security."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def begin(self, organization: OrganizationId) -> AsyncIterator[PostgresTx]:
        """Open a transaction; leaving the block commits, an exception undoes."""
        given = {"organization": organization}
        async with transaction(self._pool, _Q["take_organization"], given) as connection:
            tx = PostgresTx(connection, organization)
            yield tx
            await tx.commit()

    @asynccontextmanager
    async def snapshot(self, organization: OrganizationId) -> AsyncIterator[PostgresTx]:
        """Open a transaction that reads one moment and writes nothing."""
        async with transaction(self._pool, _Q["read_one_moment"], {}) as connection:
            await connection.execute(_Q["take_organization"], {"organization": organization})
            yield PostgresTx(connection, organization)

"""Who holds which job: the rows that both feeds rest on."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from laydown.domain.jobs import ClaimedJob
from laydown.domain.trace import Trace
from laydown.domain.upload import OrganizationId
from laydown.postgres import sql
from laydown.postgres.jobs import KINDS, job_of
from laydown.postgres.pool import Pool, fetched, transaction

_Q = sql.load("feed.sql")


def claimed_of(row: Any) -> ClaimedJob:  # noqa: ANN401 - a row
    """Return the claimed job of a row."""
    return ClaimedJob(
        id=row.id,
        organization=OrganizationId(row.organization_id),
        job=job_of(row),
        attempt=row.attempt,
        trace=row.trace and Trace.read(row.trace),
    )


class PostgresLeases:
    """Leases on jobs by id; needs the system role.

    Everything but a claim answers which of the jobs it was true for: those this worker held.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def check(self) -> None:
        """Raise `LedgerUnavailable` while the ledger does not answer."""
        await fetched(self._pool, _Q["flush_lazily"], {})

    async def claim(
        self, ids: Sequence[UUID], *, worker: UUID, lease: timedelta
    ) -> Sequence[ClaimedJob]:
        """Lease those of these jobs that exist, are due, alive and not held by anybody."""
        given = {"ids": list(ids), "kinds": list(KINDS), "worker": worker, "lease": lease}
        return [claimed_of(row) for row in await self._lazily("claim_jobs_by_id", given)]

    async def extend(
        self, jobs: Sequence[ClaimedJob], *, worker: UUID, lease: timedelta
    ) -> Sequence[UUID]:
        """Hold them for longer."""
        given = {"ids": [job.id for job in jobs], "worker": worker, "lease": lease}
        return [row.id for row in await self._lazily("extend_leases", given)]

    async def finish(self, jobs: Sequence[ClaimedJob], *, worker: UUID) -> Sequence[UUID]:
        """Remove them, done."""
        given = {"ids": [job.id for job in jobs], "worker": worker}
        return [row.id for row in await self._lazily("finish_jobs", given)]

    async def fail(
        self, job: ClaimedJob, *, worker: UUID, error: str, retry_in: timedelta | None
    ) -> Sequence[UUID]:
        """Let it wait and be tried again; None: it is dead, and listed as such."""
        given = {"id": job.id, "worker": worker, "error": error, "retry_in": retry_in}
        return [row.id for row in await fetched(self._pool, _Q["fail_job"], given)]

    async def postpone(
        self, jobs: Sequence[ClaimedJob], *, worker: UUID, why: str, retry_in: timedelta
    ) -> Sequence[UUID]:
        """Let them wait, as if they had not been begun."""
        ids = [job.id for job in jobs]
        given = {"ids": ids, "worker": worker, "why": why, "retry_in": retry_in}
        return [row.id for row in await fetched(self._pool, _Q["postpone_jobs"], given)]

    async def _lazily(self, name: str, given: Mapping[str, Any]) -> Sequence[Any]:
        async with transaction(self._pool, _Q["flush_lazily"], {}) as connection:
            cursor = await connection.execute(_Q[name], given)
            return await cursor.fetchall()

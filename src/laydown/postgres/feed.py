"""The job feed, on Postgres alone."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from laydown.domain.jobs import ClaimedJob
from laydown.domain.upload import OrganizationId
from laydown.postgres import sql
from laydown.postgres.jobs import job_of
from laydown.postgres.pool import Pool, fetched, transaction

_Q = sql.load("jobs.sql")


class PostgresFeed:
    """A `JobFeed` on the jobs table; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, *, worker: UUID, limit: int, lease: timedelta) -> Sequence[ClaimedJob]:
        """Lease waiting jobs to this worker; each organization gets its share of them."""
        async with transaction(self._pool, _Q["free_expired_leases"], {}) as connection:
            cursor = await connection.execute(
                _Q["claim_jobs"], {"worker": worker, "limit": limit, "lease": lease}
            )
            rows = await cursor.fetchall()
        return [
            ClaimedJob(
                id=row.id,
                organization=OrganizationId(row.organization_id),
                job=job_of(row),
                attempt=row.attempt,
            )
            for row in rows
        ]

    async def extend(self, jobs: Sequence[ClaimedJob], *, worker: UUID, lease: timedelta) -> None:
        """Hold them for longer."""
        given = {"ids": [job.id for job in jobs], "worker": worker, "lease": lease}
        await fetched(self._pool, _Q["extend_leases"], given)

    async def finish(self, jobs: Sequence[ClaimedJob], *, worker: UUID) -> None:
        """Remove them, done."""
        given = {"ids": [job.id for job in jobs], "worker": worker}
        await fetched(self._pool, _Q["finish_jobs"], given)

    async def fail(
        self, job: ClaimedJob, *, worker: UUID, error: str, retry_in: timedelta | None
    ) -> None:
        """Let it wait and be tried again; None: it is dead, and listed as such."""
        given = {"id": job.id, "worker": worker, "error": error, "retry_in": retry_in}
        await fetched(self._pool, _Q["fail_job"], given)

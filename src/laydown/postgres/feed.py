"""The job feed, on Postgres alone."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from laydown.domain.jobs import ClaimedJob
from laydown.postgres import sql
from laydown.postgres.jobs import KINDS
from laydown.postgres.leases import PostgresLeases, claimed_of
from laydown.postgres.pool import Pool, transaction

_Q = sql.load("feed.sql")

_ORGANIZATIONS = 32
"""How many a claim looks at: more would make it slower, and the next one begins elsewhere."""


class PostgresFeed:
    """A `JobFeed` on the jobs table; needs the system role.

    *in_flight* is how many jobs an organization may have with workers at once, over all feeds.
    """

    def __init__(self, pool: Pool, *, in_flight: int) -> None:
        self._pool = pool
        self._in_flight = in_flight
        self._leases = PostgresLeases(pool)
        self._one_at_a_time = asyncio.Lock()  # claims would only find each other's locks taken
        self._first_lane = 0

    async def claim(self, *, worker: UUID, limit: int, lease: timedelta) -> Sequence[ClaimedJob]:
        """Lease waiting jobs to this worker; each organization gets its share of them."""
        async with (
            self._one_at_a_time,
            transaction(self._pool, _Q["flush_lazily"], {}) as connection,
        ):
            await connection.execute(_Q["free_expired_leases"])
            given = {"after": uuid4(), "most": _ORGANIZATIONS}
            cursor = await connection.execute(_Q["take_turns"], given)
            organizations = [row.organization_id for row in await cursor.fetchall()]
            if not organizations:
                return []
            cursor = await connection.execute(
                _Q["claim_jobs"],
                {
                    "organizations": organizations,
                    "kinds": list(KINDS),
                    "worker": worker,
                    "limit": limit,
                    "cap": self._in_flight,
                    "lease": lease,
                    "first_lane": self._first_lane,
                },
            )
            rows = await cursor.fetchall()
            self._first_lane = 1 - self._first_lane
        return [claimed_of(row) for row in rows]

    async def extend(self, jobs: Sequence[ClaimedJob], *, worker: UUID, lease: timedelta) -> None:
        """Hold them for longer."""
        await self._leases.extend(jobs, worker=worker, lease=lease)

    async def finish(self, jobs: Sequence[ClaimedJob], *, worker: UUID) -> None:
        """Remove them, done."""
        await self._leases.finish(jobs, worker=worker)

    async def fail(
        self, job: ClaimedJob, *, worker: UUID, error: str, retry_in: timedelta | None
    ) -> None:
        """Let it wait and be tried again; None: it is dead, and listed as such."""
        await self._leases.fail(job, worker=worker, error=error, retry_in=retry_in)

    async def postpone(
        self, jobs: Sequence[ClaimedJob], *, worker: UUID, why: str, retry_in: timedelta
    ) -> None:
        """Let them wait for something that is away, which is no failure of theirs."""
        await self._leases.postpone(jobs, worker=worker, why=why, retry_in=retry_in)

"""The outbox: due jobs whose ids a queue has yet to carry."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from laydown.domain.upload import OrganizationId
from laydown.ports import Announced
from laydown.postgres import sql
from laydown.postgres.pool import Pool, fetched, transaction

_Q = sql.load("outbox.sql")
_FEED = sql.load("feed.sql")

_ORGANIZATIONS = 256
"""How many one look goes through; the next one begins elsewhere."""


class PostgresOutbox:
    """An `Outbox` on the jobs table; needs the system role, and one relay at a time.

    *in_flight* is how many jobs an organization may have announced and not done. What was
    announced *patience* ago and that nobody came for is announced again.
    """

    def __init__(self, pool: Pool, *, in_flight: int, patience: timedelta) -> None:
        self._pool = pool
        self._in_flight = in_flight
        self._patience = patience
        self._first_lane = 0
        self._asked_at: datetime | None = None

    async def unsent(self, *, limit: int) -> Sequence[Announced]:
        """Return due jobs to be announced, fair between organizations, none with too many out."""
        async with transaction(self._pool, _FEED["flush_lazily"], {}) as connection:
            await connection.execute(_FEED["free_expired_leases"])
            await connection.execute(_Q["forget_unheard"], {"patience": self._patience})
            cursor = await connection.execute(
                _Q["unsent_jobs"],
                {
                    "after": uuid4(),
                    "most": _ORGANIZATIONS,
                    "limit": limit,
                    "cap": self._in_flight,
                    "first_lane": self._first_lane,
                },
            )
            rows = await cursor.fetchall()
        if rows:
            self._first_lane = 1 - self._first_lane
            self._asked_at = rows[0].asked_at
        return [
            Announced(id=row.id, organization=OrganizationId(row.organization_id), trace=row.trace)
            for row in rows
        ]

    async def mark_sent(self, jobs: Sequence[Announced]) -> None:
        """Note that they were announced; sending one twice is harmless, forgetting one is not.

        What happened to a job since `unsent` counts: one that failed meanwhile is announced again.
        """
        given = {"ids": [job.id for job in jobs], "asked_at": self._asked_at}
        await fetched(self._pool, _Q["mark_sent"], given)

"""The event log, as the tail reads it."""

from collections.abc import Sequence

from laydown.domain.happening import Heads, Recorded
from laydown.domain.upload import OrganizationId
from laydown.postgres import sql
from laydown.postgres.pool import Pool, in_our_words
from laydown.postgres.rows import recorded_of

_Q = sql.load("events.sql")


class PostgresLog:
    """An `EventLog` on the events table; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def heads(self) -> Heads:
        """Return the newest committed number of each organization."""
        with in_our_words():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(_Q["all_heads"])
                return {
                    OrganizationId(row.organization_id): row.number
                    for row in await cursor.fetchall()
                }

    async def since(
        self, organization: OrganizationId, number: int, *, limit: int
    ) -> Sequence[Recorded]:
        """Return the events after *number*, in order."""
        with in_our_words():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    _Q["events_since"],
                    {"organization": organization, "number": number, "limit": limit},
                )
                return [recorded_of(row, organization) for row in await cursor.fetchall()]

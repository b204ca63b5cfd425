"""The event log, as the tail reads it."""

from collections.abc import Sequence

from laydown.domain.happening import Heads, Recorded
from laydown.domain.upload import OrganizationId
from laydown.postgres import sql
from laydown.postgres.pool import Pool, fetched
from laydown.postgres.rows import recorded_of

_Q = sql.load("events.sql")


class PostgresLog:
    """An `EventLog` on the events table; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def heads(self) -> Heads:
        """Return the newest committed number of each organization."""
        rows = await fetched(self._pool, _Q["all_heads"], {})
        return {OrganizationId(row.organization_id): row.number for row in rows}

    async def since(
        self, organization: OrganizationId, number: int, *, limit: int
    ) -> Sequence[Recorded]:
        """Return the events after *number*, in order."""
        given = {"organization": organization, "number": number, "limit": limit}
        rows = await fetched(self._pool, _Q["events_since"], given)
        return [recorded_of(row, organization) for row in rows]

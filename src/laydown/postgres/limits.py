"""Buckets of requests and kept answers, in Postgres."""

from datetime import timedelta
from uuid import UUID

from laydown.domain.rates import Rate
from laydown.domain.upload import OrganizationId
from laydown.ports import Draught, Precedent
from laydown.postgres import sql
from laydown.postgres.pool import Pool, fetched, transaction

_LIMITS = sql.load("limits.sql")
_REPLIES = sql.load("replies.sql")
_BEGIN = sql.load("session.sql")["take_organization"]

LEASE = timedelta(seconds=90)
"""How long a request may take that claimed a key; a statement may take a minute, see `open_pool`,
and clients give up after two."""

_MOST_MEETINGS = 3  # of a claim with one that is just being forgotten


class PostgresAllowances:
    """The `Allowances`; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def draw(
        self, organization: OrganizationId, bucket: UUID, rate: Rate, units: int
    ) -> Draught:
        """Take so many units from a bucket, or all it has; one that nobody drew from is full."""
        given = {
            "organization": organization,
            "bucket": bucket,
            "rate": rate.per_second,
            "burst": rate.burst,
            "units": min(units, rate.burst),
        }
        [row] = await fetched(self._pool, _LIMITS["draw_units"], given)
        return Draught(units=row.drawn, left=row.left)

    async def forget(self, *, limit: int) -> int:
        """Delete buckets that are full, which a missing one is too."""
        return len(await fetched(self._pool, _LIMITS["forget_buckets"], {"limit": limit}))


class PostgresReplies:
    """The `Replies`; *app* sees one organization's at a time, *system* forgets old ones."""

    def __init__(self, *, app: Pool, system: Pool) -> None:
        self._app = app
        self._system = system

    async def claim(
        self, organization: OrganizationId, key: bytes, fingerprint: bytes, *, claim: UUID
    ) -> Precedent | None:
        """Claim a key for a request, or return the earlier one that has it."""
        given = {
            "organization": organization,
            "key": key,
            "fingerprint": fingerprint,
            "claim": claim,
            "lease": LEASE,
        }
        for _ in range(_MOST_MEETINGS):
            async with transaction(self._app, _BEGIN, given) as connection:
                cursor = await connection.execute(_REPLIES["claim_reply"], given)
                if await cursor.fetchone() is not None:
                    return None
                cursor = await connection.execute(_REPLIES["get_reply"], given)
                row = await cursor.fetchone()
            if row is not None:
                return Precedent(fingerprint=row.fingerprint, sealed=row.sealed)
        return Precedent(fingerprint=fingerprint, sealed=None)

    async def keep(
        self,
        organization: OrganizationId,
        key: bytes,
        sealed: bytes,
        *,
        claim: UUID,
        life: timedelta,
    ) -> None:
        """Keep the answer of the request that made this claim, if it still holds."""
        given = {
            "organization": organization,
            "key": key,
            "sealed": sealed,
            "claim": claim,
            "life": life,
        }
        async with transaction(self._app, _BEGIN, given) as connection:
            await connection.execute(_REPLIES["keep_reply"], given)

    async def release(self, organization: OrganizationId, key: bytes, *, claim: UUID) -> None:
        """Forget a claim without an answer, if it still holds."""
        given = {"organization": organization, "key": key, "claim": claim}
        async with transaction(self._app, _BEGIN, given) as connection:
            await connection.execute(_REPLIES["release_reply"], given)

    async def forget(self, *, limit: int) -> int:
        """Delete answers that were kept long enough, and claims that lapsed."""
        return len(await fetched(self._system, _LIMITS["forget_replies"], {"limit": limit}))

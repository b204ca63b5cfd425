"""Looks at every organization's queue, written down."""

from datetime import timedelta

from laydown.postgres import sql
from laydown.postgres.pool import Pool, fetched, transaction

_Q = sql.load("samples.sql")

KEPT = timedelta(days=30)
"""How long operators can look back."""

CAUGHT_UP_WITH = 1_000_000
"""Events of an organization that one look counts at most: some seconds' work, and a statement may
take a minute, see `open_pool`."""


class PostgresSampler:
    """The `Sampler`; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def take(self) -> None:
        """Write down what waits now, and what settled since the look before, each once."""
        async with transaction(self._pool, _Q["sampling_turn"], {}) as connection:
            await connection.execute(_Q["take_samples"], {"most": CAUGHT_UP_WITH})

    async def forget(self, *, limit: int) -> int:
        """Delete what was written down more than 30 days ago."""
        given = {"life": KEPT, "limit": limit}
        samples = len(await fetched(self._pool, _Q["forget_samples"], given))
        given["limit"] = limit - samples
        return samples + len(await fetched(self._pool, _Q["forget_outcomes"], given))

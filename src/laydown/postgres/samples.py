"""Looks at every organization's queue, written down."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString

from laydown.domain.figures import PROMPT, Life, Outcome, Survey, life_of
from laydown.domain.lifecycle import State
from laydown.postgres import sql
from laydown.postgres.pool import Connection, Pool, fetched, transaction

_Q = sql.load("samples.sql")

KEPT = timedelta(days=30)
"""How long operators can look back."""

CAUGHT_UP_WITH = 1_000_000
"""Events of an organization that one look counts at most: some seconds' work, and a statement may
take a minute, see `open_pool`."""

MEASURED = 2_000
"""Events whose files one look measures: a fraction of a second's work every few seconds."""


class PostgresSampler:
    """The `Sampler`; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def take(self) -> Survey:
        """Write down what waits now, and what settled since the look before, each once; tell it.

        What is told of lives and batches is read just before, so what happens in between is told
        as settled only.
        """
        most = {"most": CAUGHT_UP_WITH}
        async with transaction(self._pool, _Q["sampling_turn"], {}) as connection:
            lives = await _rows(connection, _Q["survey_lives"], most | {"measured": MEASURED})
            batches = await _rows(connection, _Q["survey_batches"], most)
            settled = await _rows(connection, _Q["take_samples"], most)
            patience = {"patience": timedelta(seconds=PROMPT)}
            [now] = await _rows(connection, _Q["survey_now"], patience)
        return Survey(
            **now._asdict(),
            outcomes=[
                Outcome(state=State(row.state), reason=row.reason, files=row.files, bytes=row.bytes)
                for row in settled
            ],
            lives=[_life(row) for row in lives],
            batches=[row.seconds for row in batches],
        )

    async def forget(self, *, limit: int) -> int:
        """Delete what was written down more than 30 days ago."""
        given = {"life": KEPT, "limit": limit}
        samples = len(await fetched(self._pool, _Q["forget_samples"], given))
        given["limit"] = limit - samples
        return samples + len(await fetched(self._pool, _Q["forget_outcomes"], given))


async def _rows(
    connection: Connection, query: LiteralString, given: dict[str, Any]
) -> Sequence[Any]:
    cursor = await connection.execute(query, given)
    return await cursor.fetchall()


def _life(row: Any) -> Life:  # noqa: ANN401 - a row
    moves = [(State(state), at) for state, at in zip(row.states, row.moments, strict=True)]
    return life_of([(State.DECLARED, row.declared), *moves], stands_for=row.width)

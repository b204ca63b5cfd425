"""Connections: a pool a role, and what the driver's errors mean in our words."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from laydown.domain.errors import Conflict, LedgerUnavailable

Connection: TypeAlias = psycopg.AsyncConnection[Any]
Pool: TypeAlias = AsyncConnectionPool[Connection]
Role: TypeAlias = Literal["laydown_app", "laydown_system"]


_BY_KEY = "-c enable_seqscan=off"
"""A prepared plan outlives the moment when a table was small: it must not read tables whole."""


@contextmanager
def in_our_words() -> Iterator[None]:
    """Let nothing of the driver's vocabulary out of this package."""
    try:
        yield
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
        raise Conflict("two requests met in the database; repeat this one") from error
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("somebody else wrote the same thing first; repeat the request") from error
    except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
        raise LedgerUnavailable("the database does not answer; try again") from error


@asynccontextmanager
async def open_pool(
    conninfo: str, role: Role, *, size: int, patience: float = 10.0
) -> AsyncIterator[Pool]:
    """Open a pool whose connections act as *role*.

    *patience* is how long, in seconds, a request waits for a connection before it is refused as
    `LedgerUnavailable`. Statements are limited to 60 s, and waiting for a lock to 15 s, so that
    nothing hangs for ever on a database in trouble.
    """
    given = conninfo_to_dict(conninfo)
    options = [
        str(given.get("options") or ""),
        f"-c role={role}",
        "-c statement_timeout=60s",
        "-c lock_timeout=15s",
        "-c idle_in_transaction_session_timeout=60s",
        "-c timezone=UTC",
        "-c jit=off",
        _BY_KEY,
    ]
    pool: Pool = AsyncConnectionPool(
        make_conninfo(conninfo, options=" ".join(options).strip(), application_name=role),
        kwargs={"row_factory": namedtuple_row, "prepare_threshold": 2},
        min_size=1,
        max_size=size,
        timeout=patience,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    with in_our_words():
        await pool.open(wait=True, timeout=patience)
    try:
        yield pool
    finally:
        await pool.close()

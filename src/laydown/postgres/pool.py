"""Connections: a pool a role, and what the driver's errors mean in our words."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, LiteralString, TypeAlias, TypeVar

import psycopg
from psycopg import AsyncClientCursor, AsyncCursor
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from laydown.domain.errors import Conflict, LedgerUnavailable
from laydown.postgres import sql

Connection: TypeAlias = psycopg.AsyncConnection[Any]
Pool: TypeAlias = AsyncConnectionPool[Connection]
Password: TypeAlias = Callable[[], Awaitable[str]]
Role: TypeAlias = Literal["laydown_app", "laydown_system"]

_Answer = TypeVar("_Answer")
_BEGIN = sql.load("session.sql")["begin"]

_BY_KEY = "-c enable_seqscan=off"
"""A prepared plan outlives the moment when a table was small: it must not read tables whole."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many connections a pool has open, and how many wait for one."""

    pool: Pool

    def open(self) -> int:
        """Return how many are open."""
        return self.pool.get_stats().get("pool_size", 0)

    def waiting(self) -> int:
        """Return how many wait for one."""
        return self.pool.get_stats().get("requests_waiting", 0)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Let nothing of the driver's vocabulary out of this package."""
    try:
        yield
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
        raise Conflict("two requests met in the database; repeat this one") from error
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("somebody else wrote the same thing first; repeat the request") from error
    except psycopg.errors.ReadOnlySqlTransaction as error:  # a standby, while offices change
        raise LedgerUnavailable("the database only reads for now; try again") from error
    except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
        raise LedgerUnavailable("the database does not answer; try again") from error


def check_address(conninfo: str) -> None:
    """Raise `ValueError`, with libpq's reason, for what is no Postgres address."""
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        raise ValueError(str(error).strip()) from None


def parts_of(conninfo: str) -> Mapping[str, str]:
    """Return what an address says, by libpq's names for it."""
    return {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}


async def with_password(conninfo: str, password: Password | None) -> str:
    """Return an address for one connection, with the password that it needs now."""
    return conninfo if password is None else make_conninfo(conninfo, password=await password())


@asynccontextmanager
async def open_pool(
    conninfo: str,
    role: Role,
    *,
    size: int,
    patience: float = 10.0,
    password: Password | None = None,
) -> AsyncIterator[Pool]:
    """Open a pool whose connections act as *role*.

    *password* is asked before each connection: what it says may be good for minutes only.
    *patience* is how long, in seconds, a request waits for a connection before it is refused as
    `LedgerUnavailable`. Statements are limited to 60 s, and waiting for a lock to 15 s, so that
    nothing hangs for ever on a database in trouble. Connections are not tried before they are
    given out, which would cost every transaction a round trip: see `transaction`.
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
    address = make_conninfo(conninfo, options=" ".join(options).strip(), application_name=role)
    pool: Pool = AsyncConnectionPool(
        lambda: with_password(address, password),
        # The driver would begin and commit around every statement, a round trip each: we say when.
        kwargs={"row_factory": namedtuple_row, "prepare_threshold": 2, "autocommit": True},
        min_size=1,
        max_size=size,
        timeout=patience,
        open=False,
    )
    with in_our_words():
        await pool.open(wait=True, timeout=patience)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def transaction(
    pool: Pool, query: LiteralString, given: Mapping[str, Any]
) -> AsyncIterator[Connection]:
    """Open a transaction that begins with *query*, which finds out whether the connection lives.

    One that died while nobody used it, as all do when Postgres restarts, is replaced: nothing was
    said on it yet. Beginning and *query* are one message. Leaving the block commits what the block
    did not commit itself, an exception undoes. Raises our errors.
    """

    async def begin(connection: Connection) -> None:
        await at_once(connection, f"{_BEGIN}; {query}", given)

    with in_our_words():
        connection, _ = await _first_said(pool, begin)
        try:
            async with connection:  # commits or rolls back; the pool keeps it open
                yield connection
        finally:
            await pool.putconn(connection)


async def fetched(pool: Pool, query: LiteralString, given: Mapping[str, Any]) -> Sequence[Any]:
    """Return the rows of one query in a transaction of its own; none if it returns nothing."""

    async def ask(connection: Connection) -> AsyncCursor[Any]:
        return await connection.execute(query, given)

    with in_our_words():
        connection, cursor = await _first_said(pool, ask)
        try:
            return await cursor.fetchall() if cursor.description else []
        finally:
            await pool.putconn(connection)


async def at_once(
    connection: Connection, statements: LiteralString, given: Mapping[str, Any]
) -> None:
    """Run several statements, divided by semicolons, in one message; their rows are dropped."""
    await AsyncClientCursor(connection).execute(statements, given)


async def _first_said(
    pool: Pool, say: Callable[[Connection], Awaitable[_Answer]]
) -> tuple[Connection, _Answer]:
    """Return a connection on which something was said, and the answer."""
    for _ in range(pool.max_size + 1):  # should all of them be dead, the next one is new
        connection = await pool.getconn()
        try:
            return connection, await say(connection)
        except BaseException as error:
            was_dead = isinstance(error, psycopg.OperationalError) and connection.closed
            await pool.putconn(connection)
            if not was_dead:
                raise
    raise LedgerUnavailable("the database closed every connection; try again")

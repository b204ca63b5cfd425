"""The database through its two roles, and what is done to it before anything runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from laydown.domain.errors import LaydownError, LedgerUnavailable
from laydown.postgres.feed import PostgresFeed
from laydown.postgres.keyring import PostgresKeyring
from laydown.postgres.leading import PostgresElection
from laydown.postgres.leases import PostgresLeases
from laydown.postgres.ledger import PostgresLedger
from laydown.postgres.limits import PostgresAllowances, PostgresReplies
from laydown.postgres.log import PostgresLog
from laydown.postgres.migrate import SchemaTooNew, migrate, missing
from laydown.postgres.outbox import PostgresOutbox
from laydown.postgres.pool import check_address, open_pool
from laydown.postgres.samples import PostgresSampler
from laydown.postgres.system import PostgresSystem
from laydown.services.identity import Identity
from laydown.settings import BadSettings, Settings

_SYSTEM_CONNECTIONS = 4

_ANNOUNCED_AGAIN = timedelta(minutes=15)
"""After so long a message that nobody came for is taken for lost; a copy of it is harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The database through its two roles."""

    ledger: PostgresLedger
    system: PostgresSystem
    keyring: PostgresKeyring
    feed: PostgresFeed
    leases: PostgresLeases
    outbox: PostgresOutbox
    election: PostgresElection
    log: PostgresLog
    allowances: PostgresAllowances
    replies: PostgresReplies
    sampler: PostgresSampler


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open both roles' pools; refuse a database that is not ours yet, or may lose things."""
    address = _address(settings)
    size = settings.database_connections
    with suppress(LedgerUnavailable):  # the pools wait for it
        if await missing(address):
            raise BadSettings("this database lacks our schema: run `laydown migrate` first")
    async with (
        open_pool(address, "laydown_app", size=size) as app,
        open_pool(address, "laydown_system", size=_SYSTEM_CONNECTIONS) as system,
    ):
        database = Database(
            ledger=PostgresLedger(app),
            system=PostgresSystem(system),
            keyring=PostgresKeyring(system),
            feed=PostgresFeed(system, in_flight=settings.jobs_in_flight),
            leases=PostgresLeases(system),
            outbox=PostgresOutbox(
                system, in_flight=settings.jobs_in_flight, patience=_ANNOUNCED_AGAIN
            ),
            election=PostgresElection(address),
            log=PostgresLog(system),
            allowances=PostgresAllowances(system),
            replies=PostgresReplies(app=app, system=system),
            sampler=PostgresSampler(system),
        )
        if loose := await database.system.check():
            raise BadSettings(
                f"this Postgres has {', '.join(loose)} switched off and may lose what it has "
                "acknowledged; switch it on, or use another database"
            )
        yield database


async def migrated(settings: Settings) -> Sequence[int]:
    """Bring the database to this program's schema; return the migrations that were missing.

    Raises `BadSettings` for the schema of a newer laydown.
    """
    try:
        return await migrate(_address(settings))
    except SchemaTooNew as error:
        raise BadSettings(f"{error}: start a newer one, or use another database") from error


async def issue_token(
    settings: Settings, *, organization: str, name: str, owner: str = "owner"
) -> str:
    """Return a new token of an organization's owner; both are made if absent."""
    async with open_pool(_address(settings), "laydown_system", size=1) as pool:
        return await Identity(keyring=PostgresKeyring(pool)).issue(
            organization=organization, name=name, member=owner
        )


async def offer_sign_in(settings: Settings, *, organization: str) -> str:
    """Return a code that opens one console session for an organization's owner."""
    async with open_pool(_address(settings), "laydown_system", size=1) as pool:
        return await Identity(keyring=PostgresKeyring(pool)).offer_sign_in(
            organization=organization
        )


async def token_works(settings: Settings, token: str) -> bool:
    """Say whether a token would be let in."""
    async with open_pool(_address(settings), "laydown_system", size=1) as pool:
        try:
            await Identity(keyring=PostgresKeyring(pool)).caller(token)
        except LaydownError:
            return False
        return True


def _address(settings: Settings) -> str:
    """Return where the database is; raise `BadSettings` for what is no address."""
    address = settings.database or ""
    try:
        check_address(address)
    except ValueError as error:
        raise BadSettings(f"LAYDOWN_DATABASE is no Postgres address: {error}") from None
    return address

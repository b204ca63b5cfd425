"""The database through its two roles, and what is done to it before anything runs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from laydown.bootstrap.login import login_of
from laydown.domain.errors import LaydownError, LedgerUnavailable
from laydown.postgres.feed import PostgresFeed
from laydown.postgres.keyring import PostgresKeyring
from laydown.postgres.leading import PostgresElection
from laydown.postgres.leases import PostgresLeases
from laydown.postgres.ledger import PostgresLedger
from laydown.postgres.legacy_table import PostgresOldTable
from laydown.postgres.limits import PostgresAllowances, PostgresReplies
from laydown.postgres.log import PostgresLog
from laydown.postgres.migrate import (
    SchemaTooNew,
    Standing,
    admit,
    migrate,
    standing,
    too_new,
)
from laydown.postgres.outbox import PostgresOutbox
from laydown.postgres.pool import Crowd, Pool, Role, open_pool
from laydown.postgres.samples import PostgresSampler
from laydown.postgres.system import PostgresSystem
from laydown.services.identity import Identity
from laydown.settings import BadSettings, Settings

SYSTEM_CONNECTIONS: Final = 4
"""How many a process may open for what is asked across organizations."""

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
    crowds: Mapping[Role, Crowd]
    old_table: PostgresOldTable


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open both roles' pools; refuse a database that is not ours yet, or may lose things."""
    login = login_of(settings)
    address, password = login.conninfo, login.password
    size = settings.database_connections
    with suppress(LedgerUnavailable):  # the pools wait for it
        stands = await standing(address, password=password)
        if stands.is_too_old:
            raise BadSettings("this database lacks our schema: run `laydown migrate` first")
        if stands.is_too_new:
            raise BadSettings(f"{too_new(stands.least)}: start a newer one")
        if stands.refused:
            raise BadSettings(
                f"whoever connects to this database may not take on {' and '.join(stands.refused)}:"
                " `laydown doctor` says what to do"
            )
    async with (
        open_pool(address, "laydown_app", size=size, password=password) as app,
        open_pool(address, "laydown_system", size=SYSTEM_CONNECTIONS, password=password) as system,
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
            election=PostgresElection(address, password=password),
            log=PostgresLog(system),
            allowances=PostgresAllowances(system),
            replies=PostgresReplies(app=app, system=system),
            sampler=PostgresSampler(system),
            crowds={"laydown_app": Crowd(app), "laydown_system": Crowd(system)},
            old_table=PostgresOldTable(system),
        )
        if loose := await database.system.check():
            raise BadSettings(
                f"this Postgres has {', '.join(loose)} switched off and may lose what it has "
                "acknowledged; switch it on, or use another database"
            )
        yield database


async def migrated(settings: Settings, *, login: str | None = None) -> Sequence[int]:
    """Bring the database to this program's schema; return the migrations that were missing.

    *login* is a role that api and worker may log in as: it is made if absent, and may do what
    they do and no more. Raises `BadSettings` for a schema that serves only newer laydowns.
    """
    owner = login_of(settings)
    try:
        applied = await migrate(owner.conninfo, password=owner.password)
        if login is not None:
            await admit(owner.conninfo, login, password=owner.password)
    except SchemaTooNew as error:
        raise BadSettings(f"{error}: start a newer one, or use another database") from error
    return applied


async def database_standing(settings: Settings) -> Standing:
    """Return how the database stands to this program.

    Raises `BadSettings` for what is no address, `LedgerUnavailable` where nothing answers.
    """
    login = login_of(settings)
    return await standing(login.conninfo, password=login.password)


async def issue_token(
    settings: Settings, *, organization: str, name: str, owner: str = "owner"
) -> str:
    """Return a new token of an organization's owner; both are made if absent."""
    async with _system(settings) as pool:
        return await Identity(keyring=PostgresKeyring(pool)).issue(
            organization=organization, name=name, member=owner
        )


async def offer_sign_in(settings: Settings, *, organization: str) -> str:
    """Return a code that opens one console session for an organization's owner."""
    async with _system(settings) as pool:
        return await Identity(keyring=PostgresKeyring(pool)).offer_sign_in(
            organization=organization
        )


async def token_works(settings: Settings, token: str) -> bool:
    """Say whether a token would be let in."""
    async with _system(settings) as pool:
        try:
            await Identity(keyring=PostgresKeyring(pool)).caller(token)
        except LaydownError:
            return False
        return True


@asynccontextmanager
async def _system(settings: Settings) -> AsyncIterator[Pool]:
    """Open one connection in the role that sees across organizations."""
    login = login_of(settings)
    async with open_pool(login.conninfo, "laydown_system", size=1, password=login.password) as pool:
        yield pool

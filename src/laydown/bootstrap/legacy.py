"""The tools for leaving another system, composed from settings."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from laydown.bootstrap.database import Database, migrated, open_database
from laydown.bootstrap.login import login_of
from laydown.bootstrap.store import open_storage
from laydown.objects.s3_address import keys_in_common
from laydown.postgres.legacy_table import NoOldTable, make_schema, open_old_table
from laydown.services.filing import Filing
from laydown.services.identity import Identity
from laydown.services.legacy_door import OldDoor
from laydown.services.legacy_forget import Forgetting
from laydown.services.legacy_import import Importing
from laydown.services.legacy_mapping import Matchmaking
from laydown.services.legacy_scan import Scanning
from laydown.services.legacy_verify import Verifying
from laydown.settings import PREFIX, BadSettings, Settings

if TYPE_CHECKING:
    from laydown.objects.foreign import ForeignBucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What `laydown legacy` does its work with."""

    matchmaking: Matchmaking
    scanning: Scanning
    importing: Importing
    verifying: Verifying
    forgetting: Forgetting
    refusals: Callable[[], Awaitable[Sequence[str]]]  # why the old table may refuse rows of ours
    in_common: str | None  # what is before our keys in the old bucket; None: we use another


async def prepare(settings: Settings) -> Sequence[int]:
    """Make our schema beside the old table, and let us read that; return what was migrated.

    Raises `BadSettings` where there is no such table, or no place beside it.
    """
    login = login_of(settings)
    try:
        await make_schema(login.conninfo, password=login.password)
        done = await migrated(settings)
        await open_old_table(login.conninfo, password=login.password)
    except NoOldTable as error:
        raise BadSettings(str(error)) from error
    return done


@asynccontextmanager
async def leaving(settings: Settings, *, imports: bool = False) -> AsyncIterator[Leaving]:
    """Open the database, the store and the old bucket; raises `BadSettings`.

    With *imports* also where workers with these settings couldn't prove what is imported.
    """
    if imports and _waits_for_verdicts(settings):
        raise BadSettings(
            f"{PREFIX}SCANNER is guardduty, which judges what comes and not what is there already: "
            "import with workers that have ClamAV, clamav://HOST:PORT"
        )
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        storage = await stack.enter_async_context(open_storage(settings, owner=False))
        if storage.foreign is None:
            raise BadSettings(f"name the old system's bucket: {PREFIX}LEGACY_STORE")
        scanning = scanning_of_old(settings, database, storage.foreign)
        table = database.old_table
        try:
            yield Leaving(
                matchmaking=Matchmaking(
                    ledger=database.ledger,
                    table=table,
                    identity=Identity(keyring=database.keyring),
                ),
                scanning=scanning,
                importing=importing_of(settings, database, storage.foreign),
                verifying=Verifying(
                    ledger=database.ledger,
                    table=table,
                    bucket=storage.foreign,
                    store=storage.store,
                ),
                forgetting=Forgetting(ledger=database.ledger),
                refusals=table.refusals,
                in_common=scanning.ours,
            )
        except NoOldTable as error:
            raise BadSettings(str(error)) from error


async def check_door(settings: Settings, database: Database) -> None:
    """Raise `BadSettings` where the old API's clients are to be answered and can't be.

    Our files have to be where the old system reads them, and its table where we read that.
    """
    if not settings.legacy_door:
        return
    if settings.legacy_store is None:
        raise BadSettings(f"{PREFIX}LEGACY_DOOR is of no use without {PREFIX}LEGACY_STORE")
    if keys_in_common(settings.store, settings.legacy_store) is None:
        raise BadSettings(
            f"{PREFIX}LEGACY_DOOR takes {PREFIX}STORE and {PREFIX}LEGACY_STORE in one bucket: the "
            "old system couldn't read what comes through it"
        )
    try:
        await database.old_table.check()
    except NoOldTable as error:
        raise BadSettings(str(error)) from error


def door_of(
    settings: Settings,
    database: Database,
    bucket: "ForeignBucket | None",
    filing: Filing,
    identity: Identity,
) -> OldDoor | None:
    """Return what answers the old API's clients, if they are to be answered."""
    if not settings.legacy_door or bucket is None:
        return None
    waits = _waits_for_verdicts(settings)
    return OldDoor(
        ledger=database.ledger,
        table=database.old_table,
        bucket=bucket,
        importing=None if waits else importing_of(settings, database, bucket),
        identity=identity,
        filing=filing,
    )


def _waits_for_verdicts(settings: Settings) -> bool:
    """Say whether a scanner beside the store tells us, which it does of new objects only."""
    return settings.scanner_name == "guardduty"


def scanning_of_old(settings: Settings, database: Database, bucket: "ForeignBucket") -> Scanning:
    """Return what compares the old table with the old bucket."""
    assert settings.legacy_store is not None
    return Scanning(
        table=database.old_table,
        bucket=bucket,
        ours=keys_in_common(settings.store, settings.legacy_store),
    )


def importing_of(settings: Settings, database: Database, bucket: "ForeignBucket") -> Importing:
    """Return what brings old documents in."""
    return Importing(
        ledger=database.ledger,
        table=database.old_table,
        bucket=bucket,
        scanning=scanning_of_old(settings, database, bucket),
    )

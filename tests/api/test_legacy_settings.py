"""What can't work beside an old system is refused before anything runs."""

from dataclasses import replace

import pytest
from psycopg.conninfo import make_conninfo

from laydown.bootstrap.api import api
from laydown.bootstrap.legacy import leaving, prepare
from laydown.settings import BadSettings
from tests.ledger_support import ask


async def test_a_door_takes_an_old_bucket(old):
    """The old routes without the bucket that they are about are a contradiction."""
    with pytest.raises(BadSettings, match="LEGACY_STORE"):
        async with api(replace(old.settings, legacy_store=None)):
            pass


@pytest.mark.parametrize("is_shared", [False], ids=["another"])
async def test_a_door_takes_our_store_in_the_old_bucket(old):
    """What comes through it would be out of the old system's reach elsewhere."""
    with pytest.raises(BadSettings, match="one bucket"):
        async with api(replace(old.settings, legacy_door=True)):
            pass


async def test_a_door_takes_the_old_table(old):
    """Without it, or without a right to read it, the API doesn't start, and says why."""
    await ask(old.database, "REVOKE SELECT ON public.documents FROM laydown_system")
    with pytest.raises(BadSettings, match="laydown legacy prepare"):
        async with api(old.settings):
            pass
    await ask(old.database, "DROP TABLE public.documents")
    with pytest.raises(BadSettings, match="laydown legacy prepare"):
        async with api(old.settings):
            pass


async def test_the_tools_take_an_old_bucket(old):
    """They name the setting that is missing."""
    with pytest.raises(BadSettings, match="LAYDOWN_LEGACY_STORE"):
        async with leaving(replace(old.settings, legacy_store=None)):
            pass


async def test_a_schema_is_made_beside_the_old_table_alone(old, database):
    """Not in the old tables' own schema, and not where there is no old table of that shape."""
    with pytest.raises(BadSettings, match="search_path"):
        await prepare(replace(old.settings, database=old.database))
    elsewhere = make_conninfo(database, options="-c search_path=laydown")
    with pytest.raises(BadSettings, match="lacks filename"):
        await prepare(replace(old.settings, database=elsewhere))


async def test_preparing_twice_changes_nothing(old):
    """What is there stays, and nothing is missing."""
    assert await prepare(old.settings) == []


@pytest.mark.usefixtures("beside")
async def test_a_project_that_is_mapped_later_is_as_the_others(old):
    """Mapping another, or the same again, neither begins nor ends to write to the old table."""
    await old.map(tower=7, writes_back=True)
    async with old.tools() as tools:
        caller = await tools.matchmaking.owner("ours")
        await tools.matchmaking.projects(caller, {7: "tower", 8: "bridge"}, prefix="")
        mapped = await tools.matchmaking.table.mapped()
        assert {each.old: each.writes_back for each in mapped.values()} == {7: True, 8: True}
        await tools.matchmaking.writing_back(caller, is_on=False, prefix="")
        await tools.matchmaking.projects(caller, {9: "tunnel"}, prefix="")
        mapped = await tools.matchmaking.table.mapped()
        assert not any(each.writes_back for each in mapped.values())


async def test_a_table_that_may_refuse_rows_is_found_before_it_is_told(old):
    """As it was made it takes everything; each narrowing of it is named."""
    async with old.tools() as tools:
        assert await tools.refusals() == []
        for narrowing in (
            "ALTER COLUMN filename TYPE varchar(80)",
            "ALTER COLUMN uploaded_by SET NOT NULL",
            "ADD COLUMN checked boolean NOT NULL",
            "ADD CONSTRAINT one_key UNIQUE (s3_key)",
            "ADD COLUMN tag text NOT NULL DEFAULT ''",
        ):
            await ask(old.database, f"ALTER TABLE public.documents {narrowing}")
        assert await tools.refusals() == [
            "checked has to be filled",
            "filename takes 80 letters at most",
            "the index one_key wants what it has to be there once",
            "uploaded_by has to be filled, always",
        ]

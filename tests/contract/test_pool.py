"""Connections: what happens to a ledger whose database is slow, away, or at odds with itself."""

import asyncio
from dataclasses import replace

import pytest

from laydown.bootstrap.database import open_database
from laydown.domain.errors import Conflict, LedgerUnavailable
from laydown.postgres.ledger import PostgresLedger
from laydown.postgres.pool import open_pool
from laydown.settings import BadSettings
from tests.ledger_support import FIRST_PAGE, ask

SLEEP = "SELECT pg_sleep(60)"
SAME = "UPDATE uploads SET detail = detail WHERE id = %(id)s"


async def works(ledger, tenant):
    """Say whether a transaction sees what it should."""
    async with ledger.begin(tenant.organization) as tx:
        return [project.id for project in await tx.projects(FIRST_PAGE)] == [tenant.project]


async def test_who_is_cancelled_gives_its_connection_back(tenant):
    """Requests cut off in the middle of a statement leave the pool as they found it."""
    async with open_pool(tenant.owner, "laydown_app", size=2, patience=5.0) as pool:
        ledger = PostgresLedger(pool)

        async def hang():
            async with ledger.begin(tenant.organization) as tx:
                await tx.run(SLEEP)

        for _ in range(3):
            hanging = [asyncio.create_task(hang()) for _ in range(2)]
            await asyncio.wait(hanging, timeout=0.05)
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
        assert await works(ledger, tenant)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query = %s AND state = 'active'"
    assert await tenant.ask(asleep, SLEEP) == [(0,)]


async def test_who_waits_too_long_for_a_connection_is_told(tenant):
    """With every connection in use, a request is refused after its patience, and not before."""
    async with open_pool(tenant.owner, "laydown_app", size=1, patience=0.1) as pool:
        ledger = PostgresLedger(pool)
        async with ledger.begin(tenant.organization):
            with pytest.raises(LedgerUnavailable):
                await works(ledger, tenant)
        assert await works(ledger, tenant)


async def test_connections_that_died_while_idle_are_replaced(tenant):
    """After all backends were ended, as many requests as there are connections all succeed."""
    async with open_pool(tenant.owner, "laydown_app", size=3) as pool:
        ledger = PostgresLedger(pool)
        assert all(await asyncio.gather(*(works(ledger, tenant) for _ in range(3))))
        await tenant.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        assert all(await asyncio.gather(*(works(ledger, tenant) for _ in range(3))))


async def test_no_database_is_unavailable(tenant):
    """A server that isn't there raises `LedgerUnavailable` when the pool is opened."""
    nowhere = f"{tenant.owner} port=1"
    with pytest.raises(LedgerUnavailable):
        async with open_pool(nowhere, "laydown_app", size=1, patience=0.2):
            pass


async def test_a_database_that_only_reads_is_unavailable(tenant):
    """One that lost its office to another, or has yet to take it, is waited for."""
    standby = f"{tenant.owner} options='-c default_transaction_read_only=on'"
    async with open_pool(standby, "laydown_app", size=1) as pool:
        ledger = PostgresLedger(pool)
        assert await works(ledger, tenant)
        with pytest.raises(LedgerUnavailable):
            async with ledger.begin(tenant.organization) as tx:
                await tx.touch_batch(tenant.batch.id)
        assert await works(ledger, tenant)


async def test_two_transactions_that_lock_each_other_out_are_a_conflict(tenant):
    """One of them ends with `Conflict`, the other commits."""
    uploads = await tenant.declared(2)
    met = asyncio.Barrier(2)

    async def lock(first, second):
        async with tenant.begin() as tx:
            await tx.run(SAME, id=first.id)
            await met.wait()
            await tx.run(SAME, id=second.id)

    outcomes = await asyncio.gather(
        lock(*uploads), lock(*reversed(uploads)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {Conflict, type(None)}


@pytest.mark.parametrize("knob", ["synchronous_commit"])
async def test_a_database_that_may_lose_commits_is_refused(settings, database, knob):
    """Start-up names the setting under which an acknowledged commit may be lost."""
    loose = replace(settings, database=f"{database} options='-c {knob}=off'")
    with pytest.raises(BadSettings, match=knob):
        async with open_database(loose):
            pass
    assert await ask(database, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("address", ["rubbish", "postgres://%zz", "host"])
async def test_an_address_that_is_none_is_a_bad_setting(settings, address):
    """What libpq can't read stops the start with a sentence that names the variable."""
    with pytest.raises(BadSettings, match="LAYDOWN_DATABASE"):
        async with open_database(replace(settings, database=address)):
            pass

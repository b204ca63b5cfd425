"""Numbers are dense and follow the order of commits, however late a commit comes."""

import asyncio
import random

import pytest

from laydown.domain.happening import Happening, Kind
from laydown.postgres.ledger import PostgresTx
from laydown.postgres.log import PostgresLog
from laydown.postgres.rows import happening_row, json_rows
from tests.ledger_support import Tenant

PATIENCE = 30  # seconds; what is awaited takes milliseconds on a quiet machine


def happenings(tenant: Tenant, *details: str) -> list[Happening]:
    return [Happening(kind=Kind.OPENED, batch=tenant.batch.id, detail=each) for each in details]


async def say(tenant: Tenant, *details: str) -> None:
    """Log in a transaction of its own."""
    async with tenant.begin() as tx:
        await tx.say(happenings(tenant, *details))


async def details(tenant: Tenant, after: int = 0, limit: int = 1_000) -> list[str | None]:
    events = await tenant.database.log.since(tenant.organization, after, limit=limit)
    return [event.happening.detail for event in events]


async def test_events_come_back_as_they_were_said(tenant):
    """Of one transaction all come, in their order, numbered from 1."""
    await say(tenant, "a", "b")
    await say(tenant, "c")
    events = await tenant.database.log.since(tenant.organization, 0, limit=10)
    assert [(event.number, event.happening.detail) for event in events] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
    ]
    assert {event.organization for event in events} == {tenant.organization}
    assert (await tenant.database.log.heads())[tenant.organization] == 3
    assert await details(tenant, after=1, limit=1) == ["b"]


async def number(tx: PostgresTx) -> None:
    """Do what committing does, but for the commit."""
    query = "SELECT number_events(%(organization)s, %(rows)s::jsonb)"
    await tx.all(query, rows=json_rows(map(happening_row, tx.said)))
    tx.said.clear()


class Held:
    """A transaction that has numbered its events and has yet to commit."""

    def __init__(self, tenant: Tenant, detail: str) -> None:
        self.numbered = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.done = asyncio.create_task(self._run(tenant, detail))

    async def _run(self, tenant: Tenant, detail: str) -> None:
        async with tenant.begin() as tx:
            await tx.say(happenings(tenant, detail))
            await number(tx)
            self.numbered.set()
            await self.may_commit.wait()


async def test_nobody_is_numbered_past_an_open_commit(tenant):
    """Who comes second waits for the first one's commit, so that no reader can pass it."""
    async with asyncio.timeout(PATIENCE):
        first = Held(tenant, "first")
        await first.numbered.wait()
        second = asyncio.create_task(say(tenant, "second"))
        await _until_waiting(tenant)
        assert await details(tenant) == []
        first.may_commit.set()
        await asyncio.gather(first.done, second)
    assert await details(tenant) == ["first", "second"]


async def _until_waiting(tenant: Tenant) -> None:
    """Return once a backend waits for another's row."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while (await tenant.ask(waiting))[0][0] == 0:  # noqa: ASYNC110 - another process's state
        await asyncio.sleep(0.005)


async def test_another_organization_waits_for_nobody(tenant, stranger):
    """Numbers are each organization's own, and so is the wait for them."""
    async with asyncio.timeout(PATIENCE):
        held = Held(tenant, "ours")
        await held.numbered.wait()
        await say(stranger, "theirs")
        held.may_commit.set()
        await held.done
    assert await details(stranger) == ["theirs"]


async def test_a_transaction_that_fails_leaves_no_gap(tenant):
    """Numbers that were given and rolled back are given again."""
    await say(tenant, "a")

    async def undone() -> None:
        async with tenant.begin() as tx:
            await tx.say(happenings(tenant, "never"))
            await number(tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await undone()
    await say(tenant, "b")
    assert await details(tenant) == ["a", "b"]


async def test_a_reader_never_sees_a_number_before_its_predecessor(tenant):
    """Under many writers with delayed commits and rollbacks, every read is dense and grows."""
    luck = random.Random(7)
    writers = [_writes(tenant, f"w{n}", random.Random(luck.random())) for n in range(8)]
    done = asyncio.Event()
    reader = asyncio.create_task(_reads(tenant, done))
    async with asyncio.timeout(PATIENCE):
        committed = sum(await asyncio.gather(*writers))
        done.set()
        reads = await reader
    assert await details(tenant, limit=10_000) == await details(tenant, limit=committed)
    assert (await tenant.database.log.heads())[tenant.organization] == committed
    assert reads > 10


async def _writes(tenant: Tenant, name: str, luck: random.Random) -> int:
    """Log in many transactions, some of which commit late or not at all; return how much."""
    written = 0
    for turn in range(12):
        said = [f"{name}-{turn}-{n}" for n in range(luck.randint(1, 5))]
        try:
            async with tenant.begin() as tx:
                await tx.say(happenings(tenant, *said))
                await number(tx)
                # The delay is what is tested: numbers are given, the commit is yet to come.
                await tx.run("SELECT pg_sleep(%(delay)s)", delay=luck.choice([0, 0, 0.002, 0.02]))
                if luck.random() < 0.2:
                    raise _ChangedMyMind  # noqa: TRY301 - what undoes the transaction
        except _ChangedMyMind:
            continue
        written += len(said)
    return written


class _ChangedMyMind(Exception):
    """A transaction is undone on purpose."""


async def _reads(tenant: Tenant, done: asyncio.Event) -> int:
    """Read all the time, from the start and as a tail; return how often."""
    log: PostgresLog = tenant.database.log
    seen, reads = 0, 0
    while not done.is_set():
        head = (await log.heads())[tenant.organization]
        everything = await log.since(tenant.organization, 0, limit=10_000)
        numbers = [event.number for event in everything]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= max(head, seen)
        news = await log.since(tenant.organization, seen, limit=10_000)
        assert [event.number for event in news] == list(range(seen + 1, seen + len(news) + 1))
        seen, reads = seen + len(news), reads + 1
    return reads

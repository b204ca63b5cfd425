"""One tail feeds all viewers of a process: nothing is lost, nothing comes twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from laydown.domain.access import Role, rights_of
from laydown.domain.errors import LedgerUnavailable
from laydown.domain.happening import Heads, Recorded
from laydown.domain.lifecycle import Event, State
from laydown.domain.reasons import Reason
from laydown.domain.upload import BatchId, OrganizationId
from laydown.ports import EventLog
from laydown.services.audience import Audience
from laydown.services.identifiers import new_id
from laydown.services.identity import Caller, Identity
from laydown.services.tailing import Tail
from laydown.services.watching import Closed, Progress, Seen, Snapshot, Watching
from tests.contract.test_event_log import PATIENCE, happenings, say
from tests.ledger_support import SOMEBODY, Tenant, moved


@dataclass
class Counted:
    """An event log that counts what it is asked, and is away when told to be."""

    log: EventLog
    reads: int = 0
    is_away: bool = False

    async def heads(self) -> Heads:
        if self.is_away:
            raise LedgerUnavailable("away")
        return await self.log.heads()

    async def since(
        self, organization: OrganizationId, number: int, *, limit: int
    ) -> Sequence[Recorded]:
        self.reads += 1
        return await self.log.since(organization, number, limit=limit)


@dataclass
class Viewer:
    """Somebody who watches an organization through a tail."""

    tenant: Tenant
    tail: Tail
    numbers: list[int] = field(default_factory=list)

    async def watch(self, until: int) -> None:
        """Follow from the start until a number has come."""
        async with self.tail.watch(self.tenant.organization) as reel:
            while (self.numbers or [0])[-1] < until:
                grown = reel.grown
                after = (self.numbers or [0])[-1]
                events = await self.tail.since(reel, self.tenant.organization, after)
                self.numbers += [event.number for event in events]
                if not events:
                    await grown.wait()


@asynccontextmanager
async def running(tail: Tail) -> AsyncIterator[Tail]:
    """Run a tail while the block lasts."""
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(tail.run())
        try:
            yield tail
        finally:
            tail.stop()


async def test_many_viewers_cost_one_read(tenant):
    """Thirty viewers get every number once and in order; the log is read once for them all."""
    log = Counted(tenant.database.log)
    async with running(Tail(log=log, interval=0.01)) as tail:
        viewers = [Viewer(tenant, tail) for _ in range(30)]
        async with asyncio.TaskGroup() as tasks:
            for viewer in viewers:
                tasks.create_task(viewer.watch(until=40))
            for turn in range(20):
                await say(tenant, f"{turn}a", f"{turn}b")
    assert all(viewer.numbers == list(range(1, 41)) for viewer in viewers)
    assert log.reads <= 20 + len(viewers)


async def test_who_is_far_behind_catches_up_from_the_ledger(tenant):
    """A viewer of the beginning gets 30,000 events that the tail no longer keeps, and the next."""
    await say(tenant, *map(str, range(25_000)))
    async with running(Tail(log=tenant.database.log, interval=0.01)) as tail:
        late = Viewer(tenant, tail)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(late.watch(until=30_000))
            await say(tenant, *map(str, range(5_000)))
    assert late.numbers == list(range(1, 30_001))


async def test_a_ledger_that_is_away_delays_and_loses_nothing(tenant):
    """After an outage the tail goes on where it was."""
    log = Counted(tenant.database.log)
    async with running(Tail(log=log, interval=0.01)) as tail:
        viewer = Viewer(tenant, tail)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(viewer.watch(until=2))
            await say(tenant, "before")
            log.is_away = True
            await say(tenant, "meanwhile")
            log.is_away = False
    assert viewer.numbers == [1, 2]


def caller(tenant: Tenant) -> Caller:
    return Caller(
        organization=tenant.organization,
        token=UUID(int=0),
        principal=SOMEBODY,
        name="somebody",
        rights=rights_of(Role.VIEWER, {}),
    )


def watching(tenant: Tenant, tail: Tail) -> Watching:
    identity = Identity(keyring=tenant.database.keyring)
    return Watching(
        ledger=tenant.database.ledger,
        tail=tail,
        identity=identity,
        audience=Audience(refused=print),
        token_every=999.0,
    )


async def everything(seen: AsyncIterator[Seen]) -> list[Seen]:
    return [each async for each in seen]


async def cancel_all(tenant: Tenant, uploads) -> None:
    for upload in uploads:
        async with tenant.begin() as tx:
            await tx.move([moved(upload, Event.CANCELLED, reason=Reason.CANCELLED_BY_USER)])


@pytest.mark.parametrize("interval", [0.01, 2.0])
async def test_the_last_changes_come_before_the_end(tenant, interval):
    """However slowly the log is polled, `Closed` comes after every change of the batch."""
    uploads = await tenant.declared(3)
    async with running(Tail(log=tenant.database.log, interval=interval)) as tail:
        stream = watching(tenant, tail).watch(caller(tenant), tenant.batch.id, after=None)
        first = await anext(stream)
        rest = asyncio.create_task(everything(stream))
        await cancel_all(tenant, uploads)
        async with tenant.begin() as tx:
            await tx.touch_batch(tenant.batch.id, close=True)
        seen = await rest
    assert isinstance(first, Snapshot)
    assert isinstance(seen[-1], Closed)
    changed = [each for each in seen if isinstance(each, Recorded)]
    assert [each.happening.upload for each in changed] == [upload.id for upload in uploads]
    assert [each.number for each in changed] == [1, 2, 3]


@pytest.mark.parametrize("after", range(5))
async def test_a_replay_loses_and_repeats_nothing(tenant, after):
    """Whatever number a viewer names, it gets exactly the changes behind it, and no snapshot."""
    uploads = await tenant.declared(4)
    await cancel_all(tenant, uploads)
    async with tenant.begin() as tx:
        await tx.touch_batch(tenant.batch.id, close=True)
    async with running(Tail(log=tenant.database.log, interval=0.01)) as tail:
        seen = await everything(
            watching(tenant, tail).watch(caller(tenant), tenant.batch.id, after=after)
        )
    numbers = [each.number for each in seen if isinstance(each, Recorded)]
    assert numbers == list(range(after + 1, 5))
    assert not any(isinstance(each, Snapshot) for each in seen)
    assert isinstance(seen[-1], Closed)


async def test_a_number_we_never_gave_gets_a_snapshot(tenant):
    """A viewer from another world starts over instead of waiting for ever."""
    async with running(Tail(log=tenant.database.log, interval=0.01)) as tail:
        stream = watching(tenant, tail).watch(caller(tenant), tenant.batch.id, after=99)
        assert isinstance(await anext(stream), Snapshot)
        await stream.aclose()


async def test_other_batches_are_none_of_a_viewers_business(tenant, stranger):
    """Events of other batches and organizations move the number on and are not shown."""
    [upload] = await tenant.declared()
    async with running(Tail(log=tenant.database.log, interval=0.01)) as tail:
        stream = watching(tenant, tail).watch(caller(tenant), tenant.batch.id, after=None)
        await anext(stream)
        await say(stranger, "theirs")
        async with tenant.begin() as tx:
            [ours] = happenings(tenant, "elsewhere")
            await tx.say([replace(ours, batch=BatchId(new_id()))])
        await cancel_all(tenant, [upload])
        change = await anext(stream)
        while isinstance(change, Progress):
            change = await anext(stream)
        await stream.aclose()
    assert isinstance(change, Recorded)
    assert (change.number, change.happening.state) == (2, State.CANCELLED)


async def test_stopping_ends_every_stream(tenant):
    """When the server stops, viewers' streams end by themselves."""
    async with running(Tail(log=tenant.database.log, interval=0.01)) as tail:
        stream = watching(tenant, tail).watch(caller(tenant), tenant.batch.id, after=None)
        await anext(stream)
        rest = asyncio.create_task(everything(stream))
        await say(tenant, "something")
        tail.stop()
        assert all(not isinstance(each, Closed) for each in await rest)

"""What the ledger counts as used, and whom its quotas make wait."""

import asyncio
from dataclasses import replace
from itertools import product

import psycopg
import pytest

from laydown.domain.errors import Conflict
from laydown.domain.lifecycle import Event, State
from laydown.domain.quotas import NOTHING, Quota, Usage, usage_of
from laydown.domain.reasons import Reason
from laydown.domain.upload import UploadId
from laydown.postgres.migrate import migrate
from laydown.services.identifiers import new_id
from tests.ledger_support import Tenant, digest, entry, moved, part, whole
from tests.usage_support import AS_BEFORE_QUOTAS, MISCOUNTED


async def used(tenant: Tenant) -> Usage:
    """Return what a tenant's project uses; its organization, which has no other, uses the same."""
    async with tenant.begin() as tx:
        usage = await tx.usage([tenant.project])
    assert usage[None] == usage.get(tenant.project, NOTHING)
    return usage[None]


async def changes(tenant: Tenant) -> int:
    """Return how many changes are not folded yet."""
    [(count,)] = await tenant.ask("SELECT count(*) FROM usage_changes")
    return count


async def test_one_upload_counts_alike_in_both_places(tenant):
    """Postgres's `usage_of` says of every state, of twins and others, what the domain's says."""
    leader = UploadId(new_id())
    for state, who in product(State, (None, leader)):
        if who is not None and state is not State.DECLARED:
            continue  # nobody waits in another state
        upload = tenant.upload(entry("a", size=7), state=state, leader=who)
        [row] = await tenant.ask(
            "SELECT bytes, files, uploads FROM usage_of(%s::upload_state, %s::uuid, 7)", state, who
        )
        assert Usage(bytes=row[0], files=row[1], uploads=row[2]) == usage_of(upload), state


async def test_every_move_is_counted(tenant):
    """From declaration to publication the sums are those of where the uploads are."""
    assert await used(tenant) == NOTHING
    upload = await tenant.checking("a.txt", sha256=digest("a"))
    assert await used(tenant) == Usage(bytes=10, files=1, uploads=1)
    twin = tenant.upload(entry("b.txt", sha256=digest("a")), leader=upload.id)
    await tenant.declare(twin)
    assert await used(tenant) == Usage(bytes=10, files=2, uploads=2)
    await tenant.publish(upload, digest("a"))
    assert await used(tenant) == Usage(bytes=10, files=2, uploads=1)
    async with tenant.begin() as tx:
        await tx.follow([twin.id], None)
    assert await used(tenant) == Usage(bytes=20, files=2, uploads=1)
    async with tenant.begin() as tx:
        gone = moved(twin, Event.CANCELLED, reason=Reason.CANCELLED_BY_USER, leader=None)
        await tx.move([gone])
    assert await used(tenant) == Usage(bytes=10, files=1, uploads=0)
    assert await tenant.ask(MISCOUNTED) == []


async def test_another_file_under_a_key_counts_its_own_size(tenant):
    """A replaced upload uses what the new entry says."""
    [upload] = await tenant.declared()
    async with tenant.begin() as tx:
        await tx.restart([replace(upload, entry=replace(upload.entry, size=25), attempt=2)])
    assert await used(tenant) == Usage(bytes=25, files=1, uploads=1)
    assert await tenant.ask(MISCOUNTED) == []


async def test_what_is_undone_is_not_counted(tenant):
    """A transaction that fails leaves no trace in what is used."""
    upload = tenant.upload(entry("a.txt"))
    with pytest.raises(Conflict):
        await tenant.declare(upload, upload)
    assert await used(tenant) == NOTHING
    assert await changes(tenant) == 0


async def test_arriving_costs_no_row(tenant):
    """Receiving bytes, whole files and parts, changes no sum and writes nothing about usage."""
    small = await tenant.declared(20)
    big = tenant.upload(entry("big", size=20), part_size=10, parts=2)
    await tenant.declare(big)
    before = await changes(tenant)
    async with tenant.begin() as tx:
        await tx.record([*map(whole, small), part(big, 1, size=10), part(big, 2, size=10)])
    assert await changes(tenant) == before == 2, "one row a declaration"


async def test_folding_changes_no_sum(tenant):
    """However few changes are folded at a time, what is used stays the same; all get folded."""
    for n in range(5):
        await tenant.declare(tenant.upload(entry(f"{n}.txt", size=n)))
    before = await used(tenant)
    assert before == Usage(bytes=10, files=5, uploads=5)
    folded = []
    while (count := await tenant.database.system.fold_usage(limit=2)) > 0:
        folded.append(count)
        assert await used(tenant) == before
    assert folded == [2, 2, 1]
    assert await changes(tenant) == 0
    await tenant.declare(tenant.upload(entry("more.txt", size=90)))
    await tenant.database.system.fold_usage(limit=10)
    assert await used(tenant) == before + Usage(bytes=90, files=1, uploads=1)


async def test_two_may_fold_at_once(tenant):
    """Sweepers that don't know of each other fold nothing twice, and readers see every change."""
    for n in range(40):
        await tenant.declare(tenant.upload(entry(f"{n}.txt", size=1)))
    expected = Usage(bytes=40, files=40, uploads=40)

    async def fold() -> int:
        return sum([await tenant.database.system.fold_usage(limit=3) for _ in range(20)])

    async def look() -> None:
        for _ in range(20):
            assert await used(tenant) == expected

    first, second, _ = await asyncio.gather(fold(), fold(), look())
    assert first + second == 40
    assert await tenant.ask(MISCOUNTED) == []


async def test_a_quota_reads_back_as_it_was_set(tenant):
    """Each place has one quota, the last one set; an unlimited one is none."""
    ours = Quota(project=None, bytes=2**63 - 1)
    its = Quota(project=tenant.project, bytes=0, files=3, uploads=4)
    async with tenant.begin() as tx:
        await tx.set_quota(Quota(project=None, files=1))
        await tx.set_quota(ours)
        await tx.set_quota(its)
        assert await tx.quotas([tenant.project], lock=True) == [ours, its]
        assert await tx.quotas([]) == [ours]
        await tx.set_quota(Quota(project=None))
        assert await tx.quotas([tenant.project]) == [its]


async def test_who_takes_room_waits_for_who_was_first(tenant):
    """A locked quota is neither locked nor set by another until the first has ended."""
    async with tenant.begin() as tx:
        await tx.set_quota(Quota(project=tenant.project, files=1))

    async with tenant.begin() as tx:
        await tx.quotas([tenant.project], lock=True)
        for statement in (
            "SELECT FROM quotas FOR NO KEY UPDATE NOWAIT",
            "SET LOCAL lock_timeout = '50ms'; UPDATE quotas SET most_files = 2",
        ):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await tenant.ask(statement)
        assert await tenant.ask("SELECT most_files FROM quotas") == [(1,)], "reading waits for none"


async def test_what_was_there_before_is_counted(tenant):
    """The migration that begins to count begins with what is used by then."""
    await tenant.checking("a.txt")
    await tenant.declared(3)
    for statement in AS_BEFORE_QUOTAS:
        await tenant.ask(statement)
    assert await migrate(tenant.owner) == [9]
    assert await used(tenant) == Usage(bytes=40, files=4, uploads=4)
    assert await tenant.ask(MISCOUNTED) == []

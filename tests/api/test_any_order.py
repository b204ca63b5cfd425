"""Whatever clients, workers and the sweeper do, in whatever order: what must hold, holds."""

import asyncio
import hashlib
import os
import random
from datetime import timedelta

import pytest

from laydown.domain.upload import parse_key
from laydown.ports import Arrival
from tests.api.talk import PATIENCE, SETTLED, entry, sha256
from tests.usage_support import MISCOUNTED

CONTENTS = [b"plan", b"section", b"detail", b"version https://git-lfs.github.com/spec/v1\noid x\n"]
PATHS = [f"{name}.{kind}" for name in "abcd" for kind in ("txt", "pdf")]


class Chaos:
    """Does one thing after another, chosen by a seed."""

    def __init__(self, server, talk, project, luck):
        self.server, self.talk, self.project, self.luck = server, talk, project, luck
        self.batches = {}

    async def go(self, steps):
        """Do so many things, but leave the work to the workers."""
        for _ in range(steps):
            await self.step(work=False)

    async def step(self, *, work=True):
        actions = [self.declare] * 5 + [self.send] * 8 + [self.work] * (3 if work else 0)
        actions += [self.cancel, self.cancel_batch, self.close, self.retry, self.sweep]
        actions += [self.vanish, self.notice] * 2
        await self.luck.choice(actions)()

    async def declare(self):
        """Declare some files: new ones, the same ones, or others under their keys."""
        reference = f"batch {self.luck.randrange(3)}"
        entries = [
            entry(
                self.luck.choice(PATHS),
                self.luck.choice(CONTENTS),
                key=f"k{self.luck.randrange(8)}",
                claims=self.luck.random() < 0.7,
            )
            for _ in range(self.luck.randint(1, 6))
        ]
        declared = await self.talk.declare(self.project, *entries, reference=reference)
        assert len(declared["verdicts"]) == len(entries)
        self.batches[declared["batch"]["id"]] = reference

    async def send(self):
        """Send what is asked for in some batch, now and then the wrong bytes."""
        batch = self.some_batch()
        if batch is None:
            return
        for granted in await self.talk.grants(batch, limit=self.luck.randint(1, 5)):
            if not granted["parts"]:  # it is there, and nobody said so
                await self.talk.complete(batch, granted["id"])
                continue
            length = (await self.upload(granted))["size"]
            [fitting] = [each for each in CONTENTS if len(each) == length]
            data = fitting if self.luck.random() < 0.8 else bytes(length)
            answer = await self.talk.put_whole(batch, granted, data)
            # Declared anew since it was granted, it may have another length.
            is_other = answer.status in (400, 403) and (await self.upload(granted))["attempt"] > 1
            assert answer.status == 200 or is_other or self.talk.is_late(answer), answer.body

    async def vanish(self):
        """Send one file, and don't say so."""
        batch = self.some_batch()
        for granted in await self.talk.grants(batch, limit=1) if batch else ():
            size = (await self.upload(granted))["size"]
            [fitting] = [each for each in CONTENTS if len(each) == size]
            for part in granted["parts"]:
                await self.talk.put(part, fitting)

    async def notice(self):
        """Tell of everything that the store has, as it does itself, now and again."""
        found = [parse_key(each.key) async for each in self.server.store.objects()]
        await self.server.shop.arriving.arrived([Arrival(name=name, size=None) for name in found])

    async def upload(self, granted):
        return await self.talk.get(f"/v1/uploads/{granted['id']}")

    async def work(self):
        await self.server.run_until_quiet()

    async def cancel(self):
        upload = await self.some_upload()
        if upload is not None:
            answer = await self.talk.ask("DELETE", f"/v1/uploads/{upload['id']}")
            assert answer.status == 200 or answer.code == "illegal_move"

    async def cancel_batch(self):
        await self.end("cancel")

    async def close(self):
        await self.end("close")

    async def retry(self):
        await self.end("retry")

    async def end(self, how):
        batch = self.some_batch()
        if batch is not None and self.luck.random() < 0.5:
            await self.talk.ask("POST", f"/v1/batches/{batch}/{how}", expect=200)

    async def sweep(self):
        silence = timedelta(0) if self.luck.random() < 0.2 else timedelta(hours=1)
        await self.server.sweeping(silence=silence).tidy()

    def some_batch(self):
        return self.luck.choice(sorted(self.batches)) if self.batches else None

    async def some_upload(self):
        batch = self.some_batch()
        uploads = list((await self.talk.uploads(batch)).values()) if batch else []
        return self.luck.choice(uploads) if uploads else None


async def settle(server, talk, batches):
    """Bring everything to its end: work, then give up what nobody sends."""
    for batch in batches:
        await talk.ask("POST", f"/v1/batches/{batch}/close", expect=200)
    for _ in range(3):
        await server.run_until_quiet()
        await server.sweeping().tidy()
    await server.run_until_quiet()


SEEDS = range(200 if os.environ.get("SOAK") else 3)


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_must_hold_holds(server, ours, project, seed):
    """After sixty random steps everything settles, adds up, and is where the ledger says."""
    chaos = Chaos(server, ours, project, random.Random(seed))
    for _ in range(60):
        await chaos.step()
        await no_twin_waits_in_vain(server)
    await all_holds(server, ours, chaos.batches)


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_must_hold_holds_side_by_side(server, ours, project, seed):
    """As above, with four at once beside two workers, whom nobody waits for."""
    luck = random.Random(seed)
    crowd = [Chaos(server, ours, project, random.Random(luck.random())) for _ in range(4)]
    together = asyncio.TaskGroup()
    async with asyncio.timeout(PATIENCE), server.working(), server.working(), together as tasks:
        for each in crowd:
            each.batches = crowd[0].batches
            tasks.create_task(each.go(40))
    await all_holds(server, ours, crowd[0].batches)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_quota_is_ever_exceeded(server, ours, project, seed):
    """As above, in little room: what is used stays within the quota all the time."""
    most = {"bytes": 60, "files": 6, "uploads": 4}
    await ours.ask("PUT", "/v1/quotas", most, expect=200)
    luck = random.Random(seed)
    crowd = [Chaos(server, ours, project, random.Random(luck.random())) for _ in range(4)]
    seen = []

    async def busy():
        async with asyncio.TaskGroup() as tasks:
            for each in crowd:
                each.batches = crowd[0].batches
                tasks.create_task(each.go(40))

    async with asyncio.timeout(PATIENCE), server.working(), server.working():
        work = asyncio.create_task(busy())
        while not work.done():
            seen.append(await ours.get("/v1/usage"))
        await work
    assert [usage for usage in seen if any(usage[each] > most[each] for each in most)] == []
    refused = "SELECT count(*) FROM uploads WHERE reason = 'quota_exceeded'"
    assert await server.ask(refused) != [(0,)]
    await all_holds(server, ours, crowd[0].batches)


async def all_holds(server, talk, batches):
    """Settle everything and look at it from every side."""
    await server.run_until_quiet()
    await no_twin_waits_in_vain(server)  # the sweeper would give it up
    await settle(server, talk, batches)
    for batch in batches:
        await adds_up(talk, batch)
    await no_twin_waits_in_vain(server)
    await events_tell_the_same(server)
    await documents_are_current(server)
    await bytes_are_what_they_should_be(server)
    assert await server.ask(MISCOUNTED) == []
    assert (await talk.get("/v1/operations/jobs"))["items"] == []


async def no_twin_waits_in_vain(server):
    """Who waits for a leader waits for one that may still bring the bytes."""
    assert (
        await server.ask(
            "SELECT t.key, l.key, l.state FROM uploads t JOIN uploads l ON l.id = t.leader_id "
            "WHERE l.state NOT IN ('declared', 'receiving', 'sealing', 'checking') "
            "OR l.leader_id IS NOT NULL OR l.claimed_sha256 IS DISTINCT FROM t.claimed_sha256"
        )
        == []
    )


async def adds_up(talk, batch):
    """A batch's counts are those of its uploads, all of them settled, each with its reason."""
    now, uploads = await talk.batch(batch), (await talk.uploads(batch)).values()
    assert now["state"] == "settled"
    assert {upload["state"] for upload in uploads} <= SETTLED - {"failed"}
    assert sum(now["counts"].values()) == now["declared"]["count"] == len(uploads)
    assert all(upload["reason"] for upload in uploads if upload["state"] != "ready")
    receipt = await talk.get(f"/v1/batches/{batch}/receipt")
    assert receipt["final"]
    assert [row["upload_id"] for row in receipt["rows"]] == [upload["id"] for upload in uploads]


async def events_tell_the_same(server):
    """Numbers are dense, and the last thing said of an upload is the state it is in."""
    numbers = [number for (number,) in await server.ask("SELECT number FROM events ORDER BY 1")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (
        await server.ask(
            "SELECT * FROM (SELECT DISTINCT ON (u.id) u.key, u.state AS now, e.state AS told "
            "FROM uploads u JOIN events e ON e.upload_id = u.id AND e.state IS NOT NULL "
            "ORDER BY u.id, e.number DESC) AS last WHERE now <> told"
        )
        == []
    )


async def documents_are_current(server):
    """Each document's versions are numbered without gaps, and the one declared last is current."""
    rows = await server.ask(
        "SELECT d.path, d.last_number, max(v.number), count(*), "
        "d.current_id = (array_agg(v.id ORDER BY u.ordinal DESC))[1] OR d.current_order > "
        "max(u.ordinal) FROM documents d JOIN versions v ON v.document_id = d.id "
        "JOIN uploads u ON u.id = v.upload_id GROUP BY d.id, d.path, d.last_number, d.current_id, "
        "d.current_order, d.organization_id"
    )
    for path, last, highest, count, is_current in rows:
        assert last == highest == count, path
        assert is_current, path


async def bytes_are_what_they_should_be(server):
    """Every blob's object has its digest, and the store keeps nothing else."""
    blobs = dict(await server.ask("SELECT object_key, sha256 FROM blobs WHERE NOT is_missing"))
    assert await server.wanted() == blobs.keys()
    for key, digest in blobs.items():
        content = b"".join([chunk async for chunk in server.store.read(key)])
        assert hashlib.sha256(content).digest() == digest
        assert sha256(content) == digest.hex()

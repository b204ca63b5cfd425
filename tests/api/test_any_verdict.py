"""Whatever else happens, in whatever order verdicts come: what must hold, holds."""

import asyncio
import hashlib
import random
from dataclasses import replace

import pytest

from laydown.bootstrap.scanner import Scanning
from laydown.domain.errors import ContentGone
from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import parse_key
from laydown.ports import Judgement
from tests.api.talk import PATIENCE
from tests.api.test_any_order import SEEDS, Chaos, all_holds

MALWARE = b"detail"


class Judging(Chaos):
    """Also says now and then what a scanner beside the store found."""

    async def step(self, *, work=True):
        if self.luck.random() < 0.2:
            await self.judge()
        else:
            await super().step(work=work)

    async def judge(self, *, everything=False):
        """Tell of objects that are there, of some of them twice in the end."""
        told = []
        async for each in self.server.store.objects():
            if everything or self.luck.random() < 0.5:
                try:
                    data = b"".join([chunk async for chunk in self.server.store.read(each.key)])
                except ContentGone:
                    continue
                verdict = Verdict.INFECTED if data == MALWARE else Verdict.CLEAN
                scan = Scan(scanner="guardduty", verdict=verdict)
                told.append(Judgement(name=parse_key(each.key), scan=scan))
        await self.server.shop.arriving.judged(told)


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_must_hold_holds_while_verdicts_come(server, ours, project, seed):
    """Four at once beside two workers and a scanner: all settles, and no malware is published."""
    waiting = Scanning(scanner=None, awaits_verdicts=True)
    server = replace(server, shop=replace(server.shop, scanning=waiting))
    luck = random.Random(seed)
    crowd = [Judging(server, ours, project, random.Random(luck.random())) for _ in range(4)]
    together = asyncio.TaskGroup()
    async with asyncio.timeout(PATIENCE), server.working(), server.working(), together as tasks:
        for each in crowd:
            each.batches = crowd[0].batches
            tasks.create_task(each.go(40))
    for _ in range(2):  # what was sent and not said is found in the second
        await server.run_until_quiet()
        await crowd[0].judge(everything=True)
        await server.run_until_quiet()
        await server.sweeping().tidy()
    await all_holds(server, ours, crowd[0].batches)
    assert await server.ask("SELECT object_key FROM proofs") == []
    digest = hashlib.sha256(MALWARE).digest()
    assert await server.ask("SELECT id FROM blobs WHERE sha256 = %s", digest) == []

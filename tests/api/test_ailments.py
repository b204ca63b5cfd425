"""`laydown doctor` explains a sick system: what is wrong, since when, and what to do."""

import asyncio
import json
import sys
from typing import Any

import pytest

from tests.api.installation import Installation
from tests.api.talk import Talk, entry
from tests.e2e.yard import environment

pytestmark = pytest.mark.embedded  # it is the ledger that is asked

TEXTS = {f"{n}.txt": b"text %d" % n for n in range(5)}


async def examined(server: Installation, talk: Talk) -> dict[str, Any]:
    """Return what doctor finds, as JSON, without what it says of this machine."""
    command = (sys.executable, "-m", "laydown", "doctor", "--json")
    doctor = await asyncio.create_subprocess_exec(
        *(*command, "--url", server.url, "--token", talk.token),
        env=environment({"DATA": str(server.settings.data)}),
        stdout=asyncio.subprocess.PIPE,
    )
    said = json.loads((await doctor.communicate())[0])
    assert (doctor.returncode == 0) == said["ok"]
    return said


async def ills(server: Installation, talk: Talk) -> list[str]:
    """Return the sentences about what is wrong; each has a remedy."""
    wrong = [each for each in (await examined(server, talk))["findings"] if not each["ok"]]
    assert all(each["remedy"] for each in wrong)
    return [each["sentence"] for each in wrong]


async def test_a_system_at_rest_is_well(server, ours):
    """Nothing waits, and nobody needs to have looked yet."""
    said = await examined(server, ours)
    assert said["ok"]
    assert "queue: 0 jobs waiting and 0 running" in [each["sentence"] for each in said["findings"]]


async def test_without_a_worker_it_says_since_when(server, ours, project):
    """Jobs that wait and nobody who looks at them: that no worker is alive, and since when."""
    await ours.lay(project, TEXTS)
    [never] = await ills(server, ours)
    assert never.startswith("no worker is alive: none has looked at the queue yet, with 5 jobs")

    await server.database.sampler.take()
    assert await ills(server, ours) == []
    await server.ask("UPDATE samples SET minute = minute - interval '10 minutes'")
    [[minute]] = await server.ask("SELECT to_char(minute, 'YYYY-MM-DD HH24:MI') FROM samples")
    [since] = await ills(server, ours)
    assert f"since {minute} UTC" in since


async def test_a_queue_that_moves_too_slowly_is_told_from_a_dead_one(server, ours, project):
    """A worker looks, and still the oldest job has been due for long."""
    await ours.lay(project, TEXTS)
    await server.database.sampler.take()
    await server.ask("UPDATE jobs SET run_at = run_at - interval '20 minutes'")
    [slow] = await ills(server, ours)
    assert slow.startswith("the queue moves too slowly: 5 jobs waiting and 0 running")
    assert "20 min" in slow


async def test_dead_jobs_are_told_by_kind_with_the_commonest_error(server, ours, project):
    """How many of each kind, from when on, and mostly because of what."""
    await ours.lay(project, TEXTS)
    await server.database.sampler.take()
    await server.ask(
        "UPDATE jobs SET dead_at = now(), last_error = CASE WHEN id = (SELECT id FROM jobs "
        "ORDER BY id LIMIT 1) THEN 'Odd: once' ELSE 'StoreUnavailable: the disk hangs' END"
    )
    [dead] = await ills(server, ours)
    assert dead.startswith("5 prove jobs are dead, the oldest from 20")
    assert dead.endswith("4 of them because of StoreUnavailable: the disk hangs")


async def test_files_that_rest_are_told_with_their_error(server, ours, project):
    """How many, since when, and what their jobs say."""
    await ours.lay(project, TEXTS)
    await server.database.sampler.take()
    await server.ask("UPDATE uploads SET moved_at = moved_at - interval '1 hour'")
    await server.ask("UPDATE jobs SET last_error = 'ScannerUnavailable: nobody answers'")
    [rest] = await ills(server, ours)
    assert rest.startswith("5 files with us did not move for 10 min 0 s or more, the first since")
    assert rest.endswith("; mostly ScannerUnavailable: nobody answers")


async def test_a_quota_is_told_before_it_is_used_up(server, ours, project):
    """From nine tenths on, and differently at its end."""
    await ours.lay(project, TEXTS)
    await server.run_until_quiet()
    await server.database.sampler.take()
    for files, sentences in (
        (6, []),
        (5, ["the quota of files is used up: 5 of 5"]),
        (None, []),
    ):
        await ours.ask("PUT", "/v1/quotas", {"files": files}, expect=200)
        assert await ills(server, ours) == sentences


@pytest.mark.knobs(event_streams=1)
async def test_streams_at_their_limit_are_told(server, ours, project):
    """A page that was refused its stream leaves a trace."""
    batch = (await ours.declare(project, entry("a.txt", b"a")))["batch"]["id"]
    async with ours.watch(batch) as watched:
        await anext(watched)
        assert (await ours.ask("GET", f"/v1/batches/{batch}/events")).code == "overloaded"
        [refused] = await ills(server, ours)
    assert refused.startswith("1 event stream was refused since the API started")

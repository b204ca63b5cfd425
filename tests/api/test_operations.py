"""What operators see: how uploads fare now and over time, and which move no more."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.sabotage import withheld
from tests.api.talk import PATIENCE, entry

pytestmark = pytest.mark.embedded  # it is the ledger that is asked

TEXTS = {f"{n}.txt": b"text %d" % n for n in range(5)}
DAY = 86_400


async def overview(talk, window=3_600):
    return await talk.get(f"/v1/operations/overview?window={window}")


async def history(talk, hours=1):
    return await talk.get(f"/v1/operations/history?hours={hours}")


async def checks(talk):
    return {check["name"]: check for check in (await overview(talk))["health"]}


async def test_an_organization_without_files_has_an_overview(ours):
    """Nothing waits, settled, failed or is stuck; every state is counted, with nothing in it."""
    seen = await overview(ours)
    assert seen["queue"] == {"waiting": 0, "running": 0, "dead": 0, "oldest_waiting_seconds": None}
    assert (seen["throughput"]["files"], seen["throughput"]["bytes"]) == (0, 0)
    assert set(seen["settled"].values()) == {0}
    assert (seen["stages"], seen["failures"]) == ([], [])
    assert seen["stuck"] == {"silent": 0, "stuck": 0}
    assert (await history(ours))["points"] == []


async def test_what_waits_is_counted(server, ours, project):
    """Until a worker comes, each file that arrived is a job that waits; the oldest has an age."""
    await ours.lay(project, TEXTS)
    queue = (await overview(ours))["queue"]
    assert queue["waiting"] == len(TEXTS)
    assert queue["oldest_waiting_seconds"] > 0
    await server.run_until_quiet()
    assert (await overview(ours))["queue"]["waiting"] == 0


@pytest.mark.parametrize("looks", ["never", "after", "between"])
async def test_what_settles_is_counted_once(server, ours, project, looks):
    """Files and bytes are counted once each, whenever somebody sampled, and however often."""
    await ours.lay(project, TEXTS)
    if looks == "between":
        await server.database.sampler.take()
    await server.run_until_quiet()
    if looks != "never":
        await server.database.sampler.take()
        await server.database.sampler.take()
    seen = await overview(ours)
    size = sum(map(len, TEXTS.values()))
    assert (seen["throughput"]["files"], seen["throughput"]["bytes"]) == (len(TEXTS), size)
    seconds = len(TEXTS) / seen["throughput"]["files_per_second"]
    assert 3_600 <= seconds < 3_660
    assert seen["settled"]["ready"] == len(TEXTS)
    assert sum(seen["settled"].values()) == len(TEXTS)


async def test_files_settled_as_they_are_declared_count_too(server, ours, project):
    """Junk, refusals and duplicates that nobody sends are outcomes, each under its reason."""
    await ours.lay(project, TEXTS)
    await server.run_until_quiet()
    await server.database.sampler.take()
    again = entry("copy.txt", TEXTS["0.txt"])
    refused = entry("tool.exe", b"MZ")
    await ours.declare(project, again, refused, entry("Thumbs.db", b"x"), reference="second")
    for _ in range(2):
        seen = await overview(ours)
        assert seen["settled"]["ready"] == len(TEXTS)
        assert seen["settled"]["duplicate"] == 1
        assert seen["settled"]["skipped"] == 1
        assert seen["failures"] == [
            {"state": "rejected", "reason": "type_not_allowed", "files": 1, "bytes": 2}
        ]
        await server.database.sampler.take()


async def test_failures_are_counted_by_reason(server, ours, project):
    """Files that are refused for what is in them are counted under why."""
    pdfs = {f"{n}.pdf": b"no pdf %d" % n for n in range(3)}
    batch, _ = await ours.lay(project, pdfs | TEXTS)
    await server.run_until_quiet()
    reasons = {upload["reason"] for upload in (await ours.uploads(batch)).values()} - {None}
    [failure] = (await overview(ours))["failures"]
    assert (failure["files"], {failure["reason"]}) == (3, reasons)


async def test_stages_are_timed(server, ours, project):
    """Each state that files left is a stage with its median and its slowest; `total` has all."""
    await ours.lay(project, TEXTS)
    await server.run_until_quiet()
    stages = {stage["stage"]: stage for stage in (await overview(ours))["stages"]}
    assert set(stages) == {"declared", *server.way, "total"}
    for stage in stages.values():
        assert stage["files"] == len(TEXTS)
        assert 0 <= stage["p50_seconds"] <= stage["p95_seconds"]
    assert stages["checking"]["p50_seconds"] <= stages["total"]["p50_seconds"]


async def test_what_is_older_than_the_window_is_left_out(server, ours, project):
    """A window begins with a whole minute, and what settled before isn't in it."""
    await ours.lay(project, TEXTS)
    await server.run_until_quiet()
    await server.ask("UPDATE events SET at = at - interval '2 hours'")
    await server.database.sampler.take()
    seen = await overview(ours)
    assert datetime.fromisoformat(seen["since"]).second == 0
    assert seen["throughput"]["files"] == 0
    assert seen["stages"] == []
    assert (await overview(ours, window=DAY))["throughput"]["files"] == len(TEXTS)


@pytest.mark.parametrize("window", [59, 30 * DAY + 1, "x"])
async def test_a_window_has_bounds(ours, window):
    """A window shorter than a minute or longer than 30 days is a fault of the request."""
    answer = await ours.ask("GET", f"/v1/operations/overview?window={window}")
    assert answer.code == "invalid_request"


async def test_history_has_the_most_that_waited(server, ours, project):
    """A step shows the longest queue of all looks in it, and what settled."""
    await ours.lay(project, TEXTS)
    await server.database.sampler.take()
    await server.run_until_quiet()
    await server.database.sampler.take()
    seen = await history(ours, hours=720)
    assert seen["step_seconds"] == 14_400
    points = seen["points"]
    assert max(point["waiting"] for point in points) == len(TEXTS)
    assert max(point["oldest_waiting_seconds"] for point in points) > 0
    assert sum(point["files"] for point in points) == len(TEXTS)
    assert sum(point["bytes"] for point in points) == sum(map(len, TEXTS.values()))
    assert {(point["running"], point["dead"], point["failures"]) for point in points} == {(0, 0, 0)}


async def test_history_says_how_long_files_took(server, ours, project):
    """A step has the median, and what 95 of 100 don't exceed, of the files that got in."""
    await server.database.sampler.take()
    await server.ask("UPDATE samples SET minute = minute - interval '12 hours'")
    for seconds, age in ((600, "6 hours"), (60, "0")):
        texts = {f"{seconds}-{n}.txt": b"%d-%d" % (seconds, n) for n in range(3)}
        await ours.lay(project, texts)
        await server.run_until_quiet()
        await server.ask(
            f"UPDATE uploads SET declared_at = declared_at - interval '{seconds} s' "
            f"WHERE path LIKE '{seconds}-%%'"
        )
        await server.database.sampler.take()
        await server.ask(
            f"UPDATE samples SET minute = minute - interval '{age}' "
            "WHERE minute > now() - interval '1 hour'"
        )
    nothing, slow, fast = (await history(ours, hours=24))["points"]
    assert (nothing["ready_p50_seconds"], nothing["ready_p95_seconds"]) == (None, None)
    assert 600 <= slow["ready_p50_seconds"] <= slow["ready_p95_seconds"] < 660
    assert 60 <= fast["ready_p50_seconds"] <= fast["ready_p95_seconds"] < 120


async def test_history_is_in_whole_steps(server, ours, project):
    """Steps begin at multiples of their length; one in which nobody looked is missing."""
    await ours.lay(project, TEXTS)
    for age in ("3 hours", "20 hours"):
        await server.database.sampler.take()
        await server.ask(f"UPDATE samples SET minute = minute - interval '{age}'")
    seen = await history(ours, hours=24)
    step, since = seen["step_seconds"], datetime.fromisoformat(seen["since"])
    begun = [datetime.fromisoformat(point["at"]) for point in seen["points"]]
    assert len(begun) == 2
    for moment in (since, *begun):
        assert moment.timestamp() % step == 0
    assert datetime.now(UTC) - since < timedelta(hours=24, seconds=step)


async def test_a_silent_client_is_told_of(server, ours, project):
    """A file that was declared and never sent is silent after an hour without a word."""
    declared = await ours.declare(project, entry("plan.txt", b"plan"))
    assert (await ours.get("/v1/operations/stuck"))["items"] == []
    await server.ask("UPDATE uploads SET moved_at = moved_at - interval '61 minutes'")
    assert (await ours.get("/v1/operations/stuck"))["items"] == []
    await server.ask("UPDATE batches SET touched_at = touched_at - interval '61 minutes'")
    page = await ours.get("/v1/operations/stuck")
    [row] = page["items"]
    assert (row["plight"], row["state"], row["path"]) == ("silent", "declared", "plan.txt")
    assert row["batch_id"] == declared["batch"]["id"]
    assert page["counts"] == {"silent": 1, "stuck": 0} == (await overview(ours))["stuck"]
    assert page["silent_after_seconds"] == 3_600


async def test_a_file_that_no_worker_gets_further_with_is_stuck(server, ours, project):
    """A file all of which is here is stuck after ten minutes, with what its job said last."""
    _, uploads = await ours.lay(project, TEXTS)
    async with withheld(server.store, await server.key(uploads["3.txt"])):
        await server.run_until_quiet()
    await server.ask("UPDATE uploads SET moved_at = moved_at - interval '11 minutes'")
    page = await ours.get("/v1/operations/stuck")
    [row] = page["items"]
    assert (row["upload_id"], row["plight"]) == (uploads["3.txt"], "stuck")
    assert row["state"] == server.arrived
    assert row["last_error"].startswith("StoreUnavailable")
    assert page["counts"] == {"silent": 0, "stuck": 1} == (await overview(ours))["stuck"]


async def test_stuck_files_come_in_pages(server, ours, project):
    """Every one of them comes once, however small the pages are."""
    await ours.lay(project, TEXTS)
    await server.ask("UPDATE uploads SET moved_at = moved_at - interval '1 day'")
    seen, cursor = [], ""
    while True:
        page = await ours.get(f"/v1/operations/stuck?limit=2{cursor}")
        seen += [row["path"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(TEXTS)
    assert page["counts"]["stuck"] == len(TEXTS)


async def test_health_says_whether_workers_look(server, ours, project):
    """Without a look of a worker, and when jobs wait for long, health says so and what to do."""
    await ours.lay(project, TEXTS)
    before = await checks(ours)
    assert before["database"]["ok"]
    assert before["store"]["ok"]
    assert not before["worker"]["ok"]
    assert before["worker"]["remedy"]
    await server.database.sampler.take()
    assert (await checks(ours))["worker"]["ok"]
    assert (await checks(ours))["queue"]["ok"]
    await server.ask("UPDATE jobs SET run_at = run_at - interval '11 minutes'")
    late = (await checks(ours))["queue"]
    assert (late["ok"], late["detail"]) == (False, "the oldest job has waited for 11 minutes")


async def test_nothing_of_another_organization_is_counted(server, ours, theirs, project):
    """Their overview, history and list are empty while ours are full."""
    await ours.lay(project, TEXTS)
    await server.database.sampler.take()
    await server.ask("UPDATE uploads SET moved_at = moved_at - interval '1 day'")
    seen = await overview(theirs)
    assert (seen["queue"]["waiting"], seen["stuck"]["stuck"]) == (0, 0)
    assert (await theirs.get("/v1/operations/stuck"))["items"] == []
    assert all(point["waiting"] == 0 for point in (await history(theirs))["points"])


async def test_whoever_keeps_house_samples(server, ours, project):
    """The worker that holds the sweeper's office looks at the queue as soon as it has it."""
    await ours.lay(project, TEXTS)
    over = asyncio.Event()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(server.shop.keep_house(over))
        while not (await history(ours))["points"]:  # noqa: ASYNC110 - the ledger sets no event
            await asyncio.sleep(0.02)
        over.set()
    assert (await history(ours))["points"][-1]["waiting"] == len(TEXTS)


async def test_samples_are_forgotten(server, ours, project):
    """What is older than 30 days is deleted by the sweeper, and what is younger stays."""
    await ours.lay(project, TEXTS)
    await server.run_until_quiet()
    await server.database.sampler.take()
    for table in ("samples", "outcomes"):
        await server.ask(f"UPDATE {table} SET minute = minute - interval '29 days'")
    await server.sweeping().tidy()
    kept = (await history(ours, hours=720))["points"]
    assert sum(point["files"] for point in kept) == len(TEXTS)
    for table in ("samples", "outcomes"):
        await server.ask(f"UPDATE {table} SET minute = minute - interval '2 days'")
    await server.sweeping().tidy()
    assert await server.ask("SELECT minute FROM samples UNION SELECT minute FROM outcomes") == []

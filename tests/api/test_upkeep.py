"""Jobs that fail, files that fall silent, and bytes nobody refers to."""

from datetime import timedelta
from uuid import uuid4

import pytest

from laydown.domain.jobs import MOST_ATTEMPTS
from laydown.services import sweeping
from tests.api.sabotage import is_there, lose, place, withheld
from tests.api.talk import entry

MIB = 1 << 20
BIG = bytes(9 * MIB)
NOW, LATER = timedelta(0), timedelta(hours=1)


async def fate(talk, batch, key="a.txt"):
    upload = (await talk.uploads(batch))[key]
    return upload["state"], upload["reason"]


async def given_up(server, talk, project):
    """Have a file's job die because its object can't be read; return the batch."""
    batch, uploads = await talk.lay(project, {"a.txt": b"a"})
    async with withheld(server.store, await server.key(uploads["a.txt"])):
        await try_until_dead(server)
    return batch


async def try_until_dead(server):
    """Work off the jobs at once, however long they were to wait, until none is alive."""
    for _ in range(MOST_ATTEMPTS):
        await server.run_until_quiet()
        await server.ask("UPDATE jobs SET run_at = now() WHERE dead_at IS NULL")


async def test_a_job_that_keeps_failing_is_given_up(server, ours, project):
    """After its last attempt it is dead and listed with its error; the upload has failed."""
    batch = await given_up(server, ours, project)
    assert await fate(ours, batch) == ("failed", "processing_gave_up")
    listing = await ours.get("/v1/operations/jobs?state=dead")
    [job] = listing["items"]
    assert (job["kind"], job["state"], job["attempt"]) == ("prove", "dead", MOST_ATTEMPTS)
    assert job["last_error"]
    assert listing["counts"] == {"waiting": 0, "running": 0, "dead": 1}
    assert (await ours.batch(batch))["state"] == "settled"


async def test_a_dead_job_is_replayed(server, ours, project):
    """Replaying checks the upload again; nothing dead is left."""
    batch = await given_up(server, ours, project)
    [job] = (await ours.get("/v1/operations/jobs?state=dead"))["items"]
    await ours.ask("POST", f"/v1/operations/jobs/{job['id']}/replay", expect=204)
    await server.run_until_quiet()
    assert await fate(ours, batch) == ("ready", None)
    assert (await ours.get("/v1/operations/jobs"))["items"] == []
    again = await ours.ask("POST", f"/v1/operations/jobs/{job['id']}/replay")
    assert again.code == "not_found"


async def test_a_dead_job_is_discarded(server, ours, project):
    """Discarding clears the list and leaves the upload failed, to be retried by its batch."""
    batch = await given_up(server, ours, project)
    [job] = (await ours.get("/v1/operations/jobs?state=dead"))["items"]
    await ours.ask("DELETE", f"/v1/operations/jobs/{job['id']}", expect=204)
    assert (await ours.get("/v1/operations/jobs"))["items"] == []
    assert await fate(ours, batch) == ("failed", "processing_gave_up")


async def test_retrying_a_batch_checks_what_failed(server, ours, project):
    """The bytes are still here: they are checked again without being sent again."""
    batch = await given_up(server, ours, project)
    answer = await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    assert answer.json == {"uploads": 1}
    await server.run_until_quiet()
    assert await fate(ours, batch) == ("ready", None)
    assert (await ours.get("/v1/operations/jobs"))["items"] == []


@pytest.mark.knobs(single_up_to=MIB)
async def test_a_file_that_could_not_be_joined_is_joined_when_retried(server, ours, project):
    """Failed while its parts were being joined, a retry joins and checks it; nothing is sent."""
    declared = await ours.declare(project, entry("a.bin", BIG))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await ours.send(batch, upload, BIG)
    async with withheld(server.store, await server.key(upload)):
        await try_until_dead(server)
    assert await fate(ours, batch, "a.bin") == ("failed", "processing_gave_up")
    await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    await server.run_until_quiet()
    assert await fate(ours, batch, "a.bin") == ("ready", None)
    version = (await ours.uploads(batch))["a.bin"]["version_id"]
    content = await ours.content(version)
    assert (content.status, content.body) == (200, BIG)


async def test_one_bad_file_fails_alone(server, ours, project):
    """A file that can't be read doesn't hold up those proven with it, and its job says why."""
    files = {f"{n}.txt": b"%d" % n for n in range(5)}
    batch, uploads = await ours.lay(project, files)
    async with withheld(server.store, await server.key(uploads["2.txt"])):
        await server.run_until_quiet()
    states = {key: upload["state"] for key, upload in (await ours.uploads(batch)).items()}
    assert states == {key: server.arrived if key == "2.txt" else "ready" for key in files}
    [job] = (await ours.get("/v1/operations/jobs"))["items"]
    assert (job["upload_id"], job["attempt"]) == (uploads["2.txt"], 1)
    assert job["last_error"].startswith("StoreUnavailable: the ")


async def test_a_job_whose_worker_keeps_dying_is_given_up(server, ours, project):
    """A file that kills its worker every time is failed in the end, not tried for ever."""
    batch, _ = await ours.lay(project, {"a.txt": b"a", "b.txt": b"b"})
    for _ in range(MOST_ATTEMPTS):
        await server.database.feed.claim(worker=uuid4(), limit=1, lease=timedelta(seconds=-1))
        await server.ask(
            "UPDATE jobs SET run_at = now() + interval '1 hour' WHERE leased_until IS NULL"
        )
    await server.ask("UPDATE jobs SET run_at = now()")
    await server.run_until_quiet()
    fates = sorted(upload["state"] for upload in (await ours.uploads(batch)).values())
    assert fates == ["failed", "ready"]


async def test_jobs_are_listed_in_pages(ours, project):
    """Pages of jobs have each job once, and the wait of the oldest is told."""
    await ours.lay(project, {f"{n}.txt": b"%d" % n for n in range(7)})
    found, cursor = [], ""
    while True:
        page = await ours.get(f"/v1/operations/jobs?limit=3{cursor}")
        found += [job["id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(found) == len(set(found)) == 7
    assert page["counts"]["waiting"] == 7
    assert page["oldest_waiting_seconds"] >= 0


async def test_a_silent_upload_expires(server, ours, project):
    """After the silence it is expired with a reason; retried, it takes bytes as a new attempt."""
    declared = await ours.declare(project, entry("a.txt", b"a"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    assert (await server.sweeping(silence=LATER).tidy()).expired == 0
    assert (await server.sweeping().tidy()).expired == 1
    assert await fate(ours, batch) == ("expired", "expired")
    assert (await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)).json["uploads"] == 1
    await ours.send(batch, upload, b"a")
    await server.run_until_quiet()
    assert await fate(ours, batch) == ("ready", None)
    assert (await ours.uploads(batch))["a.txt"]["attempt"] == 2


async def test_a_large_batch_that_was_abandoned_expires_at_once(server, ours, project):
    """One round of the sweeper gives up all 2,500 files that nobody sends."""
    entries = [{"key": str(n), "path": f"{n}.txt", "size": 1} for n in range(2_500)]
    batch = (await ours.declare(project, *entries))["batch"]["id"]
    report = await server.sweeping().tidy()
    assert (report.expired, report.closed) == (2_500, 1)
    assert (await ours.batch(batch))["counts"] == {"expired": 2_500}


@pytest.mark.knobs(single_up_to=MIB)
async def test_what_arrived_of_an_expired_upload_is_deleted(server, ours, project):
    """The parts of a file that never became whole leave the disk."""
    declared = await ours.declare(project, entry("a.bin", BIG))
    batch = declared["batch"]["id"]
    [granted] = await ours.grants(batch)
    second = granted["parts"][1]
    assert (await ours.put(second, BIG[8 * MIB :])).status == 200
    assert [each async for each in server.store.objects()]
    await server.sweeping().tidy()
    await server.run_until_quiet()
    assert await fate(ours, batch, "a.bin") == ("expired", "expired")
    assert [each async for each in server.store.objects()] == []


@pytest.mark.knobs(single_up_to=MIB)
async def test_a_file_that_lacks_only_its_completion_is_completed(server, ours, project):
    """When every part has landed and the client vanished, the sweeper finishes for it."""
    declared = await ours.declare(project, entry("a.bin", BIG))
    batch = declared["batch"]["id"]
    [granted] = await ours.grants(batch)
    for part, data in zip(granted["parts"], (BIG[: 8 * MIB], BIG[8 * MIB :]), strict=True):
        assert (await ours.put(part, data)).status == 200
    assert (await server.sweeping().tidy()).expired == 0
    await server.run_until_quiet()
    assert await fate(ours, batch, "a.bin") == ("ready", None)


async def test_a_twin_lives_as_long_as_its_leader(server, ours, project):
    """While the leader's bytes are checked its twins don't expire."""
    declared = await ours.declare(project, entry("a.txt", b"x"), entry("b.txt", b"x"))
    batch = declared["batch"]["id"]
    await ours.send(batch, declared["verdicts"][0]["upload_id"], b"x")
    assert (await server.sweeping().tidy()).expired == 0
    await server.run_until_quiet()
    assert await fate(ours, batch, "b.txt") == ("duplicate", "duplicate_in_batch")


async def test_an_idle_batch_is_closed(server, ours, project):
    """A batch in which nothing is awaited closes by itself; one that is busy doesn't."""
    idle, _ = await ours.lay(project, {"a.txt": b"a"}, reference="idle")
    await server.run_until_quiet()
    done = await ours.declare(project, entry("a.txt", b"a"), reference="done")
    busy = await ours.declare(project, entry("b.txt", b"b"), reference="busy")
    report = await server.sweeping(silence=LATER).tidy()
    assert (report.closed, report.expired) == (0, 0)
    await server.ask("UPDATE batches SET touched_at = now() - interval '2 hours'")
    assert (await server.sweeping(silence=LATER).tidy()).closed == 1
    assert (await ours.batch(idle))["state"] == "settled"
    assert (await ours.batch(done["batch"]["id"]))["state"] == "settled"
    assert (await ours.batch(busy["batch"]["id"]))["state"] == "open"


async def test_bytes_nobody_refers_to_are_deleted_when_they_are_old(
    server, ours, project, monkeypatch
):
    """A young orphan stays, an old one goes; whatever a document holds stays, however old."""
    batch, uploads = await ours.lay(project, {"a.txt": b"a"})
    await server.run_until_quiet()
    organization = (await server.key(uploads["a.txt"])).split("/")[1]
    orphan = f"u/{organization}/{uuid4()}/1"
    await place(server.store, orphan, b"orphan")
    report = await server.sweeping().reconcile()
    assert (report.discarded, report.missing) == (0, 0)
    assert await is_there(server.store, orphan)

    monkeypatch.setattr(sweeping, "KEEP_UNWANTED", timedelta(hours=-1))  # all of it is old now
    report = await server.sweeping().reconcile()
    assert (report.discarded, report.missing) == (1, 0)
    assert not await is_there(server.store, orphan)
    version = (await ours.uploads(batch))["a.txt"]["version_id"]
    assert (await ours.content(version)).body == b"a"


async def test_lost_bytes_leave_deduplication(server, ours, project):
    """When an object is gone its content answers 410, and the same bytes are wanted again."""
    batch, uploads = await ours.lay(project, {"a.txt": b"a"})
    await server.run_until_quiet()
    await lose(server.store, await server.key(uploads["a.txt"]))
    assert (await server.sweeping().reconcile()).missing == 1
    version = (await ours.uploads(batch))["a.txt"]["version_id"]
    assert (await ours.content(version)).code == "content_gone"
    again, _ = await ours.lay(project, {"a.txt": b"a", "b.txt": b"a"}, reference="again")
    await server.run_until_quiet()
    assert await fate(ours, again) == ("ready", None)
    assert await fate(ours, again, "b.txt") == ("duplicate", "duplicate_in_batch")
    document = await ours.document(project, "a.txt")
    assert (await ours.content(document["current"]["id"])).body == b"a"
    assert (await server.sweeping().reconcile()).missing == 0


async def test_bytes_sent_again_replace_a_loss_nobody_has_seen(server, ours, project):
    """What is proven to be kept already isn't discarded when the store has lost what was kept."""
    _, uploads = await ours.lay(project, {"a.txt": b"a"})
    await server.run_until_quiet()
    await lose(server.store, await server.key(uploads["a.txt"]))
    again, _ = await ours.lay(project, {"b.txt": b"a"}, reference="again", claims=False)
    await server.run_until_quiet()
    assert await fate(ours, again, "b.txt") == ("ready", None)
    version = (await ours.uploads(again))["b.txt"]["version_id"]
    assert (await ours.content(version)).body == b"a"
    assert (await server.sweeping().reconcile()).missing == 0


@pytest.mark.parametrize("rule", ["skip", "reject"])
async def test_lost_content_comes_back_whatever_a_batch_does_on_conflict(
    server, ours, project, rule
):
    """The bytes that were lost become the document's again, and other bytes never do."""
    _, uploads = await ours.lay(project, {"a.txt": b"a"})
    await server.run_until_quiet()
    await lose(server.store, await server.key(uploads["a.txt"]))
    assert (await server.sweeping().reconcile()).missing == 1
    other, _ = await ours.lay(project, {"a.txt": b"b"}, reference="other", on_conflict=rule)
    await server.run_until_quiet()
    assert (await fate(ours, other))[1] == "name_conflict"
    again, _ = await ours.lay(project, {"a.txt": b"a"}, reference="again", on_conflict=rule)
    await server.run_until_quiet()
    assert await fate(ours, again) == ("ready", None)
    document = await ours.document(project, "a.txt")
    assert (await ours.content(document["current"]["id"])).body == b"a"

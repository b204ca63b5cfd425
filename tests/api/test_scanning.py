"""Malware never becomes readable; a scanner that is away is waited for; late is not never."""

import asyncio
import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from laydown.client.aio import AsyncClient
from laydown.settings import Settings
from tests.api.installation import PATIENCE, Installation
from tests.api.talk import Json, Talk, entry
from tests.engines.clamd import VERDICT, Clamd, eicar, learn, running_clamd, zipped
from tests.engines.process import EngineMissingError

MIB = 1 << 20
PLAN = b"a harmless plan\n"
LATER = b"known to nobody yet: " + bytes(range(65, 91))
HOUR = timedelta(hours=1)
_COME_BACK = "UPDATE jobs SET run_at = now() WHERE leased_until IS NULL AND run_at > now()"


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    """Run a clamd of the test's own, which takes no more than a mebibyte."""
    try:
        with running_clamd(stream_max=MIB) as engine:
            yield engine
    except EngineMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def settings(settings: Settings, clamd: Clamd) -> Settings:
    """Have files scanned by it."""
    return replace(settings, scanner=clamd.address)


async def until(server: Installation, *statements: str) -> None:
    """Run statements as the database's owner until the last of them returns a row."""
    async with asyncio.timeout(PATIENCE):
        while not [await server.ask(each) for each in statements][-1]:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)


async def receipt(talk: Talk, batch: str) -> tuple[Json, dict[str, Json]]:
    """Return a receipt and its rows by path; the CSV says the same of who scanned what."""
    told = await talk.get(f"/v1/batches/{batch}/receipt")
    rows = {row["path"]: row for row in told["rows"]}
    text = (await talk.ask("GET", f"/v1/batches/{batch}/receipt.csv", expect=200)).body
    table = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    assert {line["path"]: line["scanned_by"] for line in table} == {
        path: row["scanned_by"] or "" for path, row in rows.items()
    }
    return told, rows


async def stored(server: Installation) -> set[str]:
    """Return the keys of all bytes that the store has, unreadable ones too."""
    return {each.key async for each in server.store.objects()}


@pytest.mark.parametrize("depth", [0, 1, 2], ids=["bare", "zipped", "zipped twice"])
async def test_malware_is_refused(
    server: Installation, ours: Talk, project: str, depth: int
) -> None:
    """f41: it is rejected by its name, makes no version, and none of its bytes are left."""
    path = "notes.txt" if depth == 0 else "notes.zip"
    content = zipped(eicar(), depth=depth)
    batch, uploads = await ours.lay(project, {path: content, "plan.txt": PLAN})
    await server.run_until_quiet()
    now = await ours.uploads(batch)
    assert (now[path]["state"], now[path]["reason"]) == ("rejected", "infected")
    assert now[path]["detail"] == VERDICT
    assert now[path]["version_id"] is None
    assert [each["path"] for each in await ours.documents(project)] == ["plan.txt"]
    told, rows = await receipt(ours, batch)
    assert told["scanner"] == "clamav"
    assert (rows["plan.txt"]["scanned_by"], rows[path]["scanned_by"]) == ("clamav", None)
    assert "malware" in rows[path]["message"].lower()
    assert uploads[path] not in "".join(await stored(server))
    story = await ours.get(f"/v1/uploads/{uploads[path]}/timeline")
    assert story["items"][-1]["reason"] == "infected"


async def test_the_same_malware_is_refused_again(
    server: Installation, ours: Talk, project: str
) -> None:
    """Under another name, with and without its digest, it is no duplicate of anything."""
    for number, claims in enumerate((True, True, False)):
        path = f"{number}.txt"
        batch, _ = await ours.lay(
            project, {path: eicar()}, reference=f"delivery {number}", claims=claims
        )
        await server.run_until_quiet()
        assert await ours.state(batch, path) == ("rejected", "infected")
    assert await ours.documents(project) == []


async def test_twins_of_malware_are_refused_with_it(
    server: Installation, ours: Talk, project: str
) -> None:
    """Files of the same bytes that waited for it are not asked for; they meet its end."""
    declared = await ours.declare(project, *[entry(f"{n}.txt", eicar()) for n in range(3)])
    batch, [leader, *twins] = declared["batch"]["id"], declared["verdicts"]
    assert {each["verdict"] for each in twins} == {"wait"}
    await ours.send(batch, leader["upload_id"], eicar())
    await server.run_until_quiet()
    uploads = await ours.uploads(batch)
    assert {(each["state"], each["reason"]) for each in uploads.values()} == {
        ("rejected", "infected")
    }


@pytest.mark.knobs(quarantine=HOUR)
async def test_quarantined_bytes_are_kept_from_everybody(
    server: Installation, ours: Talk, project: str
) -> None:
    """For as long as the setting says they are there and can't be read; then they are deleted."""
    _, uploads = await ours.lay(project, {"notes.txt": eicar()})
    await server.run_until_quiet()
    [(key,)] = await server.ask("SELECT object_key FROM jobs WHERE kind = 'discard'")
    assert uploads["notes.txt"] in key
    assert await server.store.size(key) is None
    assert key in await stored(server)
    await server.ask("UPDATE jobs SET run_at = now()")
    await server.run_until_quiet()
    assert key not in await stored(server)


@pytest.mark.parametrize("harm", ["killed", "paused"])
async def test_files_wait_for_a_scanner_that_is_away(
    server: Installation, ours: Talk, project: str, clamd: Clamd, harm: str
) -> None:
    """f41: they stay in checking, unreadable, and go on by themselves when it is back."""
    if harm == "killed":
        clamd.kill()
    else:
        clamd.pause()
    batch, uploads = await ours.lay(project, {"plan.txt": PLAN, "notes.txt": eicar()})
    async with server.working():
        await until(server, "SELECT kind FROM jobs WHERE last_error LIKE 'Scanner%%'")
        for path in uploads:
            assert await ours.state(batch, path) == ("checking", None)
        assert await ours.documents(project) == []
        if harm == "killed":
            await clamd.start_again()
        else:
            clamd.resume()
        # Jobs that were put off come back within half a minute; here that time passes at once.
        await until(server, _COME_BACK, "SELECT 1 WHERE NOT EXISTS (SELECT FROM jobs)")
        settled = await ours.settled(batch)
    assert settled["plan.txt"]["state"] == "ready"
    assert (settled["notes.txt"]["state"], settled["notes.txt"]["reason"]) == (
        "rejected",
        "infected",
    )


async def test_what_the_scanner_cannot_judge_is_refused(
    server: Installation, ours: Talk, project: str
) -> None:
    """One byte more than clamd takes is not clean: the file is refused, and why is said."""
    batch, _ = await ours.lay(project, {"long.txt": b"a" * MIB, "longer.txt": b"b" * (MIB + 1)})
    await server.run_until_quiet()
    assert await ours.state(batch, "long.txt") == ("ready", None)
    assert await ours.state(batch, "longer.txt") == ("rejected", "scan_unavailable")
    assert "StreamMaxLength" in (await ours.uploads(batch))["longer.txt"]["detail"]


@pytest.mark.knobs(accept_unscanned=True)
async def test_what_is_accepted_unscanned_is_said_to_be(
    server: Installation, ours: Talk, project: str
) -> None:
    """Where the operator takes such files, the receipt tells them from those that were scanned."""
    batch, _ = await ours.lay(project, {"plan.txt": PLAN, "longer.txt": b"b" * (MIB + 1)})
    await server.run_until_quiet()
    _, rows = await receipt(ours, batch)
    assert {path: row["state"] for path, row in rows.items()} == dict.fromkeys(rows, "ready")
    assert rows["plan.txt"]["scanned_by"] == "clamav"
    assert rows["longer.txt"]["scanned_by"] == "unscanned"


@pytest.mark.knobs(scanner="none")
async def test_without_a_scanner_receipts_say_so(
    server: Installation, ours: Talk, project: str
) -> None:
    """Nobody looked, which every receipt shows; and there is nothing to scan again with."""
    batch, _ = await ours.lay(project, {"plan.txt": PLAN})
    await server.run_until_quiet()
    told, rows = await receipt(ours, batch)
    assert told["scanner"] == rows["plan.txt"]["scanned_by"] == "none"
    refused = await ours.ask("POST", f"/v1/projects/{project}/rescan", expect=409)
    assert refused.code == "no_scanner"


async def test_a_rescan_finds_what_was_learned_since(
    server: Installation, ours: Talk, project: str, clamd: Clamd
) -> None:
    """Nobody can fetch it any more, in any place it has; it is told of, and its state stays."""
    files = {"in/plan.txt": PLAN, "in/later.txt": LATER, "out/copy.txt": LATER}
    batch, uploads = await ours.lay(project, files)
    await server.run_until_quiet()
    versions = {path: (await ours.document(project, path))["current"]["id"] for path in files}
    await learn(clamd, "Test.Later", LATER)
    asked = await ours.ask("POST", f"/v1/projects/{project}/rescan", {"path": "In"}, expect=202)
    assert asked.json == {"files": 2}
    await server.run_until_quiet()
    for path in ("in/later.txt", "out/copy.txt"):
        for method in ("GET", "HEAD"):
            answer = await ours.ask(method, f"/v1/versions/{versions[path]}/content")
            assert answer.status == 403
            assert LATER not in answer.body
        assert (await ours.get(f"/v1/versions/{versions[path]}"))["infected"]
        story = await ours.get(f"/v1/uploads/{uploads[path]}/timeline")
        assert story["items"][-1]["kind"] == "infected"
        assert story["items"][-1]["detail"] == "Test.Later.UNOFFICIAL"
        assert story["upload"]["state"] in ("ready", "duplicate")
    assert (await ours.content(versions["in/plan.txt"])).body == PLAN
    _, rows = await receipt(ours, batch)
    assert {path: row["infected"] for path, row in rows.items()} == {
        "in/plan.txt": False,
        "in/later.txt": True,
        "out/copy.txt": True,
    }
    assert len(await stored(server)) == 1


async def test_a_rescan_of_everything_counts_each_content_once(
    server: Installation, ours: Talk, project: str
) -> None:
    """Without a body the whole project is meant; what is clean stays as it is."""
    await ours.lay(project, {"a.txt": PLAN, "b.txt": PLAN, "c.txt": b"another plan"})
    await server.run_until_quiet()
    await server.ask("UPDATE blobs SET scanned_by = 'none'")
    asked = await ours.ask("POST", f"/v1/projects/{project}/rescan", expect=202)
    assert asked.json == {"files": 2}
    await server.run_until_quiet()
    assert await server.ask("SELECT DISTINCT scanned_by, is_infected FROM blobs") == [
        ("clamav", False)
    ]
    nothing = await ours.ask("POST", f"/v1/projects/{project}/rescan", {"path": "z"}, expect=202)
    assert nothing.json == {"files": 0}


async def test_a_rescan_waits_for_the_scanner_too(
    server: Installation, ours: Talk, project: str, clamd: Clamd
) -> None:
    """A scanner that is away when its turn comes takes nothing from readers, and is awaited."""
    await ours.lay(project, {"plan.txt": PLAN})
    await server.run_until_quiet()
    clamd.kill()
    await ours.ask("POST", f"/v1/projects/{project}/rescan", expect=202)
    await server.run_until_quiet()
    assert await server.ask("SELECT kind FROM jobs WHERE dead_at IS NULL") == [("rescan",)]
    version = (await ours.document(project, "plan.txt"))["current"]["id"]
    assert (await ours.content(version)).body == PLAN


async def test_a_rescan_can_be_asked_for_from_everywhere(
    server: Installation, ours: Talk, project: str
) -> None:
    """The SDK and the command line have it too, and say how much it is."""
    await ours.lay(project, {"in/a.txt": PLAN, "out/b.txt": b"another plan"})
    await server.run_until_quiet()
    async with AsyncClient(server.url, ours.token) as client:
        assert await client.rescan(UUID(project)) == 2
        assert await client.rescan(UUID(project), under="out") == 1
    where = ["--url", server.url, "--token", ours.token]
    for what, code, sentence in (
        ("tower:in", 0, "1 file will be scanned again"),
        ("tower:attic", 1, "tower:attic holds nothing to scan"),
        ("cellar", 1, "there is no project cellar"),
    ):
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "laydown", "rescan", what, *where),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await run.communicate()
        assert (run.returncode, sentence in said.decode()) == (code, True), said


async def test_nobody_rescans_what_is_not_theirs(
    server: Installation, theirs: Talk, project: str
) -> None:
    """Another organization's project is not found, and nothing is asked of the scanner."""
    refused = await theirs.ask("POST", f"/v1/projects/{project}/rescan", expect=404)
    assert refused.code == "not_found"
    assert await server.ask("SELECT kind FROM jobs WHERE kind = 'rescan'") == []

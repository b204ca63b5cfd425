"""The conversation where bytes go straight to an S3: the server hears of them, and sees none."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import pytest

from laydown import AsyncClient
from laydown.domain.upload import ObjectName, OrganizationId, UploadId, parse_key
from laydown.ports import Arrival
from laydown.settings import Settings
from tests.api.installation import Installation
from tests.api.sabotage import withheld
from tests.api.talk import PART, Json, Talk, entry, sha256
from tests.engines.seaweed import Seaweed

_numbers = count(1)
LARGE = bytes(range(256)) * (9 << 12)  # 9 MiB: two parts


@pytest.fixture
async def settings(
    settings: Settings, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Return settings for a bucket of this test's own; files over 8 MiB go in parts."""
    bucket = await seaweed.bucket(f"direct-{next(_numbers)}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_key)
    store = f"s3://{bucket}?endpoint={seaweed.endpoint}&region={seaweed.region}"
    return replace(settings, store=store, single_up_to=PART)


async def fetched(url: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    """Return what a URL gives to somebody who has nothing but it."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers


async def test_bytes_go_to_the_store_and_are_proven_there(server, ours, project, seaweed):
    """URLs are the store's, grants say that completion is needed, and both kinds end ready."""
    files = {"a.txt": b"small", "b.bin": LARGE}
    declared = await ours.declare(project, *(entry(*each) for each in files.items()))
    batch = declared["batch"]["id"]
    for verdict in declared["verdicts"]:
        [grant] = await ours.grants(batch, verdict["upload_id"])
        assert grant["needs_completion"]
        assert all(part["url"].startswith(seaweed.endpoint) for part in grant["parts"])
        await ours.send(batch, verdict["upload_id"], files[verdict["key"]])
    await server.run_until_quiet()

    assert await ours.state(batch, "a.txt") == ("ready", None)
    assert await ours.state(batch, "b.bin") == ("ready", None)
    uploads = await ours.uploads(batch)
    assert uploads["b.bin"]["sha256"] == sha256(LARGE)


async def test_content_is_found_by_a_redirect(server, ours, project, seaweed):
    """It leads to the store, is kept nowhere, and gives the bytes, or a range, for saving."""
    await ours.lay(project, {"Pläne/a b.bin": LARGE})
    await server.run_until_quiet()
    version = (await ours.document(project, "Pläne/a b.bin"))["current"]["id"]
    path = f"/v1/versions/{version}/content"
    head = await ours.ask("HEAD", path, expect=200)
    assert head.headers["Content-Length"] == str(len(LARGE))
    answer = await ours.ask("GET", path, expect=302)
    assert answer.body == b""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    url = answer.headers["Location"]
    assert url.startswith(seaweed.endpoint)

    status, body, headers = await fetched(url)
    assert (status, body) == (200, LARGE)
    assert headers["Content-Disposition"].startswith("attachment")
    status, body, _ = await fetched(url, Range="bytes=10-19")
    assert (status, body) == (206, LARGE[10:20])
    known = {"If-None-Match": f'"{sha256(LARGE)}"'}
    assert (await ours.ask("GET", path, headers=known)).status == 304
    altered = url.replace("Expires=", "Expires=9")
    assert (await fetched(altered))[0] == 403


async def test_nothing_can_be_fetched_before_it_is_proven(ours, project):
    """What has arrived is no document yet, and the URL that took it gives nothing."""
    declared = await ours.declare(project, entry("a.txt", b"small"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    [grant] = await ours.grants(batch, upload)
    url = grant["parts"][0]["url"]
    assert (await ours.put(grant["parts"][0], b"small")).status == 200
    await ours.complete(batch, upload)

    assert await ours.documents(project) == []
    assert (await fetched(url))[0] == 403


async def test_what_was_sent_and_not_said_is_not_sent_again(server, ours, project):
    """Asked for again, a file that the store has needs only its completion."""
    declared = await ours.declare(project, entry("a.txt", b"small"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    [grant] = await ours.grants(batch, upload)
    assert (await ours.put(grant["parts"][0], b"small")).status == 200

    [again] = await ours.grants(batch, upload)
    assert (again["have"], again["parts"], again["needs_completion"]) == ([1], [], True)
    await ours.send(batch, upload, b"small")
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("ready", None)


async def test_an_upload_that_the_store_dropped_is_begun_anew(server, ours, project):
    """When the parts of days ago are gone, as a life cycle has it, new URLs take all of them."""
    declared = await ours.declare(project, entry("b.bin", LARGE))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    [grant] = await ours.grants(batch, upload)
    assert (await ours.put(grant["parts"][0], LARGE[:PART])).status == 200
    [(organization,)] = await server.ask("SELECT id FROM organizations")
    await server.store.discard(f"u/{organization}/{upload}/1")

    [completion] = await ours.complete(batch, upload)
    assert completion["missing"] == [1, 2]
    await ours.send(batch, upload, LARGE)
    await server.run_until_quiet()
    assert await ours.state(batch, "b.bin") == ("ready", None)


async def test_one_object_that_can_not_be_asked_for_holds_up_no_other(server, ours, project):
    """The sweeper gives up what nobody sends, and leaves it to the proof what is wrong there."""
    declared = await ours.declare(project, entry("a.txt", b"a"), entry("b.txt", b"b"))
    batch, [first, _] = declared["batch"]["id"], declared["verdicts"]
    [granted, _] = await ours.grants(batch)
    assert (await ours.put(granted["parts"][0], b"a")).status == 200
    [(organization,)] = await server.ask("SELECT id FROM organizations")
    async with withheld(server.store, f"u/{organization}/{first['upload_id']}/1"):
        report = await server.sweeping().tidy()
        await server.run_until_quiet()
    assert (report.found, report.expired) == (1, 1)
    assert await ours.state(batch, "a.txt") == ("sealing", None)
    assert await ours.state(batch, "b.txt") == ("expired", "expired")
    await server.ask("UPDATE jobs SET run_at = now()")
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("ready", None)


async def test_progress_is_shown_while_bytes_go_past_us(ours, project):
    """What a client reports is seen by all, and never that all is there: that isn't its to say."""
    declared = await ours.declare(project, entry("b.bin", LARGE))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await ours.grants(batch, upload)
    for said, shown in [(1_000, 1_000), (1 << 40, len(LARGE) - 1)]:
        report = {"uploads": [{"id": upload, "sent_bytes": said}]}
        await ours.ask("POST", f"/v1/batches/{batch}/progress", report, expect=204)
        assert (await ours.batch(batch))["received_bytes"] == shown

    [completion] = await ours.complete(batch, upload)
    assert completion["missing"] == [1, 2], "a report is no proof"


async def test_a_push_and_a_download_by_the_sdk(server, ours, project, tmp_path: Path):
    """Both go straight to the store, and the digest holds at both ends."""
    folder = tmp_path / "Site"
    folder.mkdir()
    (folder / "b.bin").write_bytes(LARGE)
    for number in range(20):
        (folder / f"{number}.txt").write_text(f"note {number}")

    async with server.working(), AsyncClient(ours.url, ours.token, timeout=20) as client:
        result = await client.push([folder], project="tower")
        again = await client.push([folder], project="tower")
        document = await ours.document(project, "b.bin")
        await client.download(document["current"]["id"], tmp_path / "out.bin")

    assert result.is_success
    assert result.batch is not None
    assert result.batch.counts == {"ready": 21}
    assert again.bytes_sent == 0
    assert (tmp_path / "out.bin").read_bytes() == LARGE


async def test_no_url_is_logged(server, ours, project, capfd):
    """What gives access to bytes stands in no log, error or event."""
    batch, _ = await ours.lay(project, {"a.txt": b"small"})
    await server.run_until_quiet()
    version = (await ours.document(project, "a.txt"))["current"]["id"]
    answer = await ours.ask("GET", f"/v1/versions/{version}/content", expect=302)
    signature = urlsplit(answer.headers["Location"]).query.rpartition("Signature=")[2]
    assert len(signature) == 64

    out, err = capfd.readouterr()
    assert "X-Amz-" not in out + err
    assert "X-Amz-" not in str(await ours.get(f"/v1/batches/{batch}/uploads"))


async def name_of(server: Installation, upload: str, attempt: int = 1) -> ObjectName:
    """Return the name of an attempt's object."""
    [(organization,)] = await server.ask("SELECT id FROM organizations")
    return parse_key(f"u/{organization}/{upload}/{attempt}")


async def notice(server: Installation, name: ObjectName) -> None:
    """Tell of an object as the store does."""
    await server.shop.arriving.arrived([Arrival(name=name, size=None)])


async def granted(talk: Talk, project: str, *entries: Json) -> tuple[str, list[str], Any]:
    """Declare files and have them granted; return the batch, the uploads and their grants."""
    declared = await talk.declare(project, *entries)
    batch = declared["batch"]["id"]
    uploads = [verdict["upload_id"] for verdict in declared["verdicts"]]
    return batch, uploads, await talk.grants(batch)


async def test_what_is_only_said_to_be_sent_can_be_sent_again(server, ours, project):
    """Without a byte it is refused for its size, a twin takes its place, and a retry takes it."""
    batch, [upload, twin], _ = await granted(
        ours, project, entry("a.txt", b"plan"), entry("b.txt", b"plan")
    )
    [completion] = await ours.complete(batch, upload)
    assert completion["state"] == "sealing"
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("rejected", "size_mismatch")
    await ours.send(batch, twin, b"plan")
    assert (await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)).json["uploads"] == 1
    await ours.send(batch, upload, b"plan")
    await server.run_until_quiet()
    states = {each["state"] for each in (await ours.uploads(batch)).values()}
    assert states == {"ready", "duplicate"}


async def test_a_body_that_lands_after_its_file_was_given_up(server, ours, project):
    """Cancelled or expired it stays, whatever the store tells; a retry has a key of its own."""
    batch, [first, second], [one, two] = await granted(
        ours, project, entry("a.txt", b"a"), entry("b.txt", b"b")
    )
    await ours.ask("DELETE", f"/v1/uploads/{first}", expect=200)
    await server.sweeping().tidy()
    await server.run_until_quiet()
    for upload, grant, data in ((first, one, b"a"), (second, two, b"b")):
        assert (await ours.put(grant["parts"][0], data)).status == 200
        await notice(server, await name_of(server, upload))
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("cancelled", "cancelled_by_user")
    assert await ours.state(batch, "b.txt") == ("expired", "expired")
    await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    await ours.send(batch, second, b"b")
    await server.run_until_quiet()
    assert await ours.state(batch, "b.txt") == ("ready", None)
    assert await server.wanted() == {(await name_of(server, second, 2)).key}


async def test_a_joining_that_was_cut_off_is_taken_up(server, ours, project):
    """When the store has made the object and nobody heard of it, the next try finds it."""
    batch, [upload], [grant] = await granted(ours, project, entry("b.bin", LARGE))
    for part, data in zip(grant["parts"], (LARGE[:PART], LARGE[PART:]), strict=True):
        assert (await ours.put(part, data)).status == 200
    await ours.complete(batch, upload)
    organization = (await name_of(server, upload)).organization
    async with server.database.ledger.begin(OrganizationId(organization)) as tx:
        [sealing] = await tx.uploads([UploadId(UUID(upload))])
    await server.store.join(sealing)
    await server.run_until_quiet()
    assert await ours.state(batch, "b.bin") == ("ready", None)


async def test_everybody_says_it_at_once(server, ours, project):
    """Client, store and sweeper, twice each and side by side: it is sealed and published once."""
    batch, [upload], [grant] = await granted(ours, project, entry("a.txt", b"plan"))
    assert (await ours.put(grant["parts"][0], b"plan")).status == 200
    name = await name_of(server, upload)
    async with server.working(), server.working(), asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(ours.complete(batch, upload))
            tasks.create_task(notice(server, name))
            tasks.create_task(server.sweeping().tidy())
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("ready", None)
    timeline = await ours.get(f"/v1/uploads/{upload}/timeline")
    states = [each["state"] for each in timeline["items"]]
    assert states == ["declared", "receiving", "sealing", "checking", "ready"]

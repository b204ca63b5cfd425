"""Pushing folders to a server that puts things in the way."""

import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from aiohttp import web

from laydown import AsyncClient, Unreachable
from laydown.client import backoff
from laydown.client.progress import Progress
from laydown.client.push import reference_of
from laydown.client.reading import digest
from laydown.client.result import PushResult
from tests.unit.small_server import TOKEN, SmallServer, problem


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every pause, so that obstacles cost milliseconds."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_WISH", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    async with SmallServer(part_size=1 << 20).running() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "Site"
    for number in range(5):
        path = site / "Drawings" / f"A-{number:03}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sheet %d" % number * 100)
    return site


async def pushed(server: SmallServer, *paths: Path, jobs: int = 4) -> PushResult:
    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        return await client.push(paths, project="SITE", jobs=jobs)


async def test_every_file_of_a_folder_arrives(server: SmallServer, folder: Path):
    """A push sends each file's bytes once and ends when all are settled."""
    result = await pushed(server, folder)

    assert result.batch is not None
    assert result.batch.state == "settled"
    assert dict(result.batch.counts) == {"ready": 5}
    assert result.is_success
    assert result.bytes_sent == sum(server.bodies)
    assert len(server.bodies) == 5
    assert sorted(server.batch.by_path()) == [f"Drawings/A-{number:03}.pdf" for number in range(5)]


async def test_a_large_file_goes_in_parts(server: SmallServer, folder: Path):
    """Every part of a file arrives, in any order, and they are the file."""
    content = os.urandom(5 * (1 << 20) // 2)
    (folder / "scan.bin").write_bytes(content)

    result = await pushed(server, folder)

    row = server.batch.by_path()["scan.bin"]
    assert b"".join(row.parts[number] for number in (1, 2, 3)) == content
    assert result.is_success


async def test_parts_that_are_here_are_not_sent_again(server: SmallServer, folder: Path):
    """A push that resumes asks what is here and sends only the rest."""
    (folder / "scan.bin").write_bytes(os.urandom(3 << 20))
    await pushed(server, folder)
    row = server.batch.by_path()["scan.bin"]
    server.batch.is_closed = False
    row.state = "receiving"
    del row.parts[2]
    server.bodies.clear()

    result = await pushed(server, folder)

    assert server.bodies == [1 << 20]
    assert result.bytes_sent == 1 << 20
    assert result.is_success


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        pytest.param(lambda: None, 3, id="the connection is cut"),
        pytest.param(lambda: problem(503, "stopping", **{"Retry-After": "1"}), 3, id="busy"),
        pytest.param(lambda: problem(409, "part_busy"), 5, id="another writes the part"),
        pytest.param(lambda: problem(403, "bad_signature"), 2, id="the URL expired"),
        pytest.param(lambda: web.Response(status=403, text="<Error/>"), 1, id="S3 says so"),
        pytest.param(lambda: problem(400, "checksum_mismatch"), 2, id="bytes are damaged"),
        pytest.param(lambda: problem(507, "store_full"), 3, id="the store is full for a moment"),
        pytest.param(lambda: problem(500, "internal_error"), 2, id="a bug"),
        pytest.param(lambda: problem(409, "not_receiving"), 1, id="an earlier attempt's URL"),
    ],
)
async def test_an_obstacle_that_passes_costs_nothing(
    server: SmallServer, folder: Path, answer, times
):
    """Whatever stands against a part for a while, its file arrives."""
    server.order("PUT", "/bytes/", answer, times)

    result = await pushed(server, folder)

    assert result.is_success
    assert len(server.bodies) == 5


@pytest.mark.parametrize("path", ["batches", "grants", "close", "receipt", "projects"])
@pytest.mark.parametrize("answer", [lambda: None, lambda: problem(503, "ledger_unavailable")])
async def test_every_request_is_repeated(server: SmallServer, folder: Path, path, answer):
    """A broken connection or a busy server is no reason to fail."""
    for method in ("GET", "POST"):
        server.order(method, path, answer, 2)

    assert (await pushed(server, folder)).is_success


async def test_a_full_store_fails_one_file_and_leaves_it_to_the_next_push(
    server: SmallServer, folder: Path
):
    """What does not fit is named, the others go in, and the batch stays open."""
    full = folder / "Drawings" / "A-002.pdf"
    entry = await _upload_of(server, folder, full)
    server.order("PUT", f"/bytes/{entry}", lambda: problem(507, "store_full"), 1000)

    result = await pushed(server, folder)

    assert [each.path for each in result.unreadable] == ["Drawings/A-002.pdf"]
    assert "store_full" in result.unreadable[0].why
    assert result.batch is not None
    assert result.batch.state == "open"
    assert dict(result.batch.counts) == {"ready": 4, "declared": 1}
    assert not result.is_success


async def test_a_part_that_was_recorded_with_other_bytes_ends_its_file_alone(
    server: SmallServer, folder: Path
):
    """A conflict that can't pass is told, and the batch still ends."""
    upload = await _upload_of(server, folder, folder / "Drawings" / "A-003.pdf")
    server.order("PUT", f"/bytes/{upload}", lambda: problem(409, "part_conflict"), 1000)

    result = await pushed(server, folder)

    assert result.batch is not None
    assert result.batch.state == "settled"
    assert dict(result.batch.counts) == {"ready": 4, "cancelled": 1}
    assert [each.path for each in result.unreadable] == ["Drawings/A-003.pdf"]


async def test_a_twin_is_sent_when_its_leader_is_refused(server: SmallServer, folder: Path):
    """A file whose bytes were to come with another's is sent once it is promoted."""
    server.batch.refused = {"a.pdf": "type_mismatch"}
    (folder / "a.pdf").write_bytes(b"text")
    (folder / "b.txt").write_bytes(b"text")

    result = await pushed(server, folder)

    assert server.batch.by_path()["b.txt"].state == "ready"
    assert [row.path for row in result.problems] == ["a.pdf"]
    assert result.batch is not None
    assert result.batch.state == "settled"


async def test_a_file_that_changes_after_it_was_declared_is_declared_again(
    server: SmallServer, folder: Path
):
    """The bytes that arrive are those of one moment: the newest."""
    changing = folder / "Drawings" / "A-004.pdf"

    def change() -> web.Response:
        changing.write_bytes(b"a newer sheet, longer than the old one")
        return problem(403, "bad_signature")

    upload = await _upload_of(server, folder, changing)
    server.order("PUT", f"/bytes/{upload}", change)

    result = await pushed(server, folder)

    row = server.batch.by_path()["Drawings/A-004.pdf"]
    assert row.attempt == 2
    assert row.parts[1] == changing.read_bytes()
    assert result.is_success


async def test_a_file_that_vanishes_is_told_and_taken_back(server: SmallServer, folder: Path):
    """The batch ends without it."""
    vanishing = folder / "Drawings" / "A-001.pdf"
    upload = await _upload_of(server, folder, vanishing)

    def vanish() -> web.Response:
        vanishing.unlink()
        return problem(403, "bad_signature")

    server.order("PUT", f"/bytes/{upload}", vanish)

    result = await pushed(server, folder)

    assert [each.why for each in result.unreadable] == ["no such file or directory"]
    assert result.batch is not None
    assert dict(result.batch.counts) == {"ready": 4, "cancelled": 1}


async def test_what_expired_is_retried(server: SmallServer, folder: Path):
    """A push into an open batch in which files expired sends them after all."""
    upload = await _upload_of(server, folder, folder / "Drawings" / "A-000.pdf")
    server.batch.rows[upload].state = "expired"

    assert (await pushed(server, folder)).is_success


async def test_events_may_be_missing_altogether(server: SmallServer, folder: Path):
    """Polling alone sees a batch to its end."""
    server.order("GET", "/events", lambda: problem(404, "not_found"), 1000)

    assert (await pushed(server, folder)).is_success


async def test_a_server_that_stays_away_is_reported(folder: Path):
    """Patience ends with `Unreachable`."""
    async with SmallServer().running() as server:
        url = server.url
    async with AsyncClient(url, TOKEN, timeout=0.2) as client:
        with pytest.raises(Unreachable, match="could not be reached"):
            await client.push([folder], project="SITE")


async def test_a_server_that_goes_away_in_the_middle_is_reported(folder: Path):
    """Patience ends for a server that answered before, too."""
    async with SmallServer().running() as server:
        server.order("PUT", "/bytes", lambda: None, 10**6)
        server.order("GET", "/livez", lambda: None, 10**6)
        async with AsyncClient(server.url, TOKEN, timeout=0.3) as client:
            with pytest.raises(Unreachable):
                await client.push([folder], project="SITE")


async def test_progress_ends_where_the_push_does(server: SmallServer, folder: Path):
    """The last moment told is of everything, done."""
    told: list[Progress] = []
    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        await client.push([folder], project="SITE", progress=told.append)

    assert told[-1].phase == "done"
    assert told[-1].found == told[-1].read == told[-1].sent == told[-1].wanted
    assert told[-1].settled == told[-1].declared == 5


async def test_an_empty_folder_needs_no_batch(server: SmallServer, tmp_path: Path):
    """Nothing to send is a success without a batch."""
    result = await pushed(server, tmp_path)

    assert result.batch is None
    assert result.is_success


def test_a_reference_is_the_folders_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same folder has the same reference however it is written; another one has another."""
    one, other = UUID(int=1), UUID(int=2)
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)

    assert reference_of(one, ["a"]) == reference_of(one, [tmp_path / "a" / ".." / "a"])
    assert reference_of(one, ["a"]) != reference_of(one, [tmp_path])
    assert reference_of(one, ["a"]) != reference_of(other, ["a"])


async def _upload_of(server: SmallServer, folder: Path, path: Path) -> UUID:
    """Declare a file as a push of the folder that was cut would have; return its upload."""
    relative = path.relative_to(folder).as_posix()
    entry = digest(str(path), relative, stop=threading.Event(), tell=lambda _: None).entry()
    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        project = await client.ensure_project("SITE")
        reference = reference_of(project.id, [folder])
        declared = await client.declare(project.id, reference=reference, entries=[entry])
    assert declared.verdicts[0].upload_id is not None
    return declared.verdicts[0].upload_id

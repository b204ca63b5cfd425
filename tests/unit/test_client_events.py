"""Following a batch, and fetching a version, through whatever breaks."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from laydown import (
    ApiError,
    AsyncClient,
    BadAnswer,
    Client,
    DamagedDownload,
    NotFound,
    Unauthorized,
    wire,
)
from laydown.client import backoff
from laydown.client.sse import Changed, Closed, Frame, Progressed, Snapshot, frames
from tests.unit.small_server import TOKEN, SmallServer, problem


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every pause, so that what breaks costs milliseconds."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    async with SmallServer().running() as running:
        yield running


@pytest.fixture
async def client(server: SmallServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url, TOKEN, timeout=5) as opened:
        yield opened


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def lines(text: str) -> AsyncIterator[bytes]:
    for line in text.splitlines(keepends=True):
        yield line.encode()


async def test_frames_are_read_as_the_standard_says():
    """Comments, several data lines, unknown fields and missing ids."""
    text = 'retry: 2\n: hello\n\nid: 7\nevent: change\ndata: {"a":\ndata: 1}\n\nother\ndata:x\n\n'

    told = [frame async for frame in frames(lines(text))]

    assert told == [None, Frame("change", '{"a":\n1}', "7"), Frame("message", "x", None)]


async def test_a_broken_stream_is_taken_up_without_loss_or_repeat(
    server: SmallServer, client: AsyncClient
):
    """Changes come once each and in order, however often the stream is cut."""
    entries = [
        wire.Entry(key=str(n), path=f"{n}.txt", size=1, sha256=f"{n:064x}") for n in range(6)
    ]
    declared = await client.declare(server.project.id, reference="r", entries=entries)
    rows = list(server.batch.rows.values())
    kinds: list[type] = []
    numbers: list[int] = []
    async with asyncio.timeout(10), aclosing(client.events(declared.batch.id)) as events:
        async for event in events:
            kinds.append(type(event))
            if isinstance(event, Changed):
                numbers.append(event.change.number)
            if isinstance(event, Progressed) and rows:
                server.batch.cancel(rows.pop())
                server.cut_streams()
                if not rows:
                    server.batch.close()

    assert numbers == [1, 2, 3, 4, 5, 6]
    assert kinds[0] is Snapshot
    assert kinds[-1] is Closed
    assert kinds.count(Snapshot) == 1
    assert server.count("GET /v1/batches/") > 3


async def test_errors_have_names_and_sentences(server: SmallServer, client: AsyncClient):
    """A refusal is told by type, code and detail."""
    with pytest.raises(NotFound, match="not_found"):
        await client.upload(uuid4())
    server.order("GET", "/v1/projects", lambda: problem(400, "invalid_request"))
    with pytest.raises(ApiError) as refused:
        await client.project_of("SITE")
    assert refused.value.code == "invalid_request"
    server.order("GET", "/v1/projects", lambda: web.Response(status=404, text="<html>nginx"))
    with pytest.raises(BadAnswer, match="nginx"):
        await client.project_of("SITE")
    server.order("GET", "/v1/projects", lambda: web.Response(text="[]"))
    with pytest.raises(BadAnswer, match="ProjectPage"):
        await client.project_of("SITE")


async def test_a_wrong_token_is_told(server: SmallServer):
    """It is not asked for again and again."""
    async with AsyncClient(server.url, "ldn_wrong") as client:
        with pytest.raises(Unauthorized):
            await client.project_of("SITE")
    assert len(server.asked) == 1


async def test_a_granted_url_may_be_relative_and_gets_no_token(
    server: SmallServer, client: AsyncClient
):
    """A part goes where its grant says, with the headers it says and no others of ours."""
    entry = wire.Entry(key="k", path="k.txt", size=4, sha256="0" * 64)
    declared = await client.declare(server.project.id, reference="r", entries=[entry])
    upload = declared.verdicts[0].upload_id
    assert upload is not None
    [grant] = await client.grants(declared.batch.id, [wire.WantedUpload(id=upload)])

    await client.put_part(grant.parts[0], b"data")

    assert server.bodies == [4]


async def test_a_broken_download_is_resumed(
    server: SmallServer, client: AsyncClient, tmp_path: Path
):
    """What came is kept; only the rest is asked for."""
    server.content = os.urandom(3_000_000)
    version = uuid4()
    server.send_only(1_000_000)

    await client.download(version, tmp_path / "b.bin")

    assert (tmp_path / "b.bin").read_bytes() == server.content
    assert names(tmp_path) == ["b.bin"]
    first, second = server.ranges
    assert first is None
    assert second is not None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= 1_000_000


async def test_a_damaged_download_leaves_nothing(
    server: SmallServer, client: AsyncClient, tmp_path: Path
):
    """Bytes that are not the version's never appear."""
    server.content = b"right"
    server.order("GET", "/content", lambda: web.Response(body=b"wrong"))

    with pytest.raises(DamagedDownload):
        await client.download(uuid4(), tmp_path / "b.bin")

    assert names(tmp_path) == []


def test_the_blocking_client_says_what_the_other_one_says(tmp_path: Path):
    """One flow over both clients has the same results."""

    async def serve(ready: "asyncio.Future[str]", over: asyncio.Event) -> None:
        async with SmallServer().running() as server:
            ready.set_result(server.url)
            await over.wait()

    def blocking(url: str) -> list[object]:
        with Client(url, TOKEN, timeout=5) as client:
            result = client.push([tmp_path], project="SITE")
            assert result.batch is not None
            batch_id = result.batch.id
            events = [type(event) for event in client.events(batch_id)]
            uploads = [upload.state for upload in client.uploads(batch_id)]
            codes = [project.code for project in client.projects()]
            return [dict(result.batch.counts), uploads, events, codes, client.health().ok]

    async def awaiting(url: str) -> list[object]:
        async with AsyncClient(url, TOKEN, timeout=5) as client:
            result = await client.push([tmp_path], project="SITE")
            assert result.batch is not None
            batch_id = result.batch.id
            events = [type(event) async for event in client.events(batch_id)]
            uploads = [upload.state async for upload in client.uploads(batch_id)]
            codes = [project.code async for project in client.projects()]
            health = await client.health()
            return [dict(result.batch.counts), uploads, events, codes, health.ok]

    async def both(talk: object) -> list[object]:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(ready, over))
            url = await ready
            try:
                if talk is blocking:
                    return await asyncio.to_thread(blocking, url)
                return await awaiting(url)
            finally:
                over.set()

    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)

    assert asyncio.run(both(blocking)) == asyncio.run(both(awaiting))

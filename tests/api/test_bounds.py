"""Nobody takes more than their share of batches, streams, heads and patience."""

import asyncio
import socket
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from laydown.http.bytes_head import LARGEST_HEAD
from tests.api.talk import PATIENCE, entry, talking

pytestmark = pytest.mark.embedded  # where bytes are kept plays no part

HEAD = b"POST /v1/projects HTTP/1.1\r\nHost: x\r\n"


async def opened(ours, project):
    declared = await ours.declare(project, entry("a.txt", b"a"))
    return declared["batch"]["id"]


async def connected(server):
    address = urlsplit(server.url)
    return await asyncio.open_connection(address.hostname, address.port)


async def said(server, *sent):
    """Return the status that the server answers to raw bytes, and what else it says."""
    reader, writer = await connected(server)
    try:
        async with asyncio.timeout(PATIENCE):
            for piece in sent:
                writer.write(piece)
                await writer.drain()
            status = int((await reader.readline()).split()[1])
            return status, await reader.read()
    finally:
        writer.close()


# -- open batches


@pytest.mark.knobs(open_batches=2)
async def test_an_organization_has_so_many_open_batches(ours, theirs, project):
    """One more is refused, the open ones go on, and a closed one makes room."""
    batches = [await ours.declare(project, reference=str(n)) for n in range(2)]
    body = {"reference": "2", "entries": []}
    refused = await ours.ask("POST", f"/v1/projects/{project}/batches", body)
    assert (refused.status, refused.code) == (409, "too_many_batches")
    assert (await ours.declare(project, entry("a", b"a"), reference="1"))["batch"]["declared"][
        "count"
    ] == 1
    await theirs.declare(await theirs.project("theirs"))
    await ours.ask("POST", f"/v1/batches/{batches[0]['batch']['id']}/close", expect=200)
    await ours.declare(project, reference="2")


@pytest.mark.knobs(open_batches=40)
async def test_a_drop_link_has_a_small_share_of_them(server, ours, project):
    """A stranger can't take all the room: its link is refused, the organization is not."""
    made = await ours.ask("POST", f"/v1/projects/{project}/links", {"label": "x"}, expect=201)
    async with talking(server.url, made.json["secret"]) as stranger:
        for n in range(2):
            await stranger.declare(project, reference=str(n))
        body = {"reference": "2", "entries": []}
        refused = await stranger.ask("POST", f"/v1/projects/{project}/batches", body)
    assert (refused.status, refused.code) == (409, "too_many_batches")
    for n in range(5):
        await ours.declare(project, reference=str(n))


# -- event streams


@pytest.mark.knobs(event_streams_of_token=3)
async def test_a_token_has_so_many_streams(server, ours, project):
    """One more is 429; another token still watches; one that ends makes room."""
    batch = await opened(ours, project)
    path = f"/v1/batches/{batch}/events"
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        for _ in range(2):
            events = await stack.enter_async_context(ours.watch(batch))
            assert (await anext(events)).name == "snapshot"
        async with ours.watch(batch) as events:
            await anext(events)
            refused = await ours.ask("GET", path)
            assert (refused.status, refused.code) == (429, "rate_limited")
            assert int(refused.headers["Retry-After"]) > 0
            async with (
                talking(server.url, await server.token("ours")) as other,
                other.watch(batch) as seen,
            ):
                assert (await anext(seen)).name == "snapshot"
        await until_there_is_room(ours, batch)


@pytest.mark.knobs(event_streams=2)
async def test_a_process_serves_so_many_streams(server, ours, theirs, project):
    """One more is 503 for whoever asks, with the time to come back; all else is answered."""
    batch = await opened(ours, project)
    foreign = await opened(theirs, await theirs.project("theirs"))
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        for _ in range(2):
            await anext(await stack.enter_async_context(ours.watch(batch)))
        refused = await theirs.ask("GET", f"/v1/batches/{foreign}/events")
        assert (refused.status, refused.code) == (503, "overloaded")
        assert refused.headers["Retry-After"] == "5"
        metrics = (await ours.ask("GET", "/metrics")).body.decode()
        assert "laydown_event_streams 2.0" in metrics
        assert 'laydown_refused_requests_total{limit="streams"} 1.0' in metrics
    await until_there_is_room(theirs, foreign)
    assert await server.ask("SELECT 1")


async def test_a_stream_that_can_t_be_opened_takes_no_place(ours, theirs):
    """However often somebody asks for what they may not see, there is room afterwards."""
    batch = await opened(theirs, await theirs.project("theirs"))
    for _ in range(5):
        assert (await ours.ask("GET", f"/v1/batches/{batch}/events")).status == 404
    assert "laydown_event_streams 0.0" in (await ours.ask("GET", "/metrics")).body.decode()


async def until_there_is_room(talk, batch):
    """Open a stream as soon as the server has noticed that others are gone."""
    while True:
        try:
            async with talk.watch(batch) as events:
                await anext(events)
                return
        except AssertionError:
            await asyncio.sleep(0.02)


async def test_a_viewer_who_never_reads_blocks_nobody(server, ours, project):
    """Events of a whole delivery pass by a reader who takes none, and by idle ones."""
    batch = await opened(ours, project)
    address = urlsplit(server.url)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        stack.callback(deaf.close)
        loop = asyncio.get_running_loop()
        deaf.settimeout(0)
        await loop.sock_connect(deaf, (address.hostname, address.port))
        head = f"GET /v1/batches/{batch}/events HTTP/1.1\r\nHost: x\r\n"
        head += f"Authorization: Bearer {ours.token}\r\n\r\n"
        await loop.sock_sendall(deaf, head.encode())
        streams = [await stack.enter_async_context(ours.watch(batch)) for _ in range(50)]
        for events in streams:
            await anext(events)
        files = {"a.txt": b"a"} | {f"{n}.txt": b"%d" % n for n in range(30)}
        await ours.lay(project, files)
        await server.run_until_quiet()
        async for event in streams[0]:
            if event.name == "closed":
                break
        assert event.data["counts"]["ready"] == len(files)


# -- heads


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X: " + b"x" * 240_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: x\r\n" % n for n in range(10_000)) + b"\r\n",
        b"GET /v1/projects?code=" + b"x" * LARGEST_HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["one long header", "many headers", "a long target"],
)
async def test_a_head_too_long_is_refused(server, head):
    """It is answered 431 as a problem, and the connection closed."""
    status, rest = await said(server, head)
    assert status == 431
    assert b"application/problem+json" in rest
    assert b'"code":"headers_too_large"' in rest


async def test_a_header_without_an_end_is_refused(server):
    """A header that goes on and on is refused long before it has filled our memory."""
    reader, writer = await connected(server)
    async with asyncio.timeout(PATIENCE):
        writer.write(HEAD + b"X: ")
        await writer.drain()
        reading = asyncio.create_task(reader.readline())
        sent = 0
        while not reading.done() and sent < 50 << 20:
            try:
                writer.write(b"x" * 8_192)
                await writer.drain()
            except ConnectionError:
                break
            sent += 8_192
            await asyncio.sleep(0)
        assert sent < 10 << 20
    writer.close()


async def test_a_head_of_the_usual_length_is_read(server, ours):
    """Thirty thousand bytes of cookies, as other programs of the domain set them, do no harm."""
    answer = await ours.ask("GET", "/v1/me", headers={"X-Cookies": "x" * 8_000})
    assert answer.status == 200
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    status, _ = await said(server, head + b"X: " + b"x" * 30_000 + b"\r\n\r\n")
    assert status == 200


async def test_a_head_too_long_for_the_byte_door(server):
    """The fast lane leaves such a head to the parser, which refuses it."""
    head = b"PUT /bytes/a/b/1/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    status, _ = await said(server, head + b"X: " + b"x" * 40_000 + b"\r\n\r\n.")
    assert status == 431


# -- slow ones


async def test_slow_senders_hold_up_nobody(server, ours):
    """Beside two hundred half heads and half bodies a request is answered at once."""
    half_body = HEAD + f"Authorization: Bearer {ours.token}\r\n".encode()
    half_body += b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    slow = []
    async with asyncio.timeout(PATIENCE):
        for n in range(200):
            _, writer = await connected(server)
            writer.write(half_body if n % 2 else HEAD)
            slow.append(writer)
        for _ in range(5):
            async with asyncio.timeout(2.0):
                assert (await ours.ask("GET", "/v1/me")).status == 200
    for writer in slow:
        writer.close()

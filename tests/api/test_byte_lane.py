"""The fast lane of the byte door: who takes it, and that nobody can tell."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from laydown.http.bytes_pace import Patience
from tests.byte_support import make_upload
from tests.byte_yard import Yard, open_yard, request

pytestmark = pytest.mark.embedded

MIB = 1 << 20


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    async with open_yard(tmp_path) as yard:
        yield yard


def put(yard: Yard, body: bytes, *lines: str, size: int | None = None) -> bytes:
    """Return a request for a new upload, plain but for *lines*."""
    length = len(body) if size is None else size
    url = yard.url(make_upload(length))
    return request(url, f"Content-Length: {length}", *lines, body=body)


def chunked(yard: Yard, body: bytes) -> bytes:
    encoded = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    url = yard.url(make_upload(len(body)))
    return request(url, "Transfer-Encoding: chunked", body=encoded)


async def until(is_so: Callable[[], bool]) -> None:
    """Return once the server, in the same loop, has come so far."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(0)


async def answers(reader: asyncio.StreamReader, count: int) -> list[int]:
    """Return the status of the next *count* answers, whose bodies are passed over."""
    found = []
    for _ in range(count):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        found.append(int(head.split()[1]))
        _, _, length = head.partition("content-length: ")
        await reader.readexactly(int(length.split()[0]))
    return found


async def test_plain_bodies_take_the_fast_lane(yard):
    """One connection after another body: none of them meets the application."""
    bodies = [hashlib.shake_128(b"%d" % size).digest(size) for size in (0, 1, 200_000, 3 * MIB)]
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    for body in bodies:
        writer.write(put(yard, body))
        assert await answers(reader, 1) == [200]
    writer.close()

    assert yard.door.common == 0
    assert sorted(yard.objects) == sorted(bodies)
    assert yard.is_clean


async def test_both_ways_take_turns_on_one_connection(yard):
    """Plain, chunked, cautious and refused requests are all answered, each in its turn."""
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    for sent, status in [
        (put(yard, b"one"), 200),
        (chunked(yard, b"two"), 200),
        (put(yard, b"three", "Expect: 100-continue"), 100),
        (b"", 200),
        (put(yard, b"four"), 200),
        (put(yard, b"five!").replace(b"signature=", b"signature=A"), 403),
    ]:
        writer.write(sent)
        if status == 100:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        else:
            assert await answers(reader, 1) == [status]
    writer.close()

    assert yard.door.common == 3
    assert sorted(yard.objects) == [b"four", b"one", b"three", b"two"]


@pytest.mark.parametrize("piece", [1, 7, 300, 70_001, 10_000_000])
async def test_pipelined_requests_are_answered_in_order(yard, piece):
    """However the bytes are cut, every request of both ways gets its own answer, in order."""
    small = [hashlib.shake_128(b"%d" % n).digest(n) for n in range(20 if piece > 1 else 3)]
    large = [] if piece < 300 else [hashlib.shake_128(b"l").digest(2 * MIB + 5), bytes(100_000)]
    parts = []
    for body in (*small, *large, *small):
        parts += [put(yard, body), chunked(yard, body + b"c")]
    parts.append(put(yard, b"last", "Connection: close"))
    stream = b"".join(parts)

    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    found = asyncio.create_task(answers(reader, len(parts)))
    for start in range(0, len(stream), piece):
        writer.write(stream[start : start + piece])
        await writer.drain()
    assert await found == [200] * len(parts)
    assert await reader.read() == b""
    writer.close()

    sent = [*small, *large, *small]
    assert sorted(yard.objects) == sorted([*sent, *(body + b"c" for body in sent), b"last"])
    assert yard.is_clean


async def test_what_is_known_to_be_too_much_waits(yard):
    """A client that sends on while its body is recorded is read no further, and loses nothing."""
    yard.book.turnstile = asyncio.Event()
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(put(yard, b"first") + put(yard, bytes(8 * MIB)))
    await yard.book.entered.wait()
    assert yard.intake.budget.held < MIB
    yard.book.turnstile.set()

    assert await answers(reader, 2) == [200, 200]
    writer.close()


@pytest.mark.parametrize("size", [1000, 4 * MIB])
async def test_a_client_that_vanishes_leaves_nothing(yard, size):
    """A body cut off in the middle is dropped, and its part can be sent again at once."""
    upload = make_upload(size)
    url = yard.url(upload)
    _, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(request(url, f"Content-Length: {size}", body=bytes(size - 1)))
    await writer.drain()
    await until(lambda: yard.intake.in_flight == 1)
    writer.transport.abort()
    await until(lambda: yard.intake.in_flight == 0)
    assert yard.objects == []
    assert yard.is_clean

    assert (await yard.put(url, bytes(size))).status == 200


async def test_who_vanishes_after_the_last_byte_is_recorded(yard):
    """A whole body counts although nobody is left to be told."""
    yard.book.turnstile = asyncio.Event()
    _, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(put(yard, b"whole"))
    await yard.book.entered.wait()
    writer.transport.abort()
    yard.book.turnstile.set()
    assert await yard.intake.drain(timeout=30)

    assert yard.objects == [b"whole"]


async def test_a_store_that_fails_is_told_and_leaves_nothing(tmp_path):
    """An error in the middle of a body ends the connection, once the client could read why."""
    async with open_yard(tmp_path) as yard:
        (tmp_path / "incoming").rmdir()  # whatever is written there fails
        reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
        writer.write(put(yard, bytes(3 * MIB), size=5 * MIB))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (tmp_path / "incoming").mkdir()
        writer.close()

        assert head.startswith("HTTP/1.1 503")
        assert "connection: close\r\n" in head
        assert "x-content-type-options: nosniff\r\n" in head
        assert yard.door.refusals == {"store_unavailable": 1}
        assert yard.door.common == 0
        assert yard.is_clean


async def test_the_fast_lane_looks_like_the_common_way(yard):
    """Both answer with the same headers, an id of the client's own among them."""
    lines = ["X-Request-Id: mine", "Connection: close"]
    said = [
        await yard.talk(put(yard, b"body", *each))
        for each in (lines, [lines[0], "Connection: keep-alive, close"])
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(put(yard, b"body", lines[0]))
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()

    plain = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
    assert yard.door.common == 2
    for each in said:
        assert each.headers.keys() - {"connection"} == plain.keys()
        assert each.headers["etag"] == plain["etag"]
        assert each.headers["x-request-id"] == plain["x-request-id"] == "mine"


async def _is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def test_a_server_that_stops_answers_first(tmp_path):
    """A body that is being recorded when the server stops is answered; the connection then ends."""
    up, stop = asyncio.Event(), asyncio.Event()
    found: list[Yard] = []

    async def serve() -> None:
        async with open_yard(tmp_path) as yard:
            found.append(yard)
            up.set()
            await stop.wait()

    serving = asyncio.create_task(serve())
    await up.wait()
    [yard] = found
    yard.book.turnstile = asyncio.Event()
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(put(yard, b"body"))
    await yard.book.entered.wait()
    stop.set()
    while await _is_listening(yard.port):  # until the server has begun to stop
        pass
    yard.book.turnstile.set()
    said = await reader.read()
    writer.close()
    await serving

    assert said.startswith(b"HTTP/1.1 200")
    assert b"connection: close\r\n" in said
    assert yard.objects == [b"body"]


async def test_a_slow_body_is_left_in_the_fast_lane(tmp_path):
    """A client that stops in the middle is told so, and the part is free."""
    async with open_yard(tmp_path, patience=Patience(idle=0.1)) as yard:
        said = await yard.talk(put(yard, b"half", size=100))

        assert (said.status, said.code) == (408, "client_gone")
        assert said.headers["connection"] == "close"
        assert yard.door.common == 0
        assert yard.is_clean

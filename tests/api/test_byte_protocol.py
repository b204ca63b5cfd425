"""The server's protocol on real connections: deadlines, order and bodies."""

import asyncio
import hashlib

import pytest
from starlette.types import Receive, Scope, Send

from laydown.http.bytes_protocol import ByteProtocol
from tests.byte_support import serving

pytestmark = pytest.mark.embedded


class Impatient(ByteProtocol):
    head_patience = 0.1


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the SHA-256 of the body and its length."""
    assert scope["type"] == "http"
    digest, length, more = hashlib.sha256(), 0, True
    while more:
        message = await receive()
        digest.update(message["body"])
        length += len(message["body"])
        more = message["more_body"]
    body = f"{length} {digest.hexdigest()}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def digest(body: bytes) -> bytes:
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()


async def test_a_connection_that_says_nothing_is_closed():
    """A client that connects and never sends a request does not stay."""
    async with serving(echo, protocol=Impatient) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()


async def test_headers_that_never_end_are_left():
    """Neither in the first request nor after one is a half head waited for."""
    head = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    async with serving(echo, protocol=Impatient) as port:
        for whole in (b"", head + b"\r\nok"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(whole + head)
            said = await reader.read()
            assert said.count(b"HTTP/1.1 200") == bool(whole)
            writer.close()


async def test_a_slow_body_is_not_a_slow_head():
    """The deadline for the head does not count while a body comes."""
    async with serving(echo, protocol=Impatient) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        expired, other = await asyncio.open_connection("127.0.0.1", port)
        await expired.read()  # until a later connection has passed its own deadline
        writer.write(b"cd")
        assert digest(b"abcd") in await reader.readuntil(digest(b"abcd"))
        for each in (writer, other):
            each.close()


async def test_bodies_arrive_whole_however_they_are_cut():
    """Tiny chunks, large ones, chunked encoding and pipelining give the bytes that were sent."""
    large = hashlib.shake_128(b"large").digest(3_000_000)
    sent = [
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + large,
        b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"1\r\n%c\r\n" % byte for byte in large[:5000])
        + b"0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
        + large[:100_000],
    ]
    async with serving(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stream = b"".join(sent)
        for start in range(0, len(stream), 70_001):
            writer.write(stream[start : start + 70_001])
            await writer.drain()
        said = await reader.read()
        writer.close()

    answers = [line for line in said.split(b"\r\n") if line[:1].isdigit()]
    found = [answer.partition(b"HTTP")[0] for answer in answers]
    assert found == [digest(large), digest(large[:5000]), digest(b""), digest(large[:100_000])]

"""What is no request, or two at once: refused, closed, and never taken for another's."""

import asyncio

import pytest

from laydown.http.bytes_head import LARGEST_HEAD
from laydown.http.bytes_protocol import ByteProtocol
from tests.byte_support import serving

pytestmark = pytest.mark.embedded  # whatever the engines: once is enough

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


class Seen:
    """An application that notes what it was asked, reads it to the end, and answers with it."""

    def __init__(self):
        self.paths = []
        self.gate = asyncio.Event()  # an answer to /slow waits for it
        self.entered = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.paths.append(scope["path"])
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            more = message["more_body"]
        if scope["path"] == "/slow":
            self.entered.set()
            await self.gate.wait()
        body = scope["path"].encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def seen():
    return Seen()


async def talk(app, *pieces, protocol=ByteProtocol):
    """Send pieces one after another, wait for the server to close; return what it said."""
    async with serving(app, protocol=protocol) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass  # it has closed, which is its right
        said = await reader.read()
        writer.close()
    return said


def statuses(said):
    """Return the status of each answer."""
    return [int(each[:3]) for each in said.split(b"HTTP/1.1 ")[1:]]


def post(*lines, body=b""):
    return b"\r\n".join([b"POST /first HTTP/1.1", b"Host: x", *lines, b"", b""]) + body


CONFUSING = [
    post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
    post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n" + SMUGGLED),
    post(b"Content-Length: 0", b"Content-Length: 34", body=SMUGGLED),
    post(b"Content-Length: 34", b"Content-Length: 34", body=SMUGGLED),
    post(b"Content-Length: 0, 34", body=SMUGGLED),
    post(b"Content-Length: +34", body=SMUGGLED),
    post(b"Content-Length: -1", body=SMUGGLED),
    post(b"Content-Length: 0x22", body=SMUGGLED),
    post(b"Content-Length: 99999999999999999999999", body=SMUGGLED),
    post(b"Content-Length : 34", body=SMUGGLED),
    post(b"Content-Length: 3 4", body=SMUGGLED),
    post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
    post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
    post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
    post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    post(b"X: a\r\n folded", body=SMUGGLED),
    post(b"X: a\rTransfer-Encoding: chunked", body=SMUGGLED),
    post(b"X: \0", body=SMUGGLED),
    post(b"X\0: a", body=SMUGGLED),
    post(b": a", body=SMUGGLED),
    post(b"no colon", body=SMUGGLED),
    b"POST /first HTTP/1.1\nHost: x\nContent-Length: 34\n\n" + SMUGGLED,
    b"POST /first HTTP/1.1\r\nHost: x\nX: y\r\n\r\n" + SMUGGLED,
    b"POST /a b HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED,
    b"POST /first HTTP/3.7\r\nHost: x\r\n\r\n" + SMUGGLED,
    b"POST /first\r\n" + SMUGGLED,
    b"BREW /first HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # TLS
    b"\0" * 100,
]


@pytest.mark.parametrize("sent", CONFUSING)
async def test_what_two_readers_could_read_differently_is_refused(seen, sent):
    """Of a request whose end is in doubt nothing that follows is taken for a request."""
    said = await talk(seen, sent)

    assert statuses(said) == [400], said
    assert "/smuggled" not in seen.paths
    head, _, body = said.partition(b"\r\n\r\n")
    assert b'"code":"malformed_request"' in body
    for line in (
        b"content-type: application/problem+json",
        b"x-content-type-options: nosniff",
        b"referrer-policy: no-referrer",
        b"connection: close",
        b"x-request-id: ",
    ):
        assert line in head, line


CHUNKED = post(b"Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    "body",
    [b"x\r\n", b"-1\r\n", b"5\r\nabcdefgh\r\n", b"fffffffffffffffff\r\n", b"1\n\na\r\n0\r\n\r\n",
     b"0x1\r\na\r\n0\r\n\r\n", b"1;\0\r\na\r\n"],
)  # fmt: skip
async def test_a_body_that_goes_wrong_ends_its_request(seen, body):
    """A chunk that is none ends the connection; what is before it is not taken for the body."""
    assert statuses(await talk(seen, CHUNKED + body + SMUGGLED)) == [400]
    assert seen.paths == ["/first"]
    seen.paths.clear()
    assert statuses(await talk(seen, CHUNKED, body + SMUGGLED)) == [400]
    assert "/smuggled" not in seen.paths


LARGE = b"x" * 240_000


@pytest.mark.parametrize(
    "sent",
    [
        post(b"X: " + LARGE),
        post(LARGE + b": x"),
        post(*(b"X-%d: y" % number for number in range(20_000))),
        b"GET /" + LARGE + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /bytes/" + LARGE + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        post(b"X: " + b"y" * LARGEST_HEAD),
    ],
)
@pytest.mark.parametrize("piece", [1_000_000, 10_000])
async def test_a_head_that_is_too_large_is_refused(seen, sent, piece):
    """However it comes, more than 32 KiB of a head are answered 431, and memory stays flat."""
    pieces = [sent[start : start + piece] for start in range(0, len(sent), piece)]
    said = await talk(seen, *pieces)

    assert statuses(said) == [431]
    assert b'"code":"headers_too_large"' in said
    assert seen.paths == []


async def test_a_head_of_usual_size_is_not_too_large(seen):
    """What proxies and browsers add fits, also behind other requests and in pieces."""
    usual = post(b"Cookie: " + b"y" * 16_000, b"Content-Length: 3", body=b"abc")
    last = post(b"Connection: close")
    stream = usual * 40 + last
    pieces = [stream[start : start + 50_001] for start in range(0, len(stream), 50_001)]
    assert statuses(await talk(seen, *pieces)) == [200] * 41


@pytest.mark.parametrize(
    ("rubbish", "status"), [(b"rubbish\r\n\r\n", 400), (post(b"X: " + LARGE), 431)]
)
async def test_rubbish_behind_a_request_takes_no_answer_from_it(seen, rubbish, status):
    """Requests before the one that is none get their own answers, in order; then it closes."""
    async with serving(seen) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        slow = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(slow + post(b"Content-Length: 2", body=b"ab") + rubbish)
        await seen.entered.wait()
        seen.gate.set()
        said = await reader.read()
        writer.close()

    assert statuses(said) == [200, 200, status]
    assert said.index(b"/slow") < said.index(b"/first") < said.index(b"problem+json")
    assert seen.paths == ["/slow", "/first"]


async def test_a_broken_body_behind_a_request_takes_no_answer_from_it(seen):
    """The same holds when the head was good and the body goes wrong."""
    async with serving(seen) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + CHUNKED + b"rubbish\r\n")
        await seen.entered.wait()
        seen.gate.set()
        said = await reader.read()
        writer.close()

    assert statuses(said) == [200, 400]
    assert seen.paths == ["/slow"]


@pytest.mark.parametrize("target", [b"*", b"http://other.example/first", b"//first", b"/%00"])
async def test_odd_targets_are_requests_or_refused(seen, target):
    """What is no path of ours is answered once, and the connection goes on or ends."""
    said = await talk(seen, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert len(statuses(said)) == 1
    assert statuses(said)[0] in (200, 400, 404)


async def test_a_tunnel_is_not_dug(seen):
    """CONNECT and upgrades to other protocols never get the connection."""
    for sent in (
        b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        post(b"Connection: upgrade, close", b"Upgrade: h2c"),
        post(b"Connection: upgrade, close", b"Upgrade: websocket"),
    ):
        said = await talk(seen, sent)
        assert 101 not in statuses(said)
        assert len(statuses(said)) == 1, said

"""The byte door over real connections: what it takes, what it refuses, and what it leaves."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from laydown.domain.upload import Upload
from laydown.http.bytes_pace import Patience
from tests.byte_support import files_below, make_upload
from tests.byte_yard import Yard, open_yard, request

pytestmark = pytest.mark.embedded

MIB = 1 << 20


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture(params=["fast lane", "common way"])
async def yard(
    request: pytest.FixtureRequest, tmp_path: Path, patience: Patience
) -> AsyncIterator[Yard]:
    """A door whose plain PUTs take the fast lane, and one that has none."""
    async with open_yard(tmp_path, patience=patience, lane=request.param == "fast lane") as yard:
        yield yard


@pytest.mark.parametrize("size", [0, 1, 200_000, MIB, 5 * MIB + 1])
async def test_a_body_that_is_taken_is_there(yard, size):
    """Whatever its size, an acknowledged body is an object with exactly its bytes."""
    body = hashlib.shake_128(b"body").digest(size)
    upload = make_upload(size)

    answer = await yard.put(yard.url(upload), body)

    assert answer.status == 200
    assert answer.body == b""
    (part,) = yard.book.parts.values()
    assert answer.headers["etag"] == f'"{part.crc64nvme:016x}"'
    assert yard.objects == [body]
    assert yard.is_clean


async def test_a_body_of_unknown_length_is_counted(yard):
    """A chunked body of the signed length is taken; a shorter or a longer one is not stored."""

    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 1000

    upload = make_upload(3000)
    answers = [await yard.put(yard.url(upload), chunks(count)) for count in (2, 4, 3)]

    assert [answer.status for answer in answers] == [400, 400, 200]
    assert [answer.code for answer in answers[:2]] == ["wrong_length"] * 2
    assert yard.objects == [b"x" * 3000]
    assert yard.is_clean


@pytest.mark.parametrize("announced", [0, 99, 101, 10**15])
async def test_an_announced_length_that_was_not_signed_is_refused_unread(yard, announced):
    """The answer comes before the body, which the server does not wait for."""
    upload = make_upload(100)
    sent = request(
        yard.url(upload),
        f"Content-Length: {announced}",
        "Connection: close",
        "Expect: 100-continue",
    )

    answer = await yard.talk(sent)

    assert answer.status == 400
    assert answer.code == "wrong_length"
    assert yard.intake.stats.bodies == 0


@pytest.mark.parametrize(
    ("header", "digest", "status"),
    [
        ("Content-Digest", hashlib.sha256, 200),
        ("X-Amz-Checksum-Sha256", hashlib.sha256, 200),
        ("Content-Digest", hashlib.sha3_256, 400),
        ("X-Amz-Checksum-Sha256", hashlib.sha3_256, 400),
    ],
)
@pytest.mark.parametrize("size", [1000, 3 * MIB])
async def test_a_checksum_is_verified_on_the_way(yard, header, digest, status, size):
    """With a checksum that is not the body's nothing is stored, however long the body is."""
    body = bytes(size)
    value = base64.b64encode(digest(body).digest()).decode()
    value = f"sha-256=:{value}:" if header == "Content-Digest" else value

    answer = await yard.put(yard.url(make_upload(size)), body, **{header: value})

    assert answer.status == status
    assert yard.objects == ([body] if status == 200 else [])
    assert yard.is_clean
    if status != 200:
        assert answer.code == "checksum_mismatch"


async def test_a_checksum_that_cannot_be_read_is_said(yard):
    """It is the request that is wrong, and nothing is read of the body."""
    answer = await yard.put(yard.url(make_upload(1)), b"x", **{"X-Amz-Checksum-Crc32c": "?"})

    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_an_altered_url_is_forbidden(yard):
    """A URL that is not ours to the letter gets 403 and touches nothing."""
    url = yard.url(make_upload(4)).replace("length=4", "length=5")

    answer = await yard.put(url, b"12345")

    assert (answer.status, answer.code) == (403, "bad_signature")
    assert b"signature=" not in answer.body
    assert yard.intake.stats.bodies == 0
    assert yard.door.refusals == {"bad_signature": 1}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PATCH", "OPTIONS"])
async def test_only_put_is_taken(yard, method):
    """Any other method is told which one there is."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{yard.port}") as session:
        response = await session.request(method, yard.url(make_upload(1)))
        assert response.status == 405
        assert response.headers["Allow"] == "PUT"


async def test_repeating_a_put_is_harmless(yard):
    """The same bytes again are 200, other bytes 409, and the first ones stay."""
    url = yard.url(make_upload(4))
    answers = [await yard.put(url, body) for body in (b"mine", b"mine", b"evil")]

    assert [answer.status for answer in answers] == [200, 200, 409]
    assert answers[2].code == "part_conflict"
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    assert yard.objects == [b"mine"]


async def test_an_upload_that_receives_no_more_takes_no_bytes(yard):
    """After sealing or cancelling, a good URL answers 409, and leaves no object."""
    upload = make_upload(4)
    yard.book.closed.add(upload.id)

    answer = await yard.put(yard.url(upload), b"late")

    assert (answer.status, answer.code) == (409, "not_receiving")
    assert yard.objects == []
    assert yard.is_clean


async def test_a_second_writer_is_refused_while_the_first_writes(yard):
    """One of two bodies for a part is refused at once; the first one is not disturbed."""
    url = yard.url(make_upload(4))
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(request(url, "Content-Length: 4", "Expect: 100-continue"))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")

    answer = await yard.put(url, b"evil")
    writer.write(b"mine")
    first = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert (answer.status, answer.code) == (409, "part_busy")
    assert answer.headers["retry-after"] == "1"
    assert first.startswith(b"HTTP/1.1 200")
    assert yard.objects == [b"mine"]


@pytest.mark.parametrize("size", [1000, 4 * MIB])
async def test_a_client_that_vanishes_leaves_nothing(yard, size):
    """A body cut off in the middle is dropped, from memory and from the disk."""
    upload = make_upload(size)
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(request(yard.url(upload), f"Content-Length: {size}", "Expect: 100-continue"))
    await reader.readuntil(b"\r\n\r\n")
    writer.write(bytes(size - 1))
    await writer.drain()
    writer.transport.abort()
    assert await yard.intake.drain(timeout=30)

    assert yard.objects == []
    assert yard.is_clean


class TestSlowClients:
    @pytest.fixture
    def patience(self) -> Patience:
        return Patience(idle=0.15, slowest=1e9, grace=60.0)

    async def test_a_silent_client_is_left(self, yard):
        """A client that stops sending is told so and let go, and a neighbour isn't kept waiting."""
        upload, neighbour = make_upload(100), make_upload(4)
        silent = yard.talk(request(yard.url(upload), "Content-Length: 100", body=b"half"))

        answers = await asyncio.gather(silent, yard.put(yard.url(neighbour), b"fast"))

        assert [answer.status for answer in answers] == [408, 200]
        assert answers[0].code == "client_gone"
        assert yard.objects == [b"fast"]
        assert yard.is_clean


class TestDripping:
    @pytest.fixture
    def patience(self) -> Patience:
        return Patience(idle=0.3, slowest=1e6, grace=0.0)

    async def test_a_client_that_drips_is_left(self, yard):
        """A client that always sends a little, but too little, is let go as well."""
        reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
        writer.write(request(yard.url(make_upload(1000)), "Content-Length: 1000", body=b"drip"))
        said = await reader.readuntil(b"\r\n\r\n")
        writer.close()

        assert said.startswith(b"HTTP/1.1 408")
        assert yard.objects == []


async def test_a_refusal_does_not_read_the_body(yard):
    """A body of a gigabyte that is refused is answered at once, and the connection closed."""
    url = yard.url(make_upload(1 << 30)).replace("length=", "length=1")
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(request(url, f"Content-Length: {1 << 30}", body=bytes(100_000)))
    said = await reader.readuntil(b"\r\n\r\n")
    writer.write_eof()
    writer.close()

    assert said.startswith(b"HTTP/1.1 403")
    assert b"connection: close" in said.lower()


async def test_a_client_that_sends_before_it_reads_learns_why_it_was_refused(yard):
    """A body that fills every buffer on the way does not cost the client the answer."""
    url = yard.url(make_upload(MIB)).replace("/1?", "/2?")

    answers = [await yard.put(url, bytes(MIB)) for _ in range(10)]

    assert [(answer.status, answer.code) for answer in answers] == [(403, "bad_signature")] * 10


async def test_a_connection_serves_one_body_after_another(yard):
    """A body that was read to its end, taken or refused, leaves the connection as it was."""
    mine, good = yard.url(make_upload(4)), yard.url(make_upload(4))
    said = await yard.talk(
        request(mine, "Content-Length: 4", body=b"mine")
        + request(mine, "Content-Length: 4", body=b"evil")
        + request(good, "Content-Length: 4", "Connection: close", body=b"good")
    )

    assert said.status == 200
    assert said.body.count(b"HTTP/1.1 409") == 1
    assert said.body.count(b"HTTP/1.1 200") == 1
    assert sorted(yard.objects) == [b"good", b"mine"]


async def test_two_lengths_are_refused(yard):
    """A request that says both how long it is and that it does not know is refused (smuggling)."""
    sent = request(
        yard.url(make_upload(4)),
        "Content-Length: 4",
        "Transfer-Encoding: chunked",
        body=b"4\r\nevil\r\n0\r\n\r\n",
    )
    answer = await yard.talk(sent)

    assert answer.status == 400
    assert yard.objects == []


async def test_parts_of_a_file_travel_side_by_side(yard):
    """Parts sent at once and out of order land where they belong."""
    size, part = 5 * MIB + 10, 2 * MIB
    body = hashlib.shake_128(b"parts").digest(size)
    upload = make_upload(size, part_size=part)
    slices = {number: body[(number - 1) * part :][:part] for number in (3, 1, 2)}

    answers = await asyncio.gather(
        *(
            yard.put(yard.url(upload, number, length=len(piece)), piece)
            for number, piece in slices.items()
        )
    )

    assert [answer.status for answer in answers] == [200] * 3
    assert [path.read_bytes() for path in files_below(yard.root / "staged")] == [body]


async def test_hundreds_of_bodies_at_once_share_flushes(yard):
    """Whoever comes together is flushed together, and everyone gets the right answer."""
    uploads = [make_upload(100 + number) for number in range(200)]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{yard.port}") as session:

        async def send(upload: Upload) -> int:
            async with session.put(yard.url(upload), data=bytes(upload.entry.size)) as response:
                return response.status

        statuses = await asyncio.gather(*map(send, uploads))

    assert statuses == [200] * 200
    assert sorted(map(len, yard.objects)) == [upload.entry.size for upload in uploads]
    assert yard.intake.stats.groups < 200


async def test_while_stopping_nothing_new_is_admitted(yard):
    """A client is told to come back, with the time after which it makes sense."""
    assert await yard.intake.drain(timeout=30)

    answer = await yard.put(yard.url(make_upload(4)), b"late")

    assert (answer.status, answer.code) == (503, "stopping")
    assert "retry-after" in answer.headers


async def test_without_the_ledger_the_client_is_asked_to_come_back(yard):
    """The database being away is 503 with Retry-After; afterwards the same URL works."""
    url = yard.url(make_upload(4))
    yard.book.is_down = True
    answer = await yard.put(url, b"data")
    yard.book.is_down = False

    assert (answer.status, answer.code) == (503, "ledger_unavailable")
    assert "retry-after" in answer.headers
    assert (await yard.put(url, b"data")).status == 200

"""Forms that are wrong, break off or never end: an answer within limits, and nothing half-kept."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import pytest

from tests.api.forms_talk import BOUNDARY, TYPE, field, file, form, part, send, sent, states
from tests.api.talk import PATIENCE, Json, Talk, talking

T = TypeVar("T")
KIB, MIB = 1 << 10, 1 << 20


@dataclass
class Line:
    """A connection on which a form is sent by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_all(self, pieces: Iterable[bytes]) -> None:
        """Send until there is no more, or the server has had enough."""
        with suppress(ConnectionError):
            for piece in pieces:
                await self.send(piece)

    async def answer(self) -> tuple[int, Json]:
        """Return the status and the body of the answer."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            body = await self.reader.readexactly(length)
        return int(head.split()[1]), json.loads(body)


async def begun(talk: Talk, project: str, *headers: str, length: int = 10**9) -> Line:
    """Open a connection and send the head of a form."""
    address = urlsplit(talk.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    lines = [
        f"POST /v1/projects/{project}/files HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: Bearer {talk.token}",
        f"Content-Type: {TYPE}",
        f"Content-Length: {length}",
        *headers,
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    return Line(reader, writer)


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    """Return what is found once something is."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):  # noqa: ASYNC110 - the server sets no event here
            await asyncio.sleep(0.02)
    return found


async def kept(server) -> int:
    """Return how many objects there are, finished or not."""
    return len([stored async for stored in server.store.objects()])


WHOLE = form(file("a.txt", b"a" * 100), file("b.txt", b"b" * 300_000))


@pytest.mark.parametrize("missing", [2, 4, 40, 100_000, 300_100])
async def test_what_was_whole_stays_when_a_form_is_cut(server, ours, project, missing):
    """A form without its end is 400, says what was kept and where; the rest is not there at all."""
    answer = await send(ours, project, body=WHOLE[: len(WHOLE) - missing])
    is_whole = missing == 2  # only the line's end is missing
    if is_whole:
        assert answer.status == 201
        return
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert "before its last boundary" in answer.json["detail"]
    assert "1 file that was whole" in answer.json["detail"]
    batch = await ours.get(answer.headers["Location"])
    assert (batch["state"], batch["declared"]["count"]) == ("closed", 1)
    await server.run_until_quiet()
    assert (await ours.batch(batch["id"]))["counts"] == {"ready": 1}
    assert await kept(server) == 1


async def test_nothing_stays_of_a_file_that_was_cut(server, ours, project):
    """A form cut in its first file leaves no object, and says that none was kept."""
    answer = await send(ours, project, body=form(file("a.bin", bytes(9 * MIB)))[: 8 * MIB])
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert "No file of it was kept" in answer.json["detail"]
    assert await kept(server) == 0


async def test_the_same_form_again_completes_what_was_cut(server, ours, project):
    """With a reference, sending all of it again adds what is missing and nothing twice."""
    parts = [field("reference", "r"), *(file(f"{n}.txt", b"%d" % n) for n in range(5))]
    cut = await send(ours, project, body=form(*parts)[:-200])
    assert cut.status == 400
    again = await sent(ours, project, *parts)
    assert cut.headers["Location"].endswith(again["batch_id"])
    await server.run_until_quiet()
    assert (await ours.batch(again["batch_id"]))["counts"] == {"ready": 5}


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("application/json", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("multipart/mixed; boundary=x", 415, "unsupported_media_type"),
        ("", 415, "unsupported_media_type"),
        ("multipart/form-data", 400, "invalid_request"),
        ("multipart/form-data; boundary=", 400, "invalid_request"),
        ('multipart/form-data; boundary=""', 400, "invalid_request"),
        (f"multipart/form-data; boundary={'b' * 71}", 400, "invalid_request"),
        ('multipart/form-data; boundary="a<b"', 400, "invalid_request"),
        ("multipart/form-data; boundary=another", 400, "invalid_request"),
    ],
)
async def test_what_is_no_form_is_refused(server, ours, project, content_type, status, code):
    """Another type, no boundary, and one that isn't the body's are told apart."""
    answer = await send(ours, project, file("a.txt", b"a"), headers={"Content-Type": content_type})
    assert (answer.status, answer.code) == (status, code)
    assert await kept(server) == 0


async def test_a_compressed_form_is_refused(ours, project):
    """Nothing is unpacked on the way in."""
    headers = {"Content-Encoding": "gzip"}
    answer = await send(ours, project, file("a.txt", b"a"), headers=headers)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"nonsense",
        b"\r\n\r\n",
        f"--{BOUNDARY}--\r\n".encode(),
        form(part(b"attachment; filename=a", b"x")),
        form(part(b'form-data; name="a"; filename="b"; filename="c"', b"x")),
        form(b"--" + BOUNDARY.encode() + b"\r\n\r\nno head\r\n"),
        form(b"--" + BOUNDARY.encode() + b"\r\nBad Header: x\r\n\r\nx\r\n"),
        form(field("a", "b")),
        form(file("", b"")),
        b"x" * 200_000,
        b"\r" * 200_000,
        b"\r\n--" * 50_000,
    ],
    ids=range(14),
)
async def test_a_broken_form_is_a_bad_request(server, ours, project, body):
    """Whatever is wrong with it, and with no file in it, the answer is 400 and a sentence."""
    answer = await send(ours, project, body=body)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert (await ours.get("/v1/batches"))["items"] == []
    assert await kept(server) == 0


async def test_a_file_input_without_a_file_is_no_file(ours, project):
    """Browsers send an empty part for it; it is passed over."""
    answer = await sent(ours, project, file("", b""), file("a.txt", b"a"), file("", b""))
    assert [each["path"] for each in answer["files"]] == ["a.txt"]


async def test_bytes_without_a_name_are_refused(ours, project):
    """A file without a name, and without a path before it, is rejected by itself."""
    answer = await send(ours, project, file("", b"x"), field("path", "named.txt"), file("", b"y"))
    assert answer.status == 207
    assert states(answer.json) == [("rejected", "illegal_name"), ("checking", None)]
    assert answer.json["files"][1]["path"] == "named.txt"


async def test_a_name_nobody_can_read_is_refused_and_shown(ours, project):
    """A name in an encoding that nobody declared is rejected; declared, it is taken."""
    raw = "Grundriß.txt".encode("latin-1")
    answer = await send(ours, project, file(raw, b"x"))
    assert answer.status == 207
    assert states(answer.json) == [("rejected", "illegal_name")]
    assert "UTF-8" in answer.json["files"][0]["detail"]
    answer = await sent(ours, project, field("_charset_", "iso-8859-1"), file(raw, b"x"))
    assert answer["files"][0]["path"] == "Grundriß.txt"


@pytest.mark.parametrize(
    "endless",
    [
        b"Content-Disposition: form-data; name=" + b"x" * 64 * KIB,
        b"X" * 64 * KIB,
        b"X: y\r\n" * 100,
    ],
    ids=["value", "name", "count"],
)
async def test_an_endless_head_is_refused(ours, project, endless):
    """A part's head that goes on and on is cut short while it still comes."""
    line = await begun(ours, project)
    await line.send_all([f"--{BOUNDARY}\r\n".encode(), endless])
    status, problem = await line.answer()
    assert (status, problem["code"]) == (400, "invalid_request")
    line.writer.close()


async def test_a_million_fields_are_refused_early(ours, project):
    """After a thousand of them the answer is 413, whatever still comes."""
    line = await begun(ours, project)
    tiny = field("a", "b") * 1_000
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(line.send_all(tiny for _ in range(1_000)))
        status, problem = await line.answer()
        sending.cancel()
    assert (status, problem["code"]) == (413, "request_too_large")
    line.writer.close()


async def test_a_field_has_its_limit(ours, project):
    """64 KiB are a field; more are refused, and told what may be meant."""
    fits = await sent(ours, project, field("note", "x" * 64 * KIB), file("a.txt", b"a"))
    assert fits["ignored_fields"] == ["note"]
    answer = await send(ours, project, field("note", "x" * (64 * KIB + 1)), file("a.txt", b"a"))
    assert (answer.status, answer.code) == (413, "request_too_large")
    assert "filename" in answer.json["detail"]


@pytest.mark.embedded  # five thousand objects say nothing new about another store
async def test_five_thousand_files_are_a_form(ours, project):
    """The next one is refused; those before it are kept, and said to be."""
    files = [file(f"{n}.txt", b"%d" % n) for n in range(5_001)]
    answer = await send(ours, project, *files)
    assert (answer.status, answer.code) == (413, "request_too_large")
    assert "5,000 files that were" in answer.json["detail"]
    batch = await ours.get(answer.headers["Location"])
    assert batch["declared"]["count"] == 5_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reference", ""),
        ("reference", "x" * 201),
        ("reference", "a\nb"),
        ("label", "x" * 201),
        ("on_conflict", "overwrite"),
        ("folder", b"\xff"),
    ],
)
async def test_a_field_that_is_wrong_is_pointed_at(ours, project, name, value):
    """Nothing of the form is taken, and the fault is the field's."""
    answer = await send(ours, project, field(name, value), file("a.txt", b"a"))
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert [fault["pointer"] for fault in answer.json["errors"]] == [f"/{name}"]
    assert (await ours.get("/v1/batches"))["items"] == []


async def test_a_form_that_is_announced_too_large_is_refused_unread(ours, project):
    """413 comes before the body, which the client need not send."""
    line = await begun(ours, project, "Expect: 100-continue", length=10**15)
    status, problem = await line.answer()
    assert (status, problem["code"]) == (413, "request_too_large")
    line.writer.close()


async def test_without_a_token_nothing_is_read(server, ours, project):
    """401 comes before the body."""
    line = await begun(Talk(ours._session, ours.url, "ldn_nobody"), project, "Expect: 100-continue")
    status, problem = await line.answer()
    assert (status, problem["code"]) == (401, "unauthenticated")
    line.writer.close()
    assert await kept(server) == 0


@pytest.mark.knobs(body_patience=timedelta(seconds=0.3))
async def test_who_stops_sending_is_let_go(server, ours, project):
    """408 after the patience, with what was whole before; the file under way leaves nothing."""
    line = await begun(ours, project)
    await line.send(file("a.txt", b"a") + file("b.bin", bytes(3 * MIB))[:-100_000])
    status, problem = await line.answer()
    assert (status, problem["code"]) == (408, "client_gone")
    assert "1 file that was whole" in problem["detail"]
    line.writer.close()
    assert await kept(server) == 1


async def test_who_is_revoked_in_the_middle_goes_no_further(server, ours, project):
    """A link revoked while its form comes gets no more in; what was declared before stays."""
    made = await ours.ask("POST", f"/v1/projects/{project}/links", {"label": "roof"}, expect=201)
    async with talking(server.url, made.json["secret"]) as roofer:
        line = await begun(roofer, project)
        await line.send(file("a.txt", b"a") + file("b.txt", b"b")[:-1])
        await eventually(lambda: _begun(ours))
        await ours.ask("DELETE", f"/v1/links/{made.json['link']['id']}", expect=204)
        await line.send(b"\n" + file("c.bin", bytes(MIB))[:-10])  # and then no more for long
        status, problem = await line.answer()
    assert (status, problem["code"]) == (401, "unauthenticated")
    assert "1 file that was whole" in problem["detail"]
    line.writer.close()


@pytest.mark.parametrize("sending", [0, 100, 3 * MIB, 20 * MIB])
async def test_who_goes_away_leaves_what_was_whole(server, ours, project, sending):
    """A connection that breaks inside the second file leaves the first, and no trace of it."""
    line = await begun(ours, project)
    await line.send(file("a.txt", b"a") + file("b.bin", bytes(21 * MIB))[: 200 + sending])
    await eventually(lambda: _begun(ours))
    line.writer.transport.abort()
    batch = await eventually(lambda: _closed(ours))
    await server.run_until_quiet()
    assert (await ours.batch(batch["id"]))["counts"] == {"ready": 1}
    assert await eventually(lambda: _only_one(server))


async def _begun(talk: Talk) -> bool:
    """Say whether a form's first file is declared."""
    found = (await talk.get("/v1/batches"))["items"]
    return bool(found and found[0]["declared"]["count"])


async def _closed(talk: Talk) -> Json | None:
    """Return the batch of a form, once it is closed."""
    found = (await talk.get("/v1/batches"))["items"]
    return found[0] if found and found[0]["state"] != "open" else None


async def _only_one(server) -> bool:
    return await kept(server) == 1

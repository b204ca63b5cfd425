"""Clients that hold what they can for as long as they can, and those who just want to deliver."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from laydown.http.bytes_protocol import ByteProtocol
from tests.api.talk import PATIENCE, entry

pytestmark = pytest.mark.embedded

CROWD = 70  # of each kind: 60 stalled bodies of files and 200 clients in all are asked for
UNREAD = 40  # answers, more than the buffers on the way hold


@pytest.fixture
def short_heads(monkeypatch):
    """Wait for heads of requests as long as the test waits for bodies, and no longer."""
    monkeypatch.setattr(ByteProtocol, "head_patience", 3.0)


async def begun(server, sent):
    """Return a connection that has sent something, and will send no more."""
    url = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def last_word(reader, writer):
    """Read until the server closes; return the status that it told, if any."""
    try:
        said = await reader.read()
    except ConnectionError:
        said = b""
    writer.close()
    return said[9:12].decode()


@pytest.mark.usefixtures("short_heads")
@pytest.mark.knobs(body_patience=timedelta(seconds=3))
async def test_a_delivery_goes_through_a_crowd_of_stalled_clients(server, ours, project):
    """While hundreds stall in heads, bodies and answers, files go in; and those are all let go."""
    files = [entry(f"{number}.txt", b"%100d" % number) for number in range(CROWD)]
    declared = await ours.declare(project, *files)
    grants = await ours.grants(declared["batch"]["id"])
    with_token = f"Host: x\r\nAuthorization: Bearer {ours.token}\r\n"
    kinds = {
        "head": ["GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "] * CROWD,
        "json": [f"POST /v1/projects HTTP/1.1\r\n{with_token}Content-Length: 100\r\n\r\n{{"]
        * CROWD,
        "file": [
            f"PUT {part['url']} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nslow"
            for granted in grants
            for part in granted["parts"]
        ],
        "unread": ["PUT /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"] * CROWD,
    }
    assert len(kinds["file"]) == CROWD
    async with asyncio.timeout(2 * PATIENCE):
        stalled = {
            kind: [await begun(server, each.encode()) for each in sent]
            for kind, sent in kinds.items()
        }
        unread = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * UNREAD
        readers = [await begun(server, unread.encode()) for _ in range(10)]

        batch, _ = await ours.lay(project, {"wanted.txt": b"wanted"}, reference="wanted")
        await server.run_until_quiet()
        assert (await ours.state(batch, "wanted.txt"))[0] == "ready"

        told = {
            kind: {await last_word(*each) for each in connections}
            for kind, connections in stalled.items()
        }
        for _, writer in readers:
            writer.transport.abort()
        assert told == {"head": {""}, "json": {"408"}, "file": {"408"}, "unread": {"405"}}
        assert (await ours.get("/readyz"))["ok"]

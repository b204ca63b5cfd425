"""The two pages of a worker, `/livez` and `/metrics`, and how another process reads them.

A worker needs no web framework for them: it answers GET, one request a connection.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from socket import socket

_LONGEST_HEAD = 8_192  # bytes of a request line and its headers
_LONGEST_PAGE = 8 << 20  # bytes; ours have some ten thousand
_PATIENCE = 5.0  # seconds for a request's head, and for its answer to be taken
_GLANCE = 2.0  # seconds in which a worker on the same machine answers, if it is alive
_JSON = "application/json"

Page = Callable[[], tuple[bytes, str]]  # the body and its media type


@asynccontextmanager
async def served(listener: socket, *, metrics: Page, version: str) -> AsyncIterator[None]:
    """Serve `/livez` and `/metrics` on *listener* while the block runs; it is closed after that."""
    alive = json.dumps({"ok": True, "version": version}).encode()
    pages: dict[str, Page] = {"/livez": lambda: (alive, _JSON), "/metrics": metrics}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            OSError, TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError
        ):
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, pages))
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(answer, sock=listener, limit=_LONGEST_HEAD):
        yield


def _answer(head: bytes, pages: dict[str, Page]) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
    status, body, media_type = HTTPStatus.OK, b"", "text/plain"
    if path not in pages:
        status = HTTPStatus.NOT_FOUND
    elif method not in (b"GET", b"HEAD"):
        status = HTTPStatus.METHOD_NOT_ALLOWED
    else:
        body, media_type = pages[path]()
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append("Allow: GET, HEAD")
    said = "\r\n".join([*lines, "", ""]).encode()
    return said if method == b"HEAD" else said + body


async def metrics_of(host: str, port: int) -> bytes:
    """Return the metrics of a worker, nothing while it does not answer."""
    try:
        async with asyncio.timeout(_GLANCE):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                answer = await _to_its_end(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if b" 200 " in head.partition(b"\r\n")[0] else b""


async def _to_its_end(reader: asyncio.StreamReader) -> bytes:
    answer = bytearray()
    while len(answer) < _LONGEST_PAGE and (chunk := await reader.read(65_536)):
        answer += chunk
    return bytes(answer)


def joined(ours: bytes, theirs: bytes) -> bytes:
    """Return two processes' metrics as one page, each metric named once.

    What both have differs in its labels.
    """
    pages: dict[bytes, list[bytes]] = {}
    for name, lines in (*_metrics(ours), *_metrics(theirs)):
        known = pages.setdefault(name, [])
        known += [line for line in lines if not (known and line.startswith(b"#"))]
    return b"".join(line + b"\n" for lines in pages.values() for line in lines)


def _metrics(page: bytes) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield each metric's name with its lines."""
    name, lines = b"", list[bytes]()
    for line in page.splitlines():
        if line.startswith(b"# HELP "):
            if lines:
                yield name, lines
            name, lines = line.split(b" ", 3)[2], []
        lines.append(line)
    if lines:
        yield name, lines

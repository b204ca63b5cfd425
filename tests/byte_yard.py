"""A byte door at work, and clients of it that speak plain HTTP."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from starlette.types import Receive, Scope, Send

from laydown.domain.upload import Upload
from laydown.http.bytes import ByteDoor
from laydown.http.bytes_keys import KeyRing
from laydown.http.bytes_pace import Patience
from laydown.http.bytes_urls import ByteUrls
from laydown.objects.disk import DiskStore
from laydown.objects.intake import Intake
from tests.byte_support import Book, files_below, serving


class WatchedDoor(ByteDoor):
    """A door that counts who comes the common way."""

    common = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.common += 1
        await super().__call__(scope, receive, send)


@dataclass
class Yard:
    """A running door with all that stands behind it."""

    port: int
    root: Path
    book: Book
    intake: Intake
    door: WatchedDoor
    urls: ByteUrls

    def url(self, upload: Upload, number: int = 1, *, length: int | None = None) -> str:
        size = upload.entry.size if length is None else length
        return self.urls.sign_part(upload, number, length=size, checksum=None).url

    async def put(self, url: str, body: object, **headers: str) -> "Answer":
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{self.port}") as session,
            session.put(url, data=_payload(body), headers=headers) as response,
        ):
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, await response.read())

    async def talk(self, sent: bytes) -> "Answer":
        """Send raw bytes, wait for the server to close, and return what it said."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        said = await reader.read()
        writer.close()
        head, _, body = said.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return Answer(int(status.split()[1]), headers, body)

    @property
    def objects(self) -> list[bytes]:
        return [path.read_bytes() for path in files_below(self.root / "u")]

    @property
    def is_clean(self) -> bool:
        """Whether no body left anything half-written or in memory."""
        return (
            files_below(self.root / "incoming") == []
            and self.intake.budget.held == 0
            and self.intake.in_flight == 0
        )


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        problem = json.loads(self.body)
        assert problem["status"] == self.status
        return str(problem["code"])


@asynccontextmanager
async def open_yard(
    root: Path, *, patience: Patience | None = None, lane: bool = True
) -> AsyncIterator[Yard]:
    """Serve a store below *root*; without a fast lane, if so wished."""
    store = DiskStore.open(root)
    book = Book()
    urls = ByteUrls(KeyRing.open(root / "signing-keys.json"))
    intake = Intake(store, recorder=book.record, landed=book.landed)
    door = WatchedDoor(intake, urls, patience=patience)

    async def only_door(scope: Scope, receive: Receive, send: Send) -> None:
        await door(scope, receive, send)

    async with intake.running(), serving(door if lane else only_door) as port:
        yield Yard(port, root, book, intake, door, urls)
    store.close()


def _payload(body: object) -> object:
    """Return what aiohttp sends without warning of large bodies."""
    return io.BytesIO(body) if isinstance(body, bytes) else body


def request(url: str, *lines: str, body: bytes = b"") -> bytes:
    head = "\r\n".join([f"PUT {url} HTTP/1.1", "Host: laydown", *lines])
    return head.encode() + b"\r\n\r\n" + body

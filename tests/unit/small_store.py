"""A small real HTTP server that takes and refuses bytes as S3 does, at an origin of its own."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from aiohttp import web
from awscrt import checksums

from tests.unit.disturbance import Disturbed

CHECKSUM = "x-amz-checksum-crc64nvme"


def refused(status: int, code: str, message: str = "No.") -> web.Response:
    """Return an error as S3 writes it, with what must never be shown to anybody."""
    said = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        f"<Message>{message}</Message><StringToSign>SECRET</StringToSign></Error>"
    )
    return web.Response(status=status, body=said.encode(), content_type="application/xml")


class SmallStore(Disturbed):
    """One bucket: objects by key, parts by key and number. Every URL is good for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.granted: dict[str, Mapping[str, str]] = {}  # headers, by path and query
        self.asked: list[str] = []  # method and path of each request
        self.seen: list[Mapping[str, str]] = []  # headers of each request
        self.bodies: list[int] = []  # sizes of what was taken
        self.cut_after: int | None = None  # bytes of the next download
        self.stalls = 0  # larger bodies that are not read
        self.is_losing_answers = False  # of PUTs whose bytes it has taken

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SmallStore"]:
        """Listen on a free port while inside."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self
        finally:
            await runner.cleanup()

    def grant(
        self, key: str, number: int, *, size: int, is_part: bool, checksum: str | None
    ) -> tuple[str, Mapping[str, str]]:
        """Return the URL and the headers that let somebody send a part."""
        headers = {"content-length": str(size)}
        if not is_part:
            headers["If-None-Match"] = "*"
        if checksum is not None:
            headers[CHECKSUM] = checksum.removeprefix("crc64nvme:")
        signature = f"{len(self.granted)}%2Fs3"  # an escape that must not be touched
        target = f"/bucket/{key}?partNumber={number}&signature={signature}"
        self.granted[target] = headers
        return self.url + target, headers

    def has(self, key: str) -> Mapping[int, bytes]:
        """Return the parts that are here; an object is its own first."""
        return {1: self.objects[key]} if key in self.objects else self.parts.get(key, {})

    def count_of(self, method: str) -> int:
        """Return how many such requests there were."""
        return sum(each.startswith(f"{method} ") for each in self.asked)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        self.seen.append(request.headers)
        if (answer := self.disturbance(request)) is not None:
            return answer
        if self.stalls and (request.content_length or 0) > 1 << 20:
            self.stalls -= 1
            await asyncio.Event().wait()
        if "Authorization" in request.headers:
            return refused(400, "InvalidArgument", "Only one auth mechanism allowed")
        match request.method:
            case "PUT":
                return await self._put(request)
            case "GET":
                return await self._get(request)
            case _:
                return web.Response(status=403)

    async def _put(self, request: web.Request) -> web.StreamResponse:
        granted = self.granted.get(request.raw_path)
        given = {name.lower(): text for name, text in request.headers.items()}
        wanted = {name.lower(): text for name, text in (granted or {}).items()}
        theirs = {name for name in given if name.startswith("x-amz-")}
        if granted is None or not wanted.items() <= given.items() or theirs - wanted.keys():
            return refused(403, "SignatureDoesNotMatch")
        body = await request.read()
        crc = base64.b64encode(checksums.crc64nvme(body).to_bytes(8, "big")).decode()
        if wanted.get(CHECKSUM, crc) != crc:
            return refused(400, "BadDigest", "The CRC64NVME you specified did not match")
        key = request.path.removeprefix("/bucket/")
        if "if-none-match" not in wanted:
            self.parts.setdefault(key, {})[int(request.query["partNumber"])] = body
        elif key in self.objects:
            return refused(412, "PreconditionFailed")
        else:
            self.objects[key] = body
        self.bodies.append(len(body))
        if self.is_losing_answers:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(headers={"ETag": '"e"'})

    async def _get(self, request: web.Request) -> web.StreamResponse:
        content = self.objects[request.path.removeprefix("/bucket/")]
        given = request.headers.get("Range")
        start = 0 if given is None else int(given.removeprefix("bytes=").removesuffix("-"))
        answer = web.StreamResponse(status=200 if given is None else 206)
        answer.content_length = len(content) - start
        await answer.prepare(request)
        limit, self.cut_after = self.cut_after, None
        await answer.write(content[start:][:limit])
        if limit is not None:
            assert request.transport is not None
            request.transport.close()  # what was written still arrives
        return answer


def key_of(upload: UUID, attempt: int) -> str:
    """Return where an attempt's bytes are kept."""
    return f"u/{upload}/{attempt}"

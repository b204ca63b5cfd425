"""Stands between us and a real S3, and does to answers what networks and loaded servers do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"


@dataclass(kw_only=True)
class FaultyProxy:
    """Passes requests on, signatures intact, but for those that it was told to spoil."""

    origin: str
    url: str = ""
    asked: list[str] = field(default_factory=list)  # method and path with query of each request
    refusals: list[tuple[int, bytes]] = field(default_factory=list)  # of the next requests
    cuts: list[int] = field(default_factory=list)  # bytes after which next GETs break off
    before_resume: Callable[[], Awaitable[None]] | None = None  # once something was cut
    loses_answers_to: str | None = None  # how such requests begin; they are done
    is_silent: bool = False  # answers nothing, leaving connections open

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FaultyProxy"]:
        """Listen on a free port while inside."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        async with aiohttp.ClientSession(auto_decompress=False) as self._session:
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                self.url = "http://{}:{}".format(*runner.addresses[0][:2])
                yield self
            finally:
                await runner.cleanup()

    def count_of(self, method: str, part: str = "") -> int:
        """Return how many such requests there were."""
        return sum(each.startswith(f"{method} ") and part in each for each in self.asked)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = f"{request.method} {request.raw_path}"
        self.asked.append(asked)
        if self.is_silent:
            await asyncio.Event().wait()
        if self.refusals:
            status, body = self.refusals.pop(0)
            return web.Response(status=status, body=body, content_type="application/xml")
        if len(self.asked) > 1 and self.before_resume is not None and "Range" in request.headers:
            await self.before_resume()
        body = await request.read()
        async with self._session.request(
            request.method,
            URL(self.origin + request.raw_path, encoded=True),
            headers=request.headers,
            data=body or None,
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
            lost = self.loses_answers_to
            if lost is not None and asked.startswith(lost):
                return self._torn(request)
            return await self._passed_on(request, answer, content)

    async def _passed_on(
        self, request: web.Request, answer: aiohttp.ClientResponse, content: bytes
    ) -> web.StreamResponse:
        headers = answer.headers.copy()
        for name in ("Connection", "Transfer-Encoding", "Content-Encoding"):
            headers.popall(name, None)
        if request.method == "GET" and answer.status in {200, 206} and self.cuts:
            response = web.StreamResponse(status=answer.status, headers=headers)
            response.content_length = len(content)
            await response.prepare(request)
            await response.write(content[: self.cuts.pop(0)])
            return self._torn(request)
        response = web.Response(
            status=answer.status,
            headers=headers,
            body=b"" if request.method == "HEAD" else content,
        )
        if request.method == "HEAD":
            response.headers["Content-Length"] = answer.headers.get("Content-Length", "0")
        return response

    def _torn(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

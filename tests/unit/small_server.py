"""A small real HTTP server that speaks `laydown.wire`, with obstacles to order."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from aiohttp import web

from laydown import wire
from tests.unit.disturbance import Disturbed
from tests.unit.small_batch import NOW, SmallBatch
from tests.unit.small_store import SmallStore

TOKEN = "ldn_small"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(status: int, code: str, **headers: str) -> web.Response:
    """Return a problem document."""
    said = wire.Problem(type=f"/docs#{code}", title=code, status=status, detail=code, code=code)
    return web.Response(
        body=msgspec.json.encode(said),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )


class SmallServer(Disturbed):
    """One project, one batch, one version; with a *store*, bytes go there."""

    def __init__(self, *, part_size: int | None = None, store: SmallStore | None = None) -> None:
        super().__init__()
        self.batch = SmallBatch(part_size=part_size, store=store)
        self.store = store
        self.reported: dict[UUID, int] = {}  # bytes that the client says it has sent
        self.project = wire.Project(
            id=self.batch.project_id, code="SITE", name="SITE", created_at=NOW
        )
        self.has_project = False
        self.content = b""  # of the one version
        self.asked: list[str] = []  # method and path of each request
        self.bodies: list[int] = []  # sizes of the parts that were taken
        self.url = ""
        self.ranges: list[str | None] = []  # that were asked for
        self._streams: list[web.Request] = []
        self._content_limit: int | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SmallServer"]:
        """Listen on a free port while inside."""

        @web.middleware
        async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._door(request, handler)

        app = web.Application(middlewares=[door], client_max_size=1 << 30)
        for method, path, handler in self._routes():
            app.router.add_route(method, path, handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def cut_streams(self) -> None:
        """Cut every event stream that is open."""
        for request in self._streams:
            if request.transport is not None:
                request.transport.abort()
        self._streams.clear()

    def send_only(self, count: int) -> None:
        """Break the next download off after so many bytes."""
        self._content_limit = count

    def count(self, asked: str) -> int:
        """Return how many requests began with *asked*, such as `PUT /bytes`."""
        return sum(each.startswith(asked) for each in self.asked)

    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        if (answer := self.disturbance(request)) is not None:
            return answer
        is_open = request.path.startswith(("/bytes/", "/livez", "/readyz"))
        if not is_open and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return problem(401, "unauthenticated")
        return await handler(request)

    def _routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/livez", self._health),
            ("GET", "/readyz", self._health),
            ("GET", "/v1/projects", self._projects),
            ("POST", "/v1/projects", self._project),
            ("POST", "/v1/projects/{project}/batches", self._open),
            ("POST", "/v1/batches/{batch}/entries", self._more),
            ("POST", "/v1/batches/{batch}/grants", self._grants),
            ("POST", "/v1/batches/{batch}/progress", self._progress),
            ("POST", "/v1/batches/{batch}/completions", self._completions),
            ("POST", "/v1/batches/{batch}/close", self._close),
            ("POST", "/v1/batches/{batch}/retry", self._retry),
            ("GET", "/v1/batches/{batch}", self._batch),
            ("GET", "/v1/batches/{batch}/uploads", self._uploads),
            ("GET", "/v1/batches/{batch}/events", self._events),
            ("GET", "/v1/batches/{batch}/receipt", self._receipt),
            ("GET", "/v1/uploads/{upload}", self._upload),
            ("DELETE", "/v1/uploads/{upload}", self._cancel),
            ("PUT", "/bytes/{upload}/{attempt}/{number}", self._put),
            ("GET", "/v1/versions/{version}", self._version),
            ("GET", "/v1/versions/{version}/content", self._content),
        ]

    async def _health(self, _: web.Request) -> web.Response:
        return _json(wire.Health(ok=True, version="small"))

    async def _projects(self, _: web.Request) -> web.Response:
        return _json(wire.ProjectPage(items=[self.project] if self.has_project else []))

    async def _project(self, _: web.Request) -> web.Response:
        self.has_project = True
        return _json(self.project)

    async def _open(self, request: web.Request) -> web.Response:
        new = msgspec.json.decode(await request.read(), type=wire.NewBatch)
        self.batch.open(new)
        return self._declared(new.entries)

    async def _more(self, request: web.Request) -> web.Response:
        if self.batch.is_closed:
            return problem(409, "batch_closed")
        more = msgspec.json.decode(await request.read(), type=wire.NewEntries)
        return self._declared(more.entries)

    def _declared(self, entries: Sequence[wire.Entry]) -> web.Response:
        verdicts = [self.batch.declare(entry) for entry in entries]
        return _json(wire.Declared(batch=self.batch.summary(), verdicts=verdicts))

    async def _grants(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=wire.GrantRequest)
        return _json(wire.Grants(uploads=[self.batch.grant(each) for each in asked.uploads]))

    async def _progress(self, request: web.Request) -> web.Response:
        report = msgspec.json.decode(await request.read(), type=wire.ProgressReport)
        self.reported |= {each.id: each.sent_bytes for each in report.uploads}
        return web.Response(status=204)

    async def _completions(self, request: web.Request) -> web.Response:
        sent = msgspec.json.decode(await request.read(), type=wire.CompletionRequest)
        done = [self.batch.complete(each.id) for each in sent.uploads]
        return _json(wire.Completions(uploads=done))

    async def _close(self, _: web.Request) -> web.Response:
        self.batch.close()
        return _json(self.batch.summary())

    async def _retry(self, _: web.Request) -> web.Response:
        return _json(wire.Retried(uploads=self.batch.retry()))

    async def _batch(self, _: web.Request) -> web.Response:
        return _json(self.batch.summary())

    async def _uploads(self, request: web.Request) -> web.Response:
        state = request.query.get("state")
        rows = [row for row in self.batch.rows.values() if state in (None, row.state)]
        return _json(wire.UploadPage(items=[row.upload(self.batch.id) for row in rows]))

    async def _receipt(self, _: web.Request) -> web.Response:
        rows = [row.receipt() for row in self.batch.rows.values()]
        return _json(
            wire.Receipt(batch=self.batch.summary(), final=True, scanner="none", rows=rows)
        )

    async def _upload(self, request: web.Request) -> web.Response:
        row = self.batch.rows.get(UUID(request.match_info["upload"]))
        return problem(404, "not_found") if row is None else _json(row.upload(self.batch.id))

    async def _cancel(self, request: web.Request) -> web.Response:
        row = self.batch.rows[UUID(request.match_info["upload"])]
        self.batch.cancel(row)
        return _json(row.upload(self.batch.id))

    async def _put(self, request: web.Request) -> web.Response:
        body = await request.read()
        code = self.batch.put(
            self.batch.rows[UUID(request.match_info["upload"])],
            attempt=int(request.match_info["attempt"]),
            number=int(request.match_info["number"]),
            checksum=request.headers["x-amz-checksum-crc64nvme"],
            body=body,
        )
        if code is not None:
            return problem(409 if code == "not_receiving" else 400, code)
        if request.headers.get("x-signed") != "yes" or "Authorization" in request.headers:
            return problem(403, "bad_signature")
        self.bodies.append(len(body))
        return web.Response()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        batch = self.batch
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        self._streams.append(request)
        last = request.headers.get("Last-Event-ID")
        told = len(batch.changes) if last is None else int(last)
        if last is None:
            await answer.write(_frame("snapshot", batch.summary(), told))
        while True:
            for change in batch.changes[told:]:
                await answer.write(_frame("change", change, change.number))
            told = len(batch.changes)
            summary = batch.summary()
            await answer.write(b": still here\n\n" + _frame("progress", summary, None))
            if summary.state == "settled":
                await answer.write(_frame("closed", summary, None))
                return answer
            batch.changed.clear()
            await batch.changed.wait()

    async def _version(self, request: web.Request) -> web.Response:
        return _json(self.version(UUID(request.match_info["version"])))

    def version(self, version_id: UUID) -> wire.Version:
        """Return the one version there is."""
        return wire.Version(
            id=version_id,
            document_id=version_id,
            path="a/b.bin",
            number=1,
            current=True,
            size=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
            kind="bin",
            media_type="application/octet-stream",
            upload_id=version_id,
            created_at=NOW,
        )

    async def _content(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Range")
        self.ranges.append(given)
        if self.store is not None:
            self.store.objects["content"] = self.content
            where = {"Location": f"{self.store.url}/bucket/content?signature=ours"}
            return web.Response(status=302, headers=where)
        start = 0 if given is None else int(given.removeprefix("bytes=").removesuffix("-"))
        answer = web.StreamResponse(status=200 if given is None else 206)
        answer.content_length = len(self.content) - start
        await answer.prepare(request)
        limit, self._content_limit = self._content_limit, None
        await answer.write(self.content[start:][:limit])
        if limit is not None:
            assert request.transport is not None
            request.transport.close()  # what was written still arrives
        return answer


def _frame(event: str, value: object, number: int | None) -> bytes:
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {event}\ndata: ".encode() + msgspec.json.encode(value) + b"\n\n"


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")

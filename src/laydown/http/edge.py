"""The outermost layer: what holds for every request, before any framework sees it."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from laydown.domain.trace import Trace
from laydown.http.context import Limits, added_headers, put_trace
from laydown.http.cors import preflight
from laydown.http.frontier import Frontier
from laydown.observe import LogEvent, SpanName
from laydown.ports import Span, Tracing

_IDS = ("project_id", "batch_id", "upload_id", "document_id", "version_id")
BYTE_DOOR = "/bytes/"

_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# What a client still sends after its answer is read and thrown away: by the server up to here,
# which is cheaper than a new connection, and by us for a while before the connection is closed,
# because closing with bytes unread makes the kernel reset it, and the answer may be lost.
_DISCARDED_QUIETLY = 1 << 20  # bytes
_LINGERING_BYTES = 16 << 20
_LINGERING = 2.0  # seconds

_log = structlog.get_logger(__name__)


class Edge:
    """An ASGI app that sends `/bytes/` to the byte door and everything else through the checks.

    Without a byte door there is nothing below `/bytes/`: bytes go straight to a store.

    Every other request has its place in a trace, its client's or a new one. Its answer gets its id
    and the headers of the frontier, and is told to *observe* and *tracing*; a client that takes too
    long to read is left; an exception that nobody foresaw is logged. Browsers that ask what a page
    may do are answered before anybody is bothered.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        byte_door: ASGIApp | None,
        limits: Limits,
        observe: Callable[[str, str, int, float], None],
        tracing: Tracing,
        frontier: Frontier | None = None,
    ) -> None:
        self._app = app
        self._frontier = frontier or Frontier()
        self.byte_door = byte_door
        self.in_flight = 0  # requests, but for those at the byte door
        self._limits = limits
        self._observe = observe
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._frontier.cors.is_preflight(scope):
            await self._serve(preflight, scope, receive, send)
        elif self.byte_door is not None and scope["path"].startswith(BYTE_DOOR):
            await self.byte_door(scope, receive, send)
        else:
            await self._serve(self._app, scope, receive, send)

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        arrival = self._frontier.proxies.arrival(scope)
        arrival.put_into(scope)
        headers = dict(scope["headers"])
        always = self._frontier.headers(is_secure=arrival.is_secure, page=headers.get(b"origin"))
        exchange = _Exchange(scope, receive, send, self._limits, always)
        given = headers.get(b"traceparent", b"").decode("latin-1")
        trace, parent = self._tracing.place(given)
        put_trace(scope, trace)
        self.in_flight += 1
        with structlog.contextvars.bound_contextvars(
            request_id=exchange.request_id, trace_id=trace.trace_id
        ):
            try:
                await app(scope, exchange.receive, exchange.send)
            except _ReaderStalled:
                pass  # leaving the answer unfinished cuts the connection
            except Exception:  # noqa: BLE001 - the last resort; a 500 is sent, or the connection cut
                method, route = exchange.method, _route(scope)
                _log.exception(
                    LogEvent.REQUEST_CRASHED, method=method, route=route, **_named(scope)
                )
            finally:
                self.in_flight -= 1
                if exchange.status is not None:
                    self._told(exchange, trace, parent, scope)

    def _told(self, exchange: "_Exchange", trace: Trace, parent: str | None, scope: Scope) -> None:
        """Tell of an answer: as numbers, and as a span where its trace is recorded."""
        status = exchange.status
        assert status is not None
        route, seconds = _route(scope), time.perf_counter() - exchange.began
        self._observe(exchange.method, route, status, seconds)
        if trace.is_sampled:
            now = time.time_ns()
            self._tracing.tell(
                Span(
                    name=SpanName.REQUEST,
                    at=trace,
                    parent=parent,
                    began=now - round(seconds * 1e9),
                    ended=now,
                    is_failure=status >= HTTPStatus.INTERNAL_SERVER_ERROR,
                    attributes={
                        "method": exchange.method,
                        "route": route,
                        "status": status,
                        "request_id": exchange.request_id,
                    },
                )
            )


class _ReaderStalled(Exception):
    """The client stopped reading."""


class _Exchange:
    """One request and its answer, as the edge follows them."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: Limits,
        always: Sequence[tuple[bytes, bytes]],
    ) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        is_sane = _SANE_REQUEST_ID.fullmatch(given)
        self.request_id = given.decode() if is_sane else uuid4().hex
        self.status: int | None = None
        self.began = time.perf_counter()
        self.method = scope["method"] if scope["method"] in _METHODS else "other"  # a closed set
        self._scope = scope
        self._receive = receive
        self._send = send
        self._patience = limits.send_patience
        self._always = always  # what the answer says unless it says something else itself
        self._is_read = not _has_body(headers)
        self._is_heavy = _is_heavy(headers)
        self._is_closing = False

    async def receive(self) -> Message:
        """Pass the client's next message on."""
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._is_read = True
        return message

    async def send(self, message: Message) -> None:
        """Pass our next message on, or raise `_ReaderStalled`."""
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message = {**message, "headers": self._completed(message.get("headers", ()))}
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last and self._is_closing:
            await self._pass({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._pass(message)

    async def _pass(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
        except TimeoutError:
            raise _ReaderStalled from None

    async def _linger(self) -> None:
        """Read on until the client has seen that it is refused, within limits."""
        left = _LINGERING_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGERING):
                while left > 0 and not self._is_read:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        return
                    left -= len(message.get("body", b""))

    def _completed(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        present = {name for name, _ in headers}
        headers.extend(each for each in self._always if each[0] not in present)
        headers.extend(added_headers(self._scope))
        headers.append((b"x-request-id", self.request_id.encode()))
        is_late = self.status == HTTPStatus.REQUEST_TIMEOUT  # and would go on as slowly
        if not self._is_read and (self._is_heavy or is_late):
            headers.append((b"connection", b"close"))
            self._is_closing = True
        return headers


def _named(scope: Scope) -> dict[str, str]:
    """Return what a request's path names, as fields of a log; of a link's secret it names none."""
    named = scope.get("path_params") or {}
    return {name: str(named[name]) for name in _IDS if name in named}


def _has_body(headers: dict[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _is_heavy(headers: dict[bytes, bytes]) -> bool:
    """Say whether an unread body costs more than a connection; one of unknown length does."""
    if b"transfer-encoding" in headers or b"expect" in headers:
        return True
    length = headers.get(b"content-length", b"0")
    return not length.isdigit() or int(length) > _DISCARDED_QUIETLY


def _route(scope: Scope) -> str:
    """Return the template of the route, a label from a closed set."""
    return getattr(scope.get("route"), "path", "(none)")

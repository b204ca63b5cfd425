"""uvicorn's HTTP protocol, with limits for headers and a fast lane for bodies."""

import asyncio
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from laydown.http import problems
from laydown.http.bytes import DISCARDED, DISCARDING, ByteDoor
from laydown.http.bytes_head import LARGEST_HEAD
from laydown.http.bytes_lane import Lane
from laydown.http.edge import Edge
from laydown.http.frontier import SAFE


class HeadTooLarge(Exception):
    """A request's head has more bytes than anybody needs."""


class ByteProtocol(HttpToolsProtocol):
    """Differs from its parent in four ways; `protocol_for` makes what `uvicorn.Config` wants.

    It leaves a client that does not finish the head of a request in time, or a body that nobody
    reads, whom the parent would wait for without end, and refuses a head of more than
    `LARGEST_HEAD` bytes. What is no request it answers after those before it, never in their place:
    whoever shares a connection among its clients would give each the answer to another's request.
    It hands a chunk of a body to the app as the parser cut it: the parent appends it to a buffer
    and copies the buffer. And what the byte door's fast lane takes over never meets parser and app.
    """

    head_patience = 20.0  # seconds from the connection, or a request's first byte, to its body
    lane: Lane | None = None

    _refused: HTTPStatus | None = None  # what came is no request; nothing more is read
    _discarded = 0  # bytes that came after it
    _head_bytes = 0  # that came of a head without its end
    _begins = 0  # requests that began in what came last
    _is_begun = False  # a request that the parser has, before its end
    _is_in_head = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the parent
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._limit_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        self._unlimit_head()
        if self.lane is not None:
            self.lane.lose()

    def data_received(self, data: bytes) -> None:
        """Pass on what came; what is one request's whole head, as most are, needs no timer."""
        if self._refused is not None:
            self._discard(len(data))
            return
        lane = self.lane
        if lane is not None:
            if lane.is_busy:
                lane.take(data)
                return
            if self._is_between_requests() and lane.begin(data):
                self._unset_keepalive_if_required()
                self._unlimit_head()
                self._is_in_head = False
                return
        was_begun, self._begins = self._is_begun, 0
        super().data_received(data)
        if self._refused is not None or self.transport.is_closing():
            return
        if self._is_in_head:
            self._count_head(len(data), was_begun=was_begun)
        elif not self._is_left_over():
            self._unlimit_head()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could make nothing of."""
        del msg
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            if self._is_too_large()
            else HTTPStatus.BAD_REQUEST
        )

    def on_response_complete(self) -> None:
        """Have the next request answered; after the last one, what is none."""
        super().on_response_complete()
        if self._refused is not None and self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
            self._say_refused(self._refused)
        elif self._is_left_over() and self._head_timer is None:
            self._limit_head()

    def shutdown(self) -> None:
        """Close the connection, after the answer to the request that is being served."""
        if self.lane is not None and self.lane.is_busy:
            self.lane.is_last = True
        else:
            super().shutdown()

    def say(self, message: bytes) -> None:
        """Send to the client."""
        self.transport.write(message)

    def hold(self) -> None:
        """Read nothing more for now."""
        self.flow.pause_reading()

    def read_on(self) -> None:
        """Read again."""
        self.flow.resume_reading()

    def go_on(self, unused: bytes) -> None:
        """Serve the next request, which begins with *unused*."""
        self.on_response_complete()
        if unused:
            self.data_received(unused)

    def hang_up(self) -> None:
        """Close the connection once everything is sent."""
        self.transport.close()

    def stock_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers of every answer."""
        return self.server_state.default_headers

    @property
    def peer(self) -> str | None:
        """The address of the other end, if there still is one."""
        return self.client[0] if self.client else None

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._is_begun = self._is_in_head = True
        self._begins += 1
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that its head is here, unless it is too large."""
        if self._is_too_large():
            raise HeadTooLarge
        super().on_headers_complete()
        self._is_in_head = False

    def on_message_complete(self) -> None:
        """Note that it has all come."""
        self._is_begun = False
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Take a chunk from the parser."""
        cycle = self.cycle
        if cycle.body or cycle.response_complete or self.parser.should_upgrade():
            super().on_body(body)
            return
        cycle.body = body  # type: ignore[assignment] # `receive` makes bytes of it: these very ones
        if len(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _is_between_requests(self) -> bool:
        """Say whether what comes now begins a request that nobody stands before."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not (self._is_begun or self.pipeline or self.flow.write_paused)

    def _count_head(self, size: int, *, was_begun: bool) -> None:
        """Refuse a head that is too large or takes too long; *size* bytes came last."""
        if self._begins + was_begun == 1:  # so all of it is of this one head
            self._head_bytes += size
        if self._head_bytes > LARGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._head_timer is None:
            self._limit_head()

    def _is_too_large(self) -> bool:
        """Say whether the head, as far as it was read, has too many bytes."""
        if self.headers is None or not self._is_in_head:
            return False
        lines = sum(len(name) + len(value) + 4 for name, value in self.headers)  # `: ` and CRLF
        return len(self.url) + lines > LARGEST_HEAD

    def _refuse(self, status: HTTPStatus) -> None:
        """Serve what was asked for before, answer with *status*, and close the connection."""
        self._refused = status
        self._unlimit_head()
        cycle = self.cycle
        if self._is_begun and not self._is_in_head:  # the body is wrong of the last request
            cycle.disconnected = True
            cycle.message_event.set()
            if self.pipeline:
                self.pipeline.popleft()
            elif cycle.response_started:
                self.transport.close()
            else:
                self._say_refused(status)
        elif cycle is None or cycle.response_complete:
            self._say_refused(status)

    def _say_refused(self, status: HTTPStatus) -> None:
        response = problems.transport_answer(status, instance=None)
        headers = [
            *self.stock_headers(),
            *response.raw_headers,
            *SAFE,
            (b"x-request-id", secrets.token_hex(16).encode()),
            (b"connection", b"close"),
        ]
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.say(b"".join((STATUS_LINE[status], *lines, b"\r\n", response.body)))
        self.transport.write_eof()  # and read on for a while, so that the answer is not lost
        self._head_timer = self.loop.call_later(DISCARDING, self.transport.close)

    def _discard(self, size: int) -> None:
        """Throw away what comes after a refusal, up to a limit."""
        self._discarded += size
        if self._discarded > DISCARDED:
            self.transport.close()

    def _is_left_over(self) -> bool:
        """Say whether what comes is the rest of a body whose request is answered."""
        return self._is_begun and not self._is_in_head and self.cycle.response_complete

    def _limit_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_patience, self.transport.close)

    def _unlimit_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def protocol_for(
    app: ASGIApp, protocol: type[ByteProtocol] = ByteProtocol
) -> Callable[..., ByteProtocol]:
    """Return what makes a connection's protocol; an app with a byte door gets its fast lane."""
    door = app.byte_door if isinstance(app, Edge) else app
    if not isinstance(door, ByteDoor):
        return protocol

    def make(**given: Any) -> ByteProtocol:  # noqa: ANN401 - uvicorn's affair
        made = protocol(**given)
        made.lane = Lane(made, door)
        return made

    return make

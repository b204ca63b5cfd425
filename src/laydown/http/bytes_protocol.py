"""uvicorn's HTTP protocol, with limits for heads and a fast lane for bodies."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from laydown.http.bytes import ByteDoor
from laydown.http.bytes_lane import Lane
from laydown.http.edge import Edge
from laydown.http.problems import transport_answer

LARGEST_HEAD = 32 << 10
"""Bytes of a request's target and headers; nginx, which often stands before us, takes as many."""


_LINGERING = 2.0  # seconds in which a client may see that it is refused


class _HeadTooLong(Exception):
    """A head has more bytes than we keep."""


class ByteProtocol(HttpToolsProtocol):
    """Differs from its parent in four ways; `protocol_for` makes what `uvicorn.Config` wants.

    It leaves a client that does not finish the head of a request in time, whom the parent would
    wait for without end. It refuses a head that is too long, which the parent would keep, however
    long it is. It hands a chunk of a body to the app as the parser cut it: the parent
    appends it to a buffer and copies the buffer. And what the byte door's fast lane takes over
    never meets parser and app.
    """

    head_patience = 20.0  # seconds from the connection, or a request's first byte, to its body
    lane: Lane | None = None

    _is_refused = False  # what still comes is thrown away
    _is_begun = False  # a request that the parser has, before its end
    _is_in_head = True
    _head_size = 0  # bytes of the head that is on its way, as far as the parser told
    _head_raw = 0  # bytes that came since it began, in chunks without its end
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
        if self._is_refused:
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
        # A header without an end is nothing that the parser tells of.
        self._head_raw += len(data) if self._is_begun and self._is_in_head else 0
        super().data_received(data)
        if not self._is_in_head:
            self._unlimit_head()
        elif self._head_raw > 2 * LARGEST_HEAD:
            self._refuse_head()
        elif self._head_timer is None and not self.transport.is_closing():
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

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._is_begun = self._is_in_head = True
        self._head_size = self._head_raw = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take the target of the request, or a piece of it."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count_head(len(name) + len(value) + 4)  # with what stands between and behind them
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not, or should not, read."""
        if self._head_size > LARGEST_HEAD:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        """Note that its head is here."""
        self._is_in_head = False
        super().on_headers_complete()

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

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > LARGEST_HEAD:
            raise _HeadTooLong  # the parser ends with it

    def _refuse_head(self) -> None:
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        answer = transport_answer(status, instance=None)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
            + b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
            + b"connection: close\r\n\r\n"
            + bytes(answer.body)
        )
        # Closing with bytes unread makes the kernel reset the connection, and the answer is lost.
        self.transport.write_eof()
        self.loop.call_later(_LINGERING, self.transport.close)

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

"""uvicorn's HTTP protocol, with a deadline for headers and a fast lane for bodies."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from laydown.http.bytes import ByteDoor
from laydown.http.bytes_lane import Lane
from laydown.http.edge import Edge


class ByteProtocol(HttpToolsProtocol):
    """Differs from its parent in three ways; `protocol_for` makes what `uvicorn.Config` wants.

    It leaves a client that does not finish the head of a request in time, whom the parent would
    wait for without end. It hands a chunk of a body to the app as the parser cut it: the parent
    appends it to a buffer and copies the buffer. And what the byte door's fast lane takes over
    never meets parser and app.
    """

    head_patience = 20.0  # seconds from the connection, or a request's first byte, to its body
    lane: Lane | None = None

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
        super().data_received(data)
        if not self._is_in_head:
            self._unlimit_head()
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
        super().on_message_begin()

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

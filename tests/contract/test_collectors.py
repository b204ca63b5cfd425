"""A collector that is sick loses spans, and nothing else."""

import asyncio
import time
from http import HTTPStatus

from opentelemetry.sdk.resources import Resource

from laydown.observe import LogEvent, SpanName
from laydown.ports import Span
from laydown.telemetry.collector import LAST, Collector
from laydown.telemetry.spans_out import SpansOut
from laydown.telemetry.traces import Traces


class Lines:
    """A log that remembers."""

    def __init__(self) -> None:
        self.warnings: list[LogEvent] = []

    def info(self, event: LogEvent, **_fields: object) -> None:
        """Forget what nobody need look at."""

    def warning(self, event: LogEvent, **_fields: object) -> None:
        """Remember an event."""
        self.warnings.append(event)

    def error(self, event: LogEvent, **_fields: object) -> None:
        """Remember an event."""
        self.warnings.append(event)


async def test_a_collector_that_never_answers_delays_no_end():
    """What is left is given two seconds when a process ends, and no more."""
    came = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Collector(f"http://127.0.0.1:{port}", log=Lines()) as collector:
        out = SpansOut(collector, resource=Resource({}))
        tracing = Traces(out=out)
        place, _ = tracing.place(None)
        span = Span(name=SpanName.REQUEST, at=place, parent=None, began=1, ended=2)
        tracing.tell(span)
        running = asyncio.create_task(out.run(every=0))
        await came.wait()
        tracing.tell(span)
        began = time.monotonic()
        running.cancel()
        await asyncio.wait([running])
        assert time.monotonic() - began < LAST + 1
    gone.set()
    server.close()
    await server.wait_closed()


async def test_a_collector_that_refuses_is_told_of_once():
    """However many messages it refuses."""

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        writer.write(
            f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refusing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    log = Lines()
    async with Collector(f"http://127.0.0.1:{port}", log=log) as collector:
        for _ in range(3):
            await collector.send("/v1/traces", b"")
    server.close()
    await server.wait_closed()

    assert log.warnings == [LogEvent.COLLECTOR_AWAY]

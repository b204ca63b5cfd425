"""A collector that is sick loses spans, and nothing else."""

import asyncio
import errno
import os
import time
from http import HTTPStatus

from opentelemetry.sdk.resources import Resource

from laydown import observe
from laydown.observe import LogEvent, Process, SpanName
from laydown.ports import Span
from laydown.telemetry.collector import LAST, Collector
from laydown.telemetry.metrics import Metrics
from laydown.telemetry.metrics_out import MetricsOut
from laydown.telemetry.spans_out import SpansOut
from laydown.telemetry.traces import Traces
from tests.collector import PATIENCE, collecting


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


async def test_a_number_that_cannot_be_read_ends_no_process():
    """Where there are no file handles left, say: numbers are sent again as soon as they can be."""
    reads = 0
    sent = asyncio.Event()

    def resident() -> float:
        nonlocal reads
        reads += 1
        if reads == 1:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        sent.set()
        return 7.0

    metrics, log = Metrics(Process.WORKER), Lines()
    metrics.follow(observe.MEMORY_BYTES, resident, process="worker")
    resource = Resource({"laydown.process": "worker"})
    with collecting() as place:
        async with Collector(place.url, log=log) as collector:
            running = asyncio.create_task(
                MetricsOut(metrics, collector, resource=resource).run(every=0)
            )
            async with asyncio.timeout(PATIENCE):
                await asyncio.wait(
                    [running, asyncio.create_task(sent.wait())],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            assert not running.done()
            running.cancel()
            await asyncio.wait([running])
        assert place.last("laydown_memory_bytes", process="worker") == 7
    assert log.warnings == [LogEvent.TELEMETRY_LOST]

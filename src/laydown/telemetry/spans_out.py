"""Spans to a collector, in batches: whoever tells of one waits for nothing."""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from laydown.domain.trace import Trace
from laydown.observe import SpanName
from laydown.ports import Span
from laydown.telemetry.collector import LAST, Collector

_PATH: Final = "/v1/traces"
_SCOPE: Final = InstrumentationScope("laydown")
_HELD: Final = 8_192  # spans that wait at most; then the oldest are dropped
_AT_ONCE: Final = 1_024  # spans of a message
_KINDS: Final[Mapping[SpanName, SpanKind]] = {
    SpanName.REQUEST: SpanKind.SERVER,
    SpanName.JOBS: SpanKind.CONSUMER,
}


class SpansOut:
    """Sends finished spans to *collector*; those that it does not take are lost."""

    def __init__(self, collector: Collector, *, resource: Resource) -> None:
        self._collector = collector
        self._resource = resource
        self._waiting: deque[Span] = deque(maxlen=_HELD)

    def take(self, span: Span) -> None:
        """Have a span sent soon."""
        self._waiting.append(span)

    async def run(self, *, every: float) -> None:
        """Send what waits every so many seconds, and once more, for two at most, when cancelled."""
        try:
            while True:
                await asyncio.sleep(every)
                await self._send()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST):
                    await self._send()

    async def _send(self) -> None:
        while self._waiting:
            spans = list(islice(self._waiting, _AT_ONCE))
            for _ in spans:
                self._waiting.popleft()
            with self._collector.harmless():
                body = encode_spans([self._encodable(span) for span in spans]).SerializeToString()
                await self._collector.send(_PATH, body)

    def _encodable(self, span: Span) -> ReadableSpan:
        parent = None if span.parent is None else span.at.at(span.parent)
        return ReadableSpan(
            name=span.name.value,
            context=_context(span.at, is_remote=False),
            parent=None if parent is None else _context(parent, is_remote=True),
            resource=self._resource,
            attributes={f"laydown.{name}": value for name, value in span.attributes.items()},
            links=[Link(_context(link, is_remote=True)) for link in span.links],
            kind=_KINDS[span.name],
            status=Status(StatusCode.ERROR if span.is_failure else StatusCode.UNSET),
            start_time=span.began,
            end_time=span.ended,
            instrumentation_scope=_SCOPE,
        )


def _context(place: Trace, *, is_remote: bool) -> SpanContext:
    return SpanContext(
        trace_id=int(place.trace_id, 16),
        span_id=int(place.span_id, 16),
        is_remote=is_remote,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if place.is_sampled else TraceFlags.DEFAULT),
    )

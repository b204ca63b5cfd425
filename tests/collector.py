"""A collector in this process, which takes OTLP over HTTP and keeps what came."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE = 60.0  # seconds; a process sends every fifteen


@dataclass(frozen=True, slots=True)
class Number:
    """One point: of a counter or a gauge its value, of a histogram how many were observed."""

    process: str
    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """One span; ids in hexadecimal digits."""

    process: str
    name: str
    trace: str
    id: str
    parent: str
    is_failure: bool
    attributes: Mapping[str, str | int]


@dataclass
class Collector:
    """What came, the newest last; any thread may ask."""

    url: str = ""
    bodies: list[tuple[str, bytes]] = field(default_factory=list)  # path and body
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, path: str, body: bytes) -> None:
        """Keep what was sent."""
        with self.changed:
            self.bodies.append((path, body))
            self.changed.notify_all()

    def until(self, claim: Callable[[], Any], *, what: str) -> Any:
        """Return what *claim* returns once that is true."""
        with self.changed:
            held = self.changed.wait_for(claim, timeout=PATIENCE)
        assert held, f"did not come within {PATIENCE:g} s: {what}"
        return held

    def numbers(self, name: str) -> list[Number]:
        """Return every point of a metric that came, the newest last."""
        return [
            point
            for path, body in list(self.bodies)
            if path == "/v1/metrics"
            for point in _points(ExportMetricsServiceRequest.FromString(body))
            if point.name == name
        ]

    def spans(self) -> list[SeenSpan]:
        """Return every span that came, the newest last."""
        return [
            span
            for path, body in list(self.bodies)
            if path == "/v1/traces"
            for span in _spans(ExportTraceServiceRequest.FromString(body))
        ]

    def last(self, name: str, **labels: str) -> float | None:
        """Return the newest value of a series; None if none came."""
        found = [each.value for each in self.numbers(name) if each.labels == labels]
        return found[-1] if found else None


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield collector
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _points(request: Any) -> Iterator[Number]:
    for resource in request.resource_metrics:
        said = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    labels = {each.key: each.value.string_value for each in point.attributes}
                    value = point.count if kind == "histogram" else point.as_double
                    yield Number(said["laydown.process"], metric.name, labels, value)


def _spans(request: Any) -> Iterator[SeenSpan]:
    for resource in request.resource_spans:
        said = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield SeenSpan(
                    process=said["laydown.process"],
                    name=span.name,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    is_failure=span.status.code == span.status.STATUS_CODE_ERROR,
                    attributes={
                        each.key.removeprefix("laydown."): each.value.string_value
                        or each.value.int_value
                        for each in span.attributes
                    },
                )

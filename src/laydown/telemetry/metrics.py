"""Metrics, kept by prometheus-client."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from laydown.observe import METRICS, Kind, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0)
"""Seconds: from a grant that is signed to the largest file that is joined."""


class _Running(Collector):
    """A counter whose value somebody else keeps."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self.read: Callable[[], float] = float

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Yield the counter as it is now."""
        yield CounterMetricFamily(self._metric.name, self._metric.meaning, value=self.read())


class Metrics:
    """The numbers of one process. A metric that is not declared raises `KeyError`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._running: dict[str, _Running] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in METRICS:
            match metric.kind:
                case Kind.COUNTER:
                    self._counters[metric.name] = Counter(
                        metric.name, metric.meaning, metric.labels, registry=self._registry
                    )
                case Kind.RUNNING:
                    running = self._running[metric.name] = _Running(metric)
                    self._registry.register(running)
                case Kind.GAUGE:
                    self._gauges[metric.name] = Gauge(
                        metric.name, metric.meaning, metric.labels, registry=self._registry
                    )
                case Kind.HISTOGRAM:
                    self._histograms[metric.name] = Histogram(
                        metric.name,
                        metric.meaning,
                        metric.labels,
                        buckets=_BUCKETS,
                        registry=self._registry,
                    )

    def count(self, metric: Metric, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters[metric.name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, metric: Metric, value: float) -> None:
        """Give a gauge without labels its value."""
        self._gauges[metric.name].set(value)

    def follow(self, metric: Metric, read: Callable[[], float]) -> None:
        """Have a gauge or a running counter read its value when it is asked for."""
        if metric.kind is Kind.RUNNING:
            self._running[metric.name].read = read
        else:
            self._gauges[metric.name].set_function(read)

    def time(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        histogram = self._histograms[metric.name]
        (histogram.labels(**labels) if labels else histogram).observe(seconds)

    def rendered(self) -> tuple[bytes, str]:
        """Return every number in Prometheus's text format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE

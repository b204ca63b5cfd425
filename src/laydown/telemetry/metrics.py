"""Metrics, kept by prometheus-client."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from laydown.observe import METRICS, Kind, Metric, Process

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Labels = tuple[str, ...]  # their values, in the order in which the metric names them


class _Read(Collector):
    """A gauge, or a counter whose value somebody else keeps: there once it has one."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self.values: dict[_Labels, Callable[[], float]] = {}
        self.read_all: Callable[[], Mapping[str, float]] = dict

    def collect(self) -> Iterable[Family]:
        """Yield what it is now, unless there is nothing to tell."""
        kind = GaugeMetricFamily if self._metric.kind is Kind.GAUGE else CounterMetricFamily
        family = kind(self._metric.name, self._metric.meaning, labels=self._metric.labels)
        for labels, read in self.values.items():
            family.add_metric(labels, read())
        for label, value in self.read_all().items():
            family.add_metric((label,), value)
        if family.samples:
            yield family


class Metrics:
    """The numbers of one process, or of any. One that it doesn't keep raises `KeyError`."""

    def __init__(self, process: Process | None = None) -> None:
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._read: dict[str, _Read] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in METRICS:
            if process is not None and metric.of not in (process, Process.EACH):
                continue
            name, meaning, labels = metric.name, metric.meaning, metric.labels
            match metric.kind:
                case Kind.COUNTER:
                    self._counters[name] = Counter(name, meaning, labels, registry=self._registry)
                case Kind.RUNNING | Kind.GAUGE:
                    self._read[name] = _Read(metric)
                    self._registry.register(self._read[name])
                case Kind.HISTOGRAM:
                    self._histograms[name] = Histogram(
                        name, meaning, labels, buckets=metric.buckets, registry=self._registry
                    )

    def count(self, metric: Metric, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter; adding 0 has it begin, so that its first growth is seen as such."""
        counter = self._counters[metric.name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Give a gauge its value."""
        self.follow(metric, lambda: value, **labels)

    def forget(self, metric: Metric) -> None:
        """Have a gauge be nowhere to be seen, until it is set again."""
        self._read[metric.name].values.clear()

    def follow(self, metric: Metric, read: Callable[[], float], **labels: str) -> None:
        """Have a gauge or a running counter read its value when it is asked for."""
        values = tuple(labels[label] for label in metric.labels)
        self._read[metric.name].values[values] = read

    def follow_all(self, metric: Metric, read: Callable[[], Mapping[str, float]]) -> None:
        """Have a metric of one label read all its values, by label, when it is asked for them."""
        self._read[metric.name].read_all = read

    def time(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        histogram = self._histograms[metric.name]
        (histogram.labels(**labels) if labels else histogram).observe(seconds)

    def families(self) -> Iterable[Family]:
        """Return every number as it is now, by metric."""
        return self._registry.collect()

    def rendered(self) -> tuple[bytes, str]:
        """Return every number in Prometheus's text format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE

"""Metrics to a collector: the numbers that `/metrics` shows, under the same names, as OTLP.

They are read where Prometheus reads them, so nothing is counted twice, and nothing is slower.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from math import isnan

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from laydown.telemetry.collector import LAST, Collector
from laydown.telemetry.metrics import Metrics

_PATH = "/v1/metrics"
_BEGUN = time.time_ns()
_CUMULATIVE = AggregationTemporality.CUMULATIVE


class MetricsOut:
    """Sends every number of a process to *collector*."""

    def __init__(self, metrics: Metrics, collector: Collector, *, resource: Resource) -> None:
        self._metrics = metrics
        self._collector = collector
        self._resource = resource

    async def run(self, *, every: float) -> None:
        """Send every so many seconds, and once more, for two at most, when cancelled.

        Counters only grow, so the next round makes up for one that is lost.
        """
        try:
            while True:
                await asyncio.sleep(every)
                await self._send()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST):
                    await self._send()

    async def _send(self) -> None:
        with self._collector.harmless():
            await self._collector.send(_PATH, encode_metrics(self._data()).SerializeToString())

    def _data(self) -> MetricsData:
        scope = ScopeMetrics(
            scope=InstrumentationScope("laydown"),
            metrics=[*_told(self._metrics.families(), time.time_ns())],
            schema_url="",
        )
        whole = ResourceMetrics(resource=self._resource, scope_metrics=[scope], schema_url="")
        return MetricsData(resource_metrics=[whole])


def _told(families: Iterable[Family], now: int) -> Iterable[Metric]:
    """Yield each metric with its points."""
    for family in families:
        data: Sum | Gauge | Histogram
        name = family.name
        match family.type:
            case "counter":
                name = f"{name.removesuffix('_total')}_total"
                points = [_number(each, now) for each in family.samples if each.name == name]
                data = Sum(
                    data_points=points, aggregation_temporality=_CUMULATIVE, is_monotonic=True
                )
            case "gauge":
                known = [each for each in family.samples if not isnan(each.value)]
                data = Gauge(data_points=[_number(each, now) for each in known])
            case "histogram":
                data = Histogram(
                    data_points=[*_distributions(family, now)], aggregation_temporality=_CUMULATIVE
                )
            case _:
                continue
        if data.data_points:
            unit = "s" if name.endswith("_seconds") else ""
            yield Metric(name=name, description=family.documentation, unit=unit, data=data)


def _number(sample: Sample, now: int) -> NumberDataPoint:
    return NumberDataPoint(
        attributes=sample.labels,
        start_time_unix_nano=_BEGUN,
        time_unix_nano=now,
        value=float(sample.value),
    )


def _distributions(family: Family, now: int) -> Iterable[HistogramDataPoint]:
    """Yield a histogram's points; Prometheus's buckets count all below their end, OTLP's don't."""
    found: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        key = sample.labels.get("le") or sample.name.removeprefix(f"{family.name}_")
        found.setdefault(tuple(labels.items()), {})[key] = sample.value
    for attributes, values in found.items():
        yield _distribution(dict(attributes), values, now)


def _distribution(
    attributes: Mapping[str, str], values: Mapping[str, float], now: int
) -> HistogramDataPoint:
    ends = [key for key in values if key not in ("sum", "count", "created")]
    below: Sequence[float] = [0.0, *(values[end] for end in ends)]
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=_BEGUN,
        time_unix_nano=now,
        count=int(values["count"]),
        sum=values["sum"],
        bucket_counts=[int(upto - before) for before, upto in pairwise(below)],
        explicit_bounds=[float(end) for end in ends if end != "+Inf"],
        min=None,  # type: ignore[arg-type] # may be absent on the wire; nobody keeps it
        max=None,  # type: ignore[arg-type] # as above
    )

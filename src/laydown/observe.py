"""Every metric and log event this package may emit: name, kind, meaning.

Emitting one that is not declared here is an error, so that docs/reference/metrics.md is whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What kind of number a metric is."""

    COUNTER = "counter"  # only grows
    RUNNING = "running"  # a counter somebody else keeps, read when asked for
    GAUGE = "gauge"  # goes up and down
    HISTOGRAM = "histogram"  # a distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric; its labels take their values from closed sets."""

    name: str
    kind: Kind
    meaning: str
    labels: Sequence[str] = ()


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.COUNTER, meaning=meaning, labels=labels)


def _running(name: str, meaning: str) -> Metric:
    return Metric(name=name, kind=Kind.RUNNING, meaning=meaning)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.GAUGE, meaning=meaning, labels=labels)


def _histogram(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.HISTOGRAM, meaning=meaning, labels=labels)


REQUESTS = _counter("laydown_requests_total", "Requests answered.", "method", "route", "status")
REQUEST_SECONDS = _histogram(
    "laydown_request_seconds", "Time from a request's first byte to its answer's last.", "route"
)
BYTES_RECEIVED = _running("laydown_received_bytes_total", "Body bytes that came to the byte door.")
BODIES = _running("laydown_bodies_total", "Bodies the byte door let in.")
GROUPS = _running("laydown_commit_groups_total", "Groups that shared a flush and a commit.")
GROUPED_PARTS = _running("laydown_grouped_parts_total", "Parts in all those groups.")
FLUSH_SECONDS = _running("laydown_flush_seconds_total", "Time spent making groups durable.")
LEDGER_SECONDS = _running("laydown_record_seconds_total", "Time spent recording groups.")
STORE_HEALTHY = _gauge("laydown_store_healthy", "1 while the store's flushes succeed, else 0.")
JOBS_DONE = _counter("laydown_jobs_total", "Jobs a worker ended, by kind and end.", "kind", "end")
JOB_SECONDS = _histogram("laydown_job_seconds", "Time a group of jobs took.", "kind")
SWEPT = _counter("laydown_swept_total", "What the sweeper put right.", "what")

METRICS: Sequence[Metric] = (
    REQUESTS,
    REQUEST_SECONDS,
    BYTES_RECEIVED,
    BODIES,
    GROUPS,
    GROUPED_PARTS,
    FLUSH_SECONDS,
    LEDGER_SECONDS,
    STORE_HEALTHY,
    JOBS_DONE,
    JOB_SECONDS,
    SWEPT,
)


class LogEvent(StrEnum):
    """What is logged, as event names; everything else about it is fields."""

    API_STARTED = "api.started"
    API_STOPPED = "api.stopped"
    WORKER_STARTED = "worker.started"
    WORKER_STOPPED = "worker.stopped"
    SCHEMA_MIGRATED = "schema.migrated"
    REQUEST_CRASHED = "request.crashed"
    JOB_FAILED = "job.failed"
    JOB_DEAD = "job.dead"
    LEDGER_AWAY = "ledger.away"
    SWEPT = "store.swept"
    FLUSH_FAILED = "store.flush_failed"

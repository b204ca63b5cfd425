"""Every metric and log event this package may emit: name, kind, meaning.

Emitting one that is not declared here is an error, so that docs/reference/metrics.md is whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


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
REFUSED_REQUESTS = _counter(
    "laydown_refused_requests_total",
    "Requests refused for their number: by `token`, by `organization`, for idempotency `keys`, or "
    "as event `streams`.",
    "limit",
)
REPEATED_ANSWERS = _counter(
    "laydown_repeated_answers_total", "Answers given again to a repeated `Idempotency-Key`."
)
EVENT_STREAMS = _gauge("laydown_event_streams", "Event streams that are being served.")
JOBS_ANNOUNCED = _counter("laydown_announced_jobs_total", "Jobs the relay put into the queue.")
NOTICES = _counter("laydown_notices_total", "What the store and its scanner told a worker.", "kind")
STRANGE_MESSAGES = _counter(
    "laydown_strange_messages_total", "Messages in a queue that are not ours to read.", "queue"
)
UNJUDGED_FILES = _gauge(
    "laydown_unjudged_files",
    "Files that wait for a verdict of GuardDuty; 0 with any other scanner.",
)
UNJUDGED_OLDEST = _gauge(
    "laydown_unjudged_oldest_seconds", "Seconds for which the oldest of them has waited."
)

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
    REFUSED_REQUESTS,
    REPEATED_ANSWERS,
    EVENT_STREAMS,
    JOBS_ANNOUNCED,
    NOTICES,
    STRANGE_MESSAGES,
    UNJUDGED_FILES,
    UNJUDGED_OLDEST,
)


class LogEvent(StrEnum):
    """What is logged, as event names; everything else about it is fields."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> Self:
        """Give an event's name its meaning."""
        event = str.__new__(cls, name)
        event._value_ = name
        event.meaning = meaning
        return event

    API_STARTED = "api.started", "An api process takes requests."
    API_STOPPED = "api.stopped", "An api process has finished what was under way and ends."
    WORKER_STARTED = "worker.started", "A worker looks for jobs."
    WORKER_STOPPED = "worker.stopped", "A worker has finished its jobs and ends."
    REQUEST_CRASHED = (
        "request.crashed",
        "A request met what nobody foresaw and was answered 500; `request_id` is in the answer.",
    )
    BYTES_REFUSED = (
        "bytes.refused",
        "A body was refused for our reasons: the disk is full or failed, the database is away.",
    )
    BYTES_FAILED = "bytes.failed", "A body met what nobody foresaw and was answered 500."
    JOB_FAILED = "job.failed", "A job's attempt failed; it is tried again later."
    JOB_DEAD = (
        "job.dead",
        "A job's last attempt failed; it is listed until somebody replays or discards it.",
    )
    LEDGER_AWAY = "ledger.away", "The database did not answer; it is asked again."
    SWEPT = "store.swept", "The sweeper put something right; the fields say how much of what."
    JOBS_POSTPONED = (
        "jobs.postponed",
        "The store or the scanner did not answer; the jobs wait for it, however long.",
    )
    QUEUE_AWAY = "queue.away", "The queue did not answer; it is asked again."
    STRANGE_MESSAGE = (
        "queue.strange_message",
        "A message that is not ours to read; dropped when it keeps coming.",
    )
    NOTICE_FAILED = (
        "notice.failed",
        "What the store said could not be dealt with; it is heard again, a few times.",
    )

"""Every metric, span and log event this package may emit: name, kind, meaning.

Emitting one that is not declared here is an error, so that docs/reference/metrics.md is whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """What kind of number a metric is."""

    COUNTER = "counter"  # only grows
    RUNNING = "running"  # a counter somebody else keeps, read when asked for
    GAUGE = "gauge"  # goes up and down; nowhere to be seen until it has a value
    HISTOGRAM = "histogram"  # a distribution


class Process(StrEnum):
    """Who keeps a metric. Both keep those that have a label `process`."""

    API = "api"
    WORKER = "worker"
    EACH = "each"


_QUICK = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0)
"""Seconds: from a grant that is signed to the largest file that is joined."""
_PATIENT = (0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0)
"""Seconds that people wait for a file; we promise 120, see deploy/objectives.toml."""
_LONG = (1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0)
"""Seconds that a delivery takes, over whatever line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric; its labels take their values from closed sets."""

    name: str
    kind: Kind
    meaning: str
    labels: Sequence[str] = ()
    of: Process = Process.API
    buckets: Sequence[float] = _QUICK  # upper ends, of a histogram


def _counter(name: str, meaning: str, *labels: str, of: Process = Process.API) -> Metric:
    return Metric(name=name, kind=Kind.COUNTER, meaning=meaning, labels=labels, of=of)


def _running(name: str, meaning: str, *labels: str, of: Process = Process.API) -> Metric:
    return Metric(name=name, kind=Kind.RUNNING, meaning=meaning, labels=labels, of=of)


def _gauge(name: str, meaning: str, *labels: str, of: Process = Process.API) -> Metric:
    return Metric(name=name, kind=Kind.GAUGE, meaning=meaning, labels=labels, of=of)


def _histogram(
    name: str,
    meaning: str,
    *labels: str,
    of: Process = Process.API,
    buckets: Sequence[float] = _QUICK,
) -> Metric:
    return Metric(
        name=name, kind=Kind.HISTOGRAM, meaning=meaning, labels=labels, of=of, buckets=buckets
    )


REQUESTS = _counter(
    "laydown_requests_total",
    "Requests answered, but for those at the byte door.",
    "method",
    "route",
    "status",
)
CONTROL_REQUESTS = _counter(
    "laydown_control_requests_total",
    "Those below /v1: `failed` with a 5xx, `refused` with a 4xx, or `answered`.",
    "result",
)
REQUEST_SECONDS = _histogram(
    "laydown_request_seconds", "Time from a request's first byte to its answer's last.", "route"
)
REQUESTS_IN_FLIGHT = _gauge(
    "laydown_requests_in_flight", "Requests under way, event streams among them."
)
BYTES_RECEIVED = _running("laydown_received_bytes_total", "Body bytes that came to the byte door.")
BODIES = _running("laydown_bodies_total", "Bodies the byte door let in.")
BODIES_REFUSED = _running(
    "laydown_refused_bodies_total",
    "Bodies refused, at the byte door or after their last byte, by the error's code.",
    "code",
)
BODIES_IN_FLIGHT = _gauge("laydown_bodies_in_flight", "Bodies on their way into the store.")
GROUPS = _running("laydown_commit_groups_total", "Groups that shared a flush and a commit.")
GROUPED_PARTS = _running("laydown_grouped_parts_total", "Parts in all those groups.")
FLUSH_SECONDS = _running("laydown_flush_seconds_total", "Time spent making groups durable.")
LEDGER_SECONDS = _running("laydown_record_seconds_total", "Time spent recording groups.")
STORE_HEALTHY = _gauge(
    "laydown_store_healthy", "1 while the flushes of a store on disk succeed, else 0."
)
STORE_FREE = _gauge("laydown_store_free_bytes", "Bytes free on the disk of a store.")
STORE_FREE_RATIO = _gauge("laydown_store_free_ratio", "The free part of that disk, 0 to 1.")
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
UNJUDGED_FILES = _gauge(
    "laydown_unjudged_files",
    "Files that wait for a verdict of GuardDuty; absent with any other scanner.",
)
UNJUDGED_OLDEST = _gauge(
    "laydown_unjudged_oldest_seconds", "Seconds for which the oldest of them has waited."
)

JOBS_DONE = _counter(
    "laydown_jobs_total",
    "Jobs a worker ended, by kind and end: `done`, `failed`, `dead` or `postponed`.",
    "kind",
    "end",
    of=Process.WORKER,
)
JOB_SECONDS = _histogram(
    "laydown_job_seconds", "Time a group of jobs took.", "kind", of=Process.WORKER
)
WORKER_SLOTS = _gauge(
    "laydown_worker_slots", "Groups of jobs that a worker does at once, at most.", of=Process.WORKER
)
WORKER_BUSY = _gauge(
    "laydown_worker_busy_slots", "Groups of jobs that it does now.", of=Process.WORKER
)
WORKER_JOBS = _gauge("laydown_worker_jobs", "Jobs that it holds.", of=Process.WORKER)
SWEPT = _counter("laydown_swept_total", "What the sweeper put right.", "what", of=Process.WORKER)
JOBS_ANNOUNCED = _counter(
    "laydown_announced_jobs_total", "Jobs the relay put into the queue.", of=Process.WORKER
)
NOTICES = _counter(
    "laydown_notices_total",
    "What the store and its scanner told a worker: `arrival` or `judgement`.",
    "kind",
    of=Process.WORKER,
)
STRANGE_MESSAGES = _counter(
    "laydown_strange_messages_total",
    "Messages in a queue that are not ours to read.",
    "queue",
    of=Process.WORKER,
)

# What the ledger knows, of all organizations together: the one worker that keeps house samples it.
QUEUE_WAITING = _gauge("laydown_queue_waiting", "Jobs that wait, in the ledger.", of=Process.WORKER)
QUEUE_RUNNING = _gauge("laydown_queue_running", "Jobs that workers hold.", of=Process.WORKER)
QUEUE_DEAD = _gauge("laydown_queue_dead", "Jobs that were given up.", of=Process.WORKER)
QUEUE_OLDEST = _gauge(
    "laydown_queue_oldest_seconds",
    "Seconds for which the oldest job that waits has been due; 0 without one.",
    of=Process.WORKER,
)
ANNOUNCED_FILES = _gauge(
    "laydown_announced_files",
    "Files that workers have or will have to do with: declared in the last hour and not sent yet, "
    "and all that are with us and not final.",
    of=Process.WORKER,
)
OVERDUE_FILES = _gauge(
    "laydown_overdue_files",
    "Files that are with us, not final, and have not moved for over 2 minutes.",
    of=Process.WORKER,
)
FILES = _counter(
    "laydown_files_total",
    "Files that settled, by state and reason (empty: none).",
    "state",
    "reason",
    of=Process.WORKER,
)
FILE_BYTES = _counter(
    "laydown_file_bytes_total", "Bytes of those files, as declared.", "state", of=Process.WORKER
)
FILE_SECONDS = _histogram(
    "laydown_file_seconds",
    "Time from a file's last byte until it was final; after much traffic some files stand for all.",
    of=Process.WORKER,
    buckets=_PATIENT,
)
TIMED_FILES = _counter(
    "laydown_timed_files_total",
    "Files with bytes that settled, by pace: `prompt` is final within 2 minutes of the last byte, "
    "`late` is later, or given up. Extrapolated from some after much traffic.",
    "pace",
    of=Process.WORKER,
)
STAGE_SECONDS = _histogram(
    "laydown_stage_seconds",
    "Time that files which settled were in a state, from the ledger's moves; of many, of some.",
    "stage",
    of=Process.WORKER,
    buckets=_PATIENT,
)
BATCH_SECONDS = _histogram(
    "laydown_batch_seconds",
    "Time from a batch's first declaration until it was closed and all its files were settled.",
    of=Process.WORKER,
    buckets=_LONG,
)
BYTES_ACKNOWLEDGED = _counter(
    "laydown_bytes_acknowledged_total",
    "Bytes of files that we said are ready.",
    of=Process.WORKER,
)
BYTES_LOST = _running(
    "laydown_bytes_lost_total",
    "Bytes of content that the ledger has and the store was found to have no more.",
    of=Process.WORKER,
)

CPU_SECONDS = _running(
    "laydown_cpu_seconds_total", "Processor time that a process used.", "process", of=Process.EACH
)
MEMORY_BYTES = _gauge(
    "laydown_memory_bytes", "Memory that a process holds.", "process", of=Process.EACH
)
DATABASE_CONNECTIONS = _gauge(
    "laydown_database_connections",
    "Connections to the database that a process has open, by role.",
    "process",
    "role",
    of=Process.EACH,
)
DATABASE_WAITING = _gauge(
    "laydown_database_waiting", "Who waits for one of them.", "process", "role", of=Process.EACH
)

METRICS: Sequence[Metric] = tuple(
    each for each in tuple(globals().values()) if isinstance(each, Metric)
)
"""All of them, in this order."""


class SpanName(StrEnum):
    """What is told of in traces, by name; `SPANS` says what may be told of each."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> Self:
        """Give a span's name its meaning."""
        span = str.__new__(cls, name)
        span._value_ = name
        span.meaning = meaning
        return span

    REQUEST = "request", "A request of the API, from its first byte to its answer's last."
    JOBS = "jobs", "Jobs of one kind and one trace that a worker did together."


SPANS: Mapping[SpanName, frozenset[str]] = {
    SpanName.REQUEST: frozenset({"method", "route", "status", "request_id"}),
    SpanName.JOBS: frozenset({"kind", "jobs", "organization", "upload", "error"}),
}
"""The attributes of each span, which are sent as `laydown.NAME`: never a URL, a token or a path."""


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
    COLLECTOR_AWAY = (
        "collector.away",
        "The collector did not take what we sent; said once, until it does again.",
    )
    TELEMETRY_LOST = (
        "telemetry.lost",
        "Numbers or spans could not be read or written down; the next ones are tried again.",
    )
    NOTICE_FAILED = (
        "notice.failed",
        "What the store said could not be dealt with; it is heard again, a few times.",
    )

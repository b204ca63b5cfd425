"""What operators see: how uploads fare, jobs, and what moves no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from laydown.wire.problems import Check
from laydown.wire.states import UploadState


@dataclass(frozen=True, slots=True, kw_only=True)
class RescanRequest:
    """What `POST /v1/projects/{id}/rescan` takes; without a body, the whole project is meant."""

    path: str | None = None  # a document, or a folder with all that is in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescan:
    """How many different contents will be scanned again."""

    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job that waits, runs or is dead."""

    id: UUID
    kind: str
    state: Literal["waiting", "running", "dead"]
    attempt: int
    run_at: datetime
    created_at: datetime
    upload_id: UUID | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Some jobs, oldest first, and how many there are in each state."""

    items: Sequence[JobRow]
    counts: Mapping[str, int]
    oldest_waiting_seconds: float | None = None
    next_cursor: str | None = None


StageName: TypeAlias = Literal[
    "declared", "receiving", "sealing", "checking", "processing", "total"
]
"""The states in which files spend time, and `total`: from the declaration until ready or linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What became ready, or was linked to content that was here already, in the window."""

    files: int
    bytes: int  # as declared
    files_per_second: float
    bytes_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The jobs of now."""

    waiting: int
    running: int
    dead: int
    oldest_waiting_seconds: float | None = None  # since the oldest job that waits was due


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLatency:
    """How long files were in a state that they left in the window.

    After much traffic 1,000 events stand for all of them: `files` were measured.
    """

    stage: StageName
    files: int
    p50_seconds: float
    p95_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How many files were refused, expired or failed in the window, for one reason."""

    state: UploadState  # rejected, expired or failed
    reason: str  # its text is in `GET /v1/reasons`
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckCounts:
    """How many files move no more, now."""

    silent: int
    stuck: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsOverview:
    """How an organization's uploads fare: now, and in a window of time until now.

    A window begins with a whole minute, so it is up to a minute longer than was asked for. What
    `settled` is counted by state, and all of it in `throughput` or `failures` too, but for what was
    skipped or cancelled.
    """

    at: datetime
    since: datetime  # when the window began
    queue: Queue
    throughput: Throughput
    settled: Mapping[str, int]  # files by the state in which they settled in the window
    stages: Sequence[StageLatency]  # in the order of a file's life; those that files left
    failures: Sequence[Failure]  # the most frequent first
    stuck: StuckCounts
    health: Sequence[Check]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsPoint:
    """A step of time: the most that waited in it, what settled, and how long that took.

    Times are from a file's declaration until it was ready or linked. After much traffic some files
    of a step stand for all of them; where there was none, there is no time.
    """

    at: datetime  # when it began
    waiting: int
    running: int
    dead: int
    oldest_waiting_seconds: float  # 0: no job waited that was due
    files: int  # ready, or linked to content that was here already
    bytes: int  # of those, as declared
    failures: int  # rejected, expired or failed
    ready_p50_seconds: float | None = None
    ready_p95_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsHistory:
    """What was sampled of an organization's queue, and what settled, in steps of equal length.

    Samples are taken by workers, several times a minute, and kept for 30 days. A step in which
    nobody sampled is missing. The last step is still going on.
    """

    since: datetime
    until: datetime
    step_seconds: int  # divides a day; steps begin at its multiples
    points: Sequence[OperationsPoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckRow:
    """A file that moves no more.

    `silent`: the client said nothing for long, and neither sent the file nor closed the batch.
    `stuck`: all of it is here, and no worker brought it any further for long.
    """

    upload_id: UUID
    batch_id: UUID
    project_id: UUID
    path: str
    size: int
    received: int  # bytes
    state: UploadState
    plight: Literal["silent", "stuck"]
    moved_at: datetime  # when something last happened to it
    last_error: str | None = None  # of the job that ought to bring it further


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckPage:
    """Some files that move no more, about in order of declaration, and how many there are."""

    items: Sequence[StuckRow]
    counts: StuckCounts
    silent_after_seconds: float
    stuck_after_seconds: float
    next_cursor: str | None = None

"""What operators look at: how much settles and how fast, what waits, and what moves no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from laydown.domain.lifecycle import SETTLED, State
from laydown.domain.upload import BatchId, ProjectId, UploadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many files settled in one way."""

    state: State
    reason: str | None
    files: int
    bytes: int  # as declared


class Stage(StrEnum):
    """Where a file spends its time: the states that it leaves, and all of them together."""

    DECLARED = "declared"
    RECEIVING = "receiving"
    SEALING = "sealing"
    CHECKING = "checking"
    PROCESSING = "processing"
    TOTAL = "total"  # from its declaration until it is ready, or linked


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long files took for a stage."""

    stage: Stage
    files: int  # that were measured
    median: float  # seconds
    slowest: float  # seconds that 95 of 100 files don't exceed


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A step of time: the most that waited in it, and what settled.

    Times are from a file's declaration until it was ready or linked, of many files measured on
    some; None: of none.
    """

    at: datetime  # when it began
    waiting: int
    running: int
    dead: int
    oldest: float  # seconds that the oldest job had waited
    files: int  # ready or linked
    bytes: int
    failures: int  # rejected, expired or failed
    median: float | None = None  # seconds
    slowest: float | None = None  # seconds that 95 of 100 files don't exceed


class Plight(StrEnum):
    """What is wrong with a file that moves no more."""

    SILENT = "silent"  # its client said nothing for long, and the batch is open
    STUCK = "stuck"  # all of it is here, and nothing happened to it for long


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """After how long without a move a file is listed."""

    silent: timedelta = timedelta(hours=1)
    stuck: timedelta = timedelta(minutes=10)  # more than all attempts of a job take on average


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckUpload:
    """A file that moves no more."""

    id: UploadId
    plight: Plight
    batch: BatchId
    project: ProjectId
    path: str
    size: int
    received: int
    state: State
    moved_at: datetime
    last_error: str | None  # of its job


FAILURES = frozenset({State.REJECTED, State.EXPIRED, State.FAILED})
"""Ways to settle that somebody should look at; what was skipped or taken back was meant so."""

SUCCESSES = frozenset({State.READY, State.DUPLICATE})
"""Ways to settle in which a version has the content."""

_STEPS = (60, 300, 600, 1_800, 3_600, 7_200, 14_400)  # seconds
_MOST_STEPS = 180  # as many as a chart can show apart


def step_of(span: timedelta) -> timedelta:
    """Return the steps in which so long a time is shown: whole minutes that divide a day."""
    seconds = span.total_seconds()
    fitting = [step for step in _STEPS if seconds / step <= _MOST_STEPS]
    return timedelta(seconds=fitting[0] if fitting else _STEPS[-1])


WITH_US = frozenset({State.SEALING, State.CHECKING, State.PROCESSING})
"""Where a file is from its last byte until it is final."""

PROMPT = 120.0
"""Seconds within which a file is to be final after its last byte: see deploy/objectives.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How long a file that settled was in each state, since it was declared or set going again."""

    end: State
    stages: Mapping[State, float]  # seconds
    waited: float | None  # seconds from its last byte until it was final; None: no bytes came
    stands_for: int = 1  # files, itself included, where some were measured of many

    @property
    def is_prompt(self) -> bool:
        """Whether it was final in the time we promise; what was given up never is."""
        return self.waited is not None and self.waited <= PROMPT and self.end is not State.FAILED


def life_of(moves: Sequence[tuple[State, float]], *, stands_for: int = 1) -> Life:
    """Return the life that a trail tells of.

    *moves* are the states that a file took and when, in seconds since whenever: from `declared` to
    the state in which it settled. Only the last way there counts, if it settled before.
    """
    end, ended = moves[-1]
    stages: dict[State, float] = {}
    landed: float | None = None
    for (state, since), (becomes, until) in pairwise(moves):
        if state in SETTLED:
            stages, landed = {}, None
        else:
            stages[state] = stages.get(state, 0.0) + until - since
        if becomes in WITH_US and state not in WITH_US:
            landed = until
    waited = None if landed is None else ended - landed
    return Life(end=end, stages=stages, waited=waited, stands_for=stands_for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one look saw: all organizations together, and what settled since the look before."""

    waiting: int  # jobs
    running: int
    dead: int
    oldest: float  # seconds for which the oldest job that waits has been due
    announced: int  # files that workers have or will have to do with
    overdue: int  # files that are with us and don't move
    outcomes: Sequence[Outcome]
    lives: Sequence[Life]  # of many files, some
    batches: Sequence[float]  # seconds that those took which ended

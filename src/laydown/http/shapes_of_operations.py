"""How what operators look at is shown."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from laydown import wire
from laydown.domain.figures import (
    FAILURES,
    SUCCESSES,
    Duration,
    Moment,
    Plight,
    StuckUpload,
)
from laydown.domain.jobs import JobState
from laydown.domain.lifecycle import SETTLED, State
from laydown.services.operating import History, Overview

_LOOKS_AWAY = timedelta(minutes=2)  # workers look several times a minute
_LONG_WAIT = 600.0  # seconds; a spike is worked off sooner


def overview(of: Overview, health: Sequence[wire.Check]) -> wire.OperationsOverview:
    """Return how uploads fare, with what `/readyz` finds."""
    settled = dict.fromkeys(SETTLED, 0)
    for outcome in of.outcomes:
        settled[outcome.state] += outcome.files
    return wire.OperationsOverview(
        at=of.at,
        since=of.since,
        queue=wire.Queue(
            waiting=of.jobs[JobState.WAITING],
            running=of.jobs[JobState.RUNNING],
            dead=of.jobs[JobState.DEAD],
            oldest_waiting_seconds=of.oldest_job,
        ),
        throughput=_throughput(of),
        settled={state.value: settled[state] for state in State if state in settled},
        stages=[*map(_stage, of.durations)],
        failures=[
            wire.Failure(
                state=outcome.state.value,
                reason=outcome.reason,
                files=outcome.files,
                bytes=outcome.bytes,
            )
            for outcome in of.outcomes
            if outcome.state in FAILURES and outcome.reason is not None
        ],
        stuck=stuck_counts(of.stuck),
        health=[*health, _worker(of), _queue(of)],
    )


def history(of: History) -> wire.OperationsHistory:
    """Return what was sampled over time."""
    return wire.OperationsHistory(
        since=of.since,
        until=of.until,
        step_seconds=int(of.step.total_seconds()),
        points=[*map(_point, of.moments)],
    )


def stuck(of: StuckUpload) -> wire.StuckRow:
    """Return a file that moves no more."""
    return wire.StuckRow(
        upload_id=of.id,
        batch_id=of.batch,
        project_id=of.project,
        path=of.path,
        size=of.size,
        received=of.received,
        state=of.state.value,
        plight=of.plight.value,
        moved_at=of.moved_at,
        last_error=of.last_error,
    )


def stuck_counts(of: Mapping[Plight, int]) -> wire.StuckCounts:
    """Return how many files move no more."""
    return wire.StuckCounts(silent=of[Plight.SILENT], stuck=of[Plight.STUCK])


def _throughput(of: Overview) -> wire.Throughput:
    seconds = (of.at - of.since).total_seconds()
    done = [outcome for outcome in of.outcomes if outcome.state in SUCCESSES]
    files = sum(outcome.files for outcome in done)
    size = sum(outcome.bytes for outcome in done)
    return wire.Throughput(
        files=files, bytes=size, files_per_second=files / seconds, bytes_per_second=size / seconds
    )


def _stage(of: Duration) -> wire.StageLatency:
    return wire.StageLatency(
        stage=of.stage.value, files=of.files, p50_seconds=of.median, p95_seconds=of.slowest
    )


def _point(of: Moment) -> wire.OperationsPoint:
    return wire.OperationsPoint(
        at=of.at,
        waiting=of.waiting,
        running=of.running,
        dead=of.dead,
        oldest_waiting_seconds=of.oldest,
        files=of.files,
        bytes=of.bytes,
        failures=of.failures,
        ready_p50_seconds=of.median,
        ready_p95_seconds=of.slowest,
    )


def _worker(of: Overview) -> wire.Check:
    """Say whether workers look at the queue, as they do while they run."""
    if of.sampled_at is not None and of.at - of.sampled_at < _LOOKS_AWAY + timedelta(minutes=1):
        return wire.Check(name="worker", ok=True, detail="looks at the queue")
    since = "yet" if of.sampled_at is None else f"since {of.sampled_at:%Y-%m-%d %H:%M} UTC"
    return wire.Check(
        name="worker",
        ok=False,
        detail=f"none has looked at the queue {since}",
        remedy="see whether a worker runs, and what its log says",
    )


def _queue(of: Overview) -> wire.Check:
    """Say whether jobs get their turn."""
    if of.oldest_job is None or of.oldest_job < _LONG_WAIT:
        return wire.Check(name="queue", ok=True, detail="no job waits for long")
    return wire.Check(
        name="queue",
        ok=False,
        detail=f"the oldest job has waited for {of.oldest_job / 60:.0f} minutes",
        remedy="see whether workers run and what their logs say; start more of them",
    )

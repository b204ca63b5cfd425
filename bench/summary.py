"""From single runs to one row a peer: medians, ratios, and whether the aims are met."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.measurement import Measurement
from bench.workloads import Workload

GB = 1_000_000_000
_MEMORY_AIM = 150_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One peer with one workload: the medians of its runs."""

    peer: str
    runs: int
    seconds: float
    ready_seconds: float | None  # None: an answer is the end of it
    files: int
    bytes: int
    cpu: Mapping[str, float]  # seconds by role, up to the last acknowledgement
    cpu_seconds: float
    cpu_seconds_settled: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    client_load: float
    foreign_load: float
    memory: Mapping[str, int]  # the greatest of all runs, by role
    phases: Mapping[str, float]
    states: Mapping[str, int]  # of the last run


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Something laydown has to reach, and what it reached."""

    what: str
    wanted: str
    reached: str
    met: bool


def rows(workload: Workload, measurements: Sequence[Measurement]) -> dict[str, Row]:
    """Return a row for every peer that did the workload."""
    found: dict[str, list[Measurement]] = {}
    for one in measurements:
        if one.workload == workload.name:
            found.setdefault(one.peer, []).append(one)
    return {peer: _row(peer, runs) for peer, runs in found.items()}


def aims(by_workload: Mapping[str, Mapping[str, Row]]) -> list[Aim]:
    """Return the aims that what was measured can speak about."""
    found = []
    for name, peer, least in (
        ("W1", "express", 2.0),
        ("W1", "tus", 2.0),
        ("W2", "tus", 1.0),
        ("W3", "tus", 1.0),
        ("W4", "tus", 10.0),
    ):
        table = by_workload.get(name, {})
        if "laydown" in table and peer in table:
            reached = table[peer].seconds / table["laydown"].seconds
            what = f"{name}: rate of laydown over that of {peer}"
            found.append(_at_least(what, least, reached))
    peaks = [
        table["laydown"].memory["api"]
        for table in by_workload.values()
        if "laydown" in table and "api" in table["laydown"].memory
    ]
    if peaks:
        found.append(
            Aim(
                what="peak memory of the api over all workloads",
                wanted=f"under {_MEMORY_AIM / 1e6:.0f} MB",
                reached=f"{max(peaks) / 1e6:.0f} MB",
                met=max(peaks) < _MEMORY_AIM,
            )
        )
    return found


def _at_least(what: str, least: float, reached: float) -> Aim:
    return Aim(
        what=what,
        wanted=f"at least {least:.1f}",
        reached=f"{reached:.2f}",
        met=reached >= least,
    )


def _row(peer: str, runs: Sequence[Measurement]) -> Row:
    def middle(value: Callable[[Measurement], float]) -> float:
        return median(value(run) for run in runs)

    def latency(value: Callable[[Measurement], float | None]) -> float | None:
        known = [found for run in runs if (found := value(run)) is not None]
        return median(known) if known else None

    last = runs[-1]
    return Row(
        peer=peer,
        runs=len(runs),
        seconds=middle(lambda run: run.sent.seconds),
        ready_seconds=middle(lambda run: run.ready_seconds) if last.settled else None,
        files=last.sent.files,
        bytes=last.sent.bytes,
        cpu={role: middle(_cpu(role)) for role in sorted(last.cpu)},
        cpu_seconds=middle(lambda run: sum(run.cpu.values())),
        cpu_seconds_settled=middle(lambda run: sum(run.cpu_settled.values())),
        p50_ms=latency(lambda run: run.sent.p50_ms),
        p95_ms=latency(lambda run: run.sent.p95_ms),
        p99_ms=latency(lambda run: run.sent.p99_ms),
        client_load=max(run.sent.client_load for run in runs),
        foreign_load=max(run.foreign_load for run in runs),
        memory={
            role: max(run.memory.get(role, 0) for run in runs)
            for role in sorted({role for run in runs for role in run.memory})
        },
        phases={phase: middle(_phase(phase)) for phase in last.sent.phases},
        states=last.settled.states if last.settled else {},
    )


def _cpu(role: str) -> Callable[[Measurement], float]:
    return lambda run: run.cpu.get(role, 0.0)


def _phase(name: str) -> Callable[[Measurement], float]:
    return lambda run: run.sent.phases[name]

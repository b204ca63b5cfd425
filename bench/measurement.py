"""What one peer did with one workload in one run, as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.loadclient import LoadReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A workload as its sender saw it."""

    seconds: float  # the whole conversation, up to the last acknowledgement
    files: int  # acknowledged
    bytes: int  # acknowledged
    failed: Mapping[str, int] = field(default_factory=dict)  # jobs by what went wrong
    complaint: str = ""
    p50_ms: float | None = None  # of one file
    p95_ms: float | None = None
    p99_ms: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)  # seconds by step of the conversation
    client_load: float = 0.0  # how much of its core the load client used, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of the files after they were acknowledged."""

    seconds: float  # from the last acknowledgement to the last file settled
    states: Mapping[str, int]  # files by state


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One peer, one workload, one run."""

    peer: str
    workload: str
    run: int
    sent: Sent
    settled: Settled | None  # None: nothing follows the acknowledgement
    cpu: Mapping[str, float]  # the server's, in seconds by role, up to the last acknowledgement
    cpu_settled: Mapping[str, float]  # the same, up to the last file settled
    memory: Mapping[str, int]  # peak resident bytes by role of process
    foreign_load: float  # how much of the server's core others used meanwhile, 0 to 1

    @property
    def ready_seconds(self) -> float:
        """Return how long it took until every file was settled."""
        return self.sent.seconds + (self.settled.seconds if self.settled else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A run that came to nothing, and why."""

    peer: str
    workload: str
    run: int
    reason: str


def sent_by_load(report: LoadReport) -> Sent:
    """Return what was sent when the load client did all of it."""
    return Sent(
        seconds=report.seconds,
        files=report.ok,
        bytes=report.bytes,
        failed=report.failed,
        complaint=report.complaint,
        p50_ms=report.p50_ms,
        p95_ms=report.p95_ms,
        p99_ms=report.p99_ms,
        client_load=report.cpu_seconds / report.seconds if report.seconds else 0.0,
    )

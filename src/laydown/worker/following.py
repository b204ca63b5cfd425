"""What a worker tells of the jobs it did, so that a file can be followed to where it is ready."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from laydown.domain.jobs import ClaimedJob
from laydown.domain.trace import Trace
from laydown.observe import SpanName
from laydown.ports import Span, Tracing


def spans_of(
    kind: str,
    jobs: Sequence[ClaimedJob],
    *,
    seconds: float,
    why: Exception | None,
    tracing: Tracing,
) -> Iterator[Span]:
    """Yield a span for each trace that these jobs, which were done together, belong to.

    *why* they failed is told by its type alone: its words may name files.
    """
    by_trace: dict[Trace, list[ClaimedJob]] = defaultdict(list)
    for each in jobs:
        if each.trace is not None and each.trace.is_sampled:
            by_trace[each.trace].append(each)
    now = time.time_ns()
    for trace, alike in by_trace.items():
        attributes: dict[str, str | int] = {
            "kind": kind,
            "jobs": len(alike),
            "organization": str(alike[0].organization),
        }
        if len(alike) == 1:
            attributes["upload"] = str(alike[0].job.upload_id)
        if why is not None:
            attributes["error"] = type(why).__name__
        yield Span(
            name=SpanName.JOBS,
            at=tracing.below(trace),
            parent=trace.span_id,
            began=now - round(seconds * 1e9),
            ended=now,
            is_failure=why is not None,
            attributes=attributes,
            links=[other for other in by_trace if other != trace],
        )


def whereabouts(job: ClaimedJob) -> dict[str, str]:
    """Return what a log says of a job beside its id: its upload, and its trace if it has one."""
    found = {"upload_id": str(job.job.upload_id)}
    return found if job.trace is None else found | {"trace_id": job.trace.trace_id}

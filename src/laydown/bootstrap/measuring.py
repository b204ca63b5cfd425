"""What every process says of itself in its metrics."""

import asyncio
import resource as usage
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from laydown import observe
from laydown.bootstrap.database import Database
from laydown.observe import Process
from laydown.settings import Settings
from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from laydown.telemetry.traces import Traces

_SPANS_EVERY = 1.0  # seconds
_SENT_EVERY = 15.0  # seconds; alarms look at minutes
_PAGES = Path("/proc/self/statm")  # its second number is what is resident; see proc(5)


def follow_process(metrics: Metrics, process: Process, database: Database) -> None:
    """Have processor, memory and connections be read when somebody asks for metrics."""
    metrics.follow(observe.CPU_SECONDS, time.process_time, process=process.value)
    if _PAGES.exists():
        metrics.follow(observe.MEMORY_BYTES, _resident, process=process.value)
    for role, crowd in database.crowds.items():
        named = {"process": process.value, "role": role}
        metrics.follow(observe.DATABASE_CONNECTIONS, crowd.open, **named)
        metrics.follow(observe.DATABASE_WAITING, crowd.waiting, **named)


@asynccontextmanager
async def telling(
    settings: Settings, metrics: Metrics, process: Process, log: Log
) -> AsyncIterator[Traces]:
    """Send numbers and spans to the collector of the settings, if any, while the block runs.

    Yields where spans are told.
    """
    if settings.otlp is None:
        yield Traces()
        return
    # Only who sends loads what that takes.
    from laydown.telemetry.collector import Collector  # noqa: PLC0415
    from laydown.telemetry.metrics_out import MetricsOut  # noqa: PLC0415
    from laydown.telemetry.resource import resource_of  # noqa: PLC0415
    from laydown.telemetry.spans_out import SpansOut  # noqa: PLC0415

    resource = resource_of(process, version=version("laydown"))
    async with Collector(settings.otlp, log=log) as collector, asyncio.TaskGroup() as tasks:
        spans = SpansOut(collector, resource=resource)
        sending = (
            tasks.create_task(spans.run(every=_SPANS_EVERY)),
            tasks.create_task(
                MetricsOut(metrics, collector, resource=resource).run(every=_SENT_EVERY)
            ),
        )
        yield Traces(share=settings.trace_share, out=spans)
        for each in sending:
            each.cancel()


def _resident() -> float:
    """Return the bytes of memory that this process holds."""
    return int(_PAGES.read_text("ascii").split()[1]) * usage.getpagesize()

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
async def sending_metrics(
    settings: Settings, metrics: Metrics, process: Process, log: Log
) -> AsyncIterator[None]:
    """Send the numbers to the collector of the settings while the block runs, if there is one."""
    if settings.otlp is None:
        yield
        return
    # Only who sends loads what that takes.
    from laydown.telemetry.metrics_out import MetricsOut  # noqa: PLC0415
    from laydown.telemetry.resource import resource_of  # noqa: PLC0415

    resource = resource_of(process, version=version("laydown"))
    out = MetricsOut(metrics, endpoint=settings.otlp, resource=resource, log=log)
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(out.run(every=_SENT_EVERY))
        yield
        sending.cancel()


def _resident() -> float:
    """Return the bytes of memory that this process holds."""
    return int(_PAGES.read_text("ascii").split()[1]) * usage.getpagesize()

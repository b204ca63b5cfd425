"""What every process says of itself in its metrics."""

import resource
import time
from pathlib import Path

from laydown import observe
from laydown.bootstrap.database import Database
from laydown.observe import Process
from laydown.telemetry.metrics import Metrics

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


def _resident() -> float:
    """Return the bytes of memory that this process holds."""
    return int(_PAGES.read_text("ascii").split()[1]) * resource.getpagesize()

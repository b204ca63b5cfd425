"""Where a benchmark ran: what a reader needs to judge its numbers."""

import mmap
import os
import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_TOUCHED_PAGES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The machine, and how it was shared out."""

    day: str
    processor: str
    cores: int
    memory_bytes: int
    kernel: str
    file_system: str
    server_cpu: int
    client_cpu: int
    load_before: float  # processes wanting a core, mean of the minute before
    page_fault_us: float  # what touching a new page of memory costs


def conditions(work: Path, *, server_cpu: int, client_cpu: int) -> Conditions:
    """Return what is true of this machine now; *work* is where the servers store their files."""
    return Conditions(
        day=datetime.now(UTC).date().isoformat(),
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=f"{platform.system()} {platform.release()}",
        file_system=_file_system(work),
        server_cpu=server_cpu,
        client_cpu=client_cpu,
        load_before=os.getloadavg()[0],
        page_fault_us=_page_fault_us(),
    )


def _page_fault_us() -> float:
    """Return the price of a page fault: 0.2 on bare metal, many times that in some machines."""
    page = os.sysconf("SC_PAGE_SIZE")
    with mmap.mmap(-1, _TOUCHED_PAGES * page) as memory:
        began = time.perf_counter()
        for start in range(0, len(memory), page):
            memory[start] = 1
        return (time.perf_counter() - began) / _TOUCHED_PAGES * 1e6


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(work: Path) -> str:
    """Return the type of the mount with the longest path that holds *work*."""
    best, kind = Path("/"), "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, found, *_ = line.split()
        mount = Path(where)
        if work.resolve().is_relative_to(mount) and len(mount.parts) >= len(best.parts):
            best, kind = mount, found
    return kind

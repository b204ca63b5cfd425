"""What Linux says about processes: who belongs to whom, what they used, how big they grew."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Stat:
    parent: int
    seconds: float  # user and system, of the process and of the children it has reaped


def tree(root: int) -> set[int]:
    """Return a process and all its living descendants; empty when it is gone."""
    parents = {pid: stat.parent for pid in _pids() if (stat := _stat(pid)) is not None}
    found = {root} & parents.keys()
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cpu_seconds(pids: Iterable[int], role: Callable[[str], str]) -> dict[str, float]:
    """Return the processor time of processes and of their reaped children, in seconds by role.

    *role* names a process by its command line, the arguments joined by spaces.
    """
    seconds: dict[str, float] = {}
    for pid in pids:
        stat = _stat(pid)
        if stat is not None:
            name = role(command_line(pid))
            seconds[name] = seconds.get(name, 0.0) + stat.seconds
    return seconds


def peak_memory(pids: Iterable[int], role: Callable[[str], str]) -> dict[str, int]:
    """Return the peak resident size in bytes of the largest process in each role."""
    peaks: dict[str, int] = {}
    for pid in pids:
        peak = _peak(pid)
        if peak is not None:
            name = role(command_line(pid))
            peaks[name] = max(peak, peaks.get(name, 0))
    return peaks


def command_line(pid: int) -> str:
    """Return how a process was called, or what it calls itself; empty when it is gone."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def core_seconds(core: int) -> float:
    """Return how long a core has been busy since start, in seconds, whoever kept it so."""
    for line in (_PROC / "stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, ticks[:8])
            return (user + nice + system + irq + softirq + steal) / _TICKS_PER_SECOND
    raise ValueError(f"there is no core {core}")


def _pids() -> Iterable[int]:
    return (int(entry) for entry in os.listdir(_PROC) if entry.isdigit())  # noqa: PTH208 - hot


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name stands in parentheses and may hold anything; the numbers follow the last one.
    fields = text[text.rindex(")") + 2 :].split()
    ticks = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return _Stat(parent=int(fields[1]), seconds=ticks / _TICKS_PER_SECOND)


def _peak(pid: int) -> int | None:
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None

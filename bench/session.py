"""One benchmark: every peer with every workload, in turn, as often as was asked."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.loadclient import LoadFailed
from bench.measurement import Failure, Measurement
from bench.peers.peer import Bench, Peer, PeerUnavailable
from bench.processes import ServerFailed, descendants, kill_strays
from bench.procfs import core_seconds, cpu_seconds, peak_memory
from bench.workloads import Workload


@dataclass(slots=True, kw_only=True)
class Results:
    """Everything one benchmark came to."""

    workloads: Sequence[Workload]
    peers: list[Peer] = field(default_factory=list)  # those that could be had
    absent: dict[str, str] = field(default_factory=dict)  # the others, and why not
    measurements: list[Measurement] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def prepare(peers: Sequence[Peer], bench: Bench, results: Results) -> None:
    """Install every peer; those that can't be had are noted and left out."""
    for peer in peers:
        print(f"installing {peer.name}", flush=True)
        try:
            peer.prepare(bench)
        except PeerUnavailable as why:
            print(f"  left out: {why}", flush=True)
            results.absent[peer.name] = str(why)
        else:
            results.peers.append(peer)


def measure(bench: Bench, results: Results, *, runs: int) -> None:
    """Measure all peers interleaved (A B C, B C A, …), each time on an empty server.

    Who goes first changes with every run, so that nobody always finds what another left behind.
    """
    for run in range(1, runs + 1):
        first = (run - 1) % max(1, len(results.peers))
        in_turn = results.peers[first:] + results.peers[:first]
        for workload in results.workloads:
            for peer in in_turn:
                if not peer.takes(workload):
                    continue
                print(f"{workload.name} run {run}/{runs} {peer.name:8} ", end="", flush=True)
                outcome = _attempt(bench, peer, workload, run)
                if isinstance(outcome, Failure):
                    results.failures.append(outcome)
                    print(f"failed: {outcome.reason}", flush=True)
                else:
                    results.measurements.append(outcome)
                    print(_line(outcome), flush=True)


def _attempt(bench: Bench, peer: Peer, workload: Workload, run: int) -> Measurement | Failure:
    try:
        return _measure(bench, peer, workload, run)
    except (ServerFailed, LoadFailed, PeerUnavailable, OSError) as why:
        return Failure(peer=peer.name, workload=workload.name, run=run, reason=str(why))


def _measure(bench: Bench, peer: Peer, workload: Workload, run: int) -> Measurement:
    name = f"{peer.name}-{workload.name}-{run}"
    with _room(bench.work, name) as directory, peer.serve(bench, directory) as server:
        server.send(workload.warm_up(), f"{workload.name}-warm")
        server.settle()
        os.sync()  # what earlier runs and other programs left to be written is not to be paid here

        began = time.perf_counter()
        core_before = core_seconds(bench.server_cpu)
        cpu_before = cpu_seconds(descendants(), server.role)
        sent = server.send(workload, f"{workload.name}-{run}")
        cpu_sent = cpu_seconds(descendants(), server.role)
        if sent.failed:
            raise ServerFailed(f"not every file arrived: {dict(sent.failed)}; {sent.complaint}")
        settled = server.settle()
        members = descendants()
        cpu_settled = cpu_seconds(members, server.role)
        busy = core_seconds(bench.server_cpu) - core_before
        used = _since(cpu_before, cpu_settled)
        foreign = busy - sum(used.values())
        return Measurement(
            peer=peer.name,
            workload=workload.name,
            run=run,
            sent=sent,
            settled=settled,
            cpu=_since(cpu_before, cpu_sent),
            cpu_settled=used,
            memory=peak_memory(members, server.role),
            foreign_load=max(0.0, foreign / (time.perf_counter() - began)),
        )


def _since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {role: seconds - before.get(role, 0.0) for role, seconds in after.items()}


@contextmanager
def _room(work: Path, name: str) -> Iterator[Path]:
    """Yield an empty directory; afterwards no server is left, and what it stored takes no space.

    The empty files stay until `clear`: ext4 without a journal avoids the inodes that were deleted
    in the last minutes, and looks at every one of them again for each new file. After a run of
    5,000 files that cost the next one a fifth of its time.

    Only when the block fails, the servers' logs are kept, in `logs/` under this name.
    """
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=work))
    try:
        yield directory
    except BaseException:
        kept = work / "logs" / name
        kept.mkdir(parents=True, exist_ok=True)
        for log in directory.rglob("*.log"):
            shutil.copy(log, kept)
        raise
    finally:
        kill_strays()
        _empty(directory)


def _empty(directory: Path) -> None:
    """Give back the space of the files below, but for those that are also elsewhere."""
    for path in directory.rglob("*"):
        about = path.lstat()
        if stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
            os.truncate(path, 0)


def clear(work: Path) -> None:
    """Delete what all runs left."""
    for directory in work.glob("run-*"):
        shutil.rmtree(directory, ignore_errors=True)


def _line(measurement: Measurement) -> str:
    sent = measurement.sent
    rate = f"{sent.files / sent.seconds:,.1f} files/s {sent.bytes / sent.seconds / 1e6:,.0f} MB/s"
    return f"{sent.seconds:.2f} s, {rate}, {sum(measurement.cpu.values()):.2f} CPU s"

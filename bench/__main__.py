"""`python -m bench`: measure laydown beside its peers and write docs/performance.md."""

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.conditions import Conditions, conditions
from bench.content import Pool
from bench.loadclient import LoadClient, LoadFailed
from bench.peers.express import Express
from bench.peers.laydown import Laydown
from bench.peers.nginx import Nginx
from bench.peers.peer import Bench, Peer
from bench.peers.tus import Tus
from bench.processes import adopt_orphans, kill_strays
from bench.report import performance
from bench.session import Results, clear, measure, prepare
from bench.workloads import NAMES, workloads

_HERE = Path(__file__).parent
_PEERS: tuple[type[Peer], ...] = (Laydown, Express, Tus, Nginx)
_LEAST_SPACE = 10 << 30  # bytes; the largest workload and what a server keeps beside it
_TOOLS = ("taskset", "setpriv", "cc")


class _CannotMeasure(Exception):
    """This machine can't run the benchmark; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 0 when every run came to a number, 1 when not, 2 when none can."""
    wanted = _parse(arguments)
    work = _HERE / ".work"
    work.mkdir(exist_ok=True)
    # Being told to end must still stop the servers, so it has to pass through every `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with _alone(work):
            results, where = _run(wanted, work)
    except (_CannotMeasure, LoadFailed) as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    _save(work / "results.json", results, where)
    page = wanted.report or (work if wanted.quick else _HERE.parent / "docs") / "performance.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(performance(results, where))
    print(f"written: {page}")
    return 1 if results.failures or not results.measurements else 0


def _run(wanted: argparse.Namespace, work: Path) -> tuple[Results, Conditions]:
    server_cpu, client_cpu = _cores()
    _check_machine(work)
    clear(work)
    shutil.rmtree(work / "logs", ignore_errors=True)
    bench = _bench(work, server_cpu=server_cpu, client_cpu=client_cpu)
    where = conditions(work, server_cpu=server_cpu, client_cpu=client_cpu)
    results = Results(workloads=workloads(wanted.workloads, quick=wanted.quick))
    adopt_orphans()
    try:
        prepare([peer() for peer in _PEERS if peer.name in wanted.peers], bench, results)
        os.sched_setaffinity(0, {client_cpu})  # this program stays off the server's core, too
        measure(bench, results, runs=wanted.runs)
    finally:
        kill_strays()
        clear(work)
    return results, where


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Refuse to share the cores, and the directory, with another benchmark."""
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _CannotMeasure("another benchmark is running here") from error
        yield


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    peers = tuple(peer.name for peer in _PEERS)
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workloads", type=_choice(NAMES), default=list(NAMES), metavar="W1,W2")
    parser.add_argument("--peers", type=_choice(peers), default=list(peers), metavar="laydown,tus")
    parser.add_argument("--runs", type=int, choices=range(1, 22), default=3, metavar="N")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a tenth of the work, to see that all runs; the page goes to bench/.work",
    )
    parser.add_argument("--report", type=Path, help="where the page goes")
    return parser.parse_args(arguments)


def _choice(known: tuple[str, ...]):
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(
                f"{', '.join(sorted(unknown))}: not among {', '.join(known)}"
            )
        return names

    return parse


def _cores() -> tuple[int, int]:
    """Return a core for servers and another for the client."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise _CannotMeasure("two cores are needed: one for the server, one for the client")
    return allowed[0], allowed[1]


def _check_machine(work: Path) -> None:
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        raise _CannotMeasure(f"not installed: {', '.join(missing)}")
    free = shutil.disk_usage(work).free
    if free < _LEAST_SPACE:
        raise _CannotMeasure(f"{free >> 30} GiB free in {work}, {_LEAST_SPACE >> 30} are needed")


def _bench(work: Path, *, server_cpu: int, client_cpu: int) -> Bench:
    pool = Pool(work / "pool")
    client = LoadClient(work, pool, cpu=client_cpu)
    return Bench(work=work, pool=pool, client=client, server_cpu=server_cpu)


def _save(path: Path, results: Results, where: Conditions) -> None:
    told = {
        "conditions": asdict(where),
        "workloads": [asdict(workload) for workload in results.workloads],
        "absent": results.absent,
        "measurements": [asdict(one) for one in results.measurements],
        "failures": [asdict(one) for one in results.failures],
    }
    path.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())

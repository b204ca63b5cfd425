"""The load client: `load/*.c`, compiled on first use and run on a core of its own."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.content import Pool
from bench.plan import Job, write_plan

_SOURCES = Path(__file__).parent / "load"
_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra")
_DEADLINE_SECONDS = 600
_GRACE_SECONDS = 60  # to read the plan, and to be killed in


class LoadFailed(Exception):
    """The load client could not be built, or could not do its work; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What the load client measured."""

    seconds: float  # from the first byte sent to the last answer
    ok: int
    requests: int
    bytes: int  # content of the jobs that went well
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    failed: Mapping[str, int]  # jobs by status, or `closed`, `garbled`, `unfinished`
    complaint: str  # what the first failure said
    cpu_seconds: float  # the client's own


class LoadClient:
    """Sends plans from one core."""

    def __init__(self, work: Path, pool: Pool, *, cpu: int) -> None:
        self._pool = pool
        self._cpu = cpu
        self._plan = work / "plan"
        self._program = _compile(work)

    def send(self, port: int, jobs: Iterable[Job], *, connections: int) -> LoadReport:
        """Send every job to 127.0.0.1 and report; raise `LoadFailed` when that can't be done."""
        write_plan(self._plan, jobs)
        command = ["taskset", "-c", str(self._cpu), str(self._program)]
        command += [str(port), str(connections), str(self._plan), str(self._pool.path)]
        command.append(str(_DEADLINE_SECONDS))
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_SECONDS + _GRACE_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise LoadFailed(done.stderr.strip() or f"load ended with {done.returncode}")
        answer = json.loads(done.stdout)
        del answer["jobs"]
        return LoadReport(**answer)


def _compile(work: Path) -> Path:
    program = work / "load"
    command = ["cc", *_FLAGS, "-o", str(program), *map(str, sorted(_SOURCES.glob("*.c")))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise LoadFailed("the load client needs a C compiler: install gcc") from error
    if done.returncode != 0:
        raise LoadFailed(f"the load client does not compile:\n{done.stderr}")
    return program

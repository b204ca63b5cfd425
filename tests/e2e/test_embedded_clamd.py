"""The clamd of `laydown up`: found or not, kept running, and never left behind."""

import asyncio
import os
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from laydown.embedded.clamd import ClamdPlan, find_clamd, plan_clamd
from laydown.embedded.supervisor import Supervisor
from tests.e2e.embedded_support import SOURCE, alive, kill_now, missing, python, until
from tests.engines.clamd import VERDICT, eicar, instream, write_signatures, zipped

SUPERVISING = """
import asyncio, sys
from pathlib import Path
from laydown.embedded.clamd import plan_clamd
from laydown.embedded.supervisor import Supervisor

plan = plan_clamd(Path(sys.argv[1]), signatures=Path(sys.argv[2]))
asyncio.run(Supervisor(report=print).run([plan.spec], stop=asyncio.Event()))
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that any user may pass through, where temporary files go as well."""
    with tempfile.TemporaryDirectory(prefix="ldn") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the user that root has clamd run as must come to its directory
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield folder


@pytest.fixture
def plan(place: Path) -> ClamdPlan:
    """Return what there is to run for a data directory of this test's own."""
    if find_clamd() is None:
        missing("there is no clamd: run 'bash scripts/engines.sh', which installs it on Debian")
    write_signatures(place / "signatures")
    plan = plan_clamd(place / "data", signatures=place / "signatures")
    assert plan.spec, plan.sentence
    return plan


def socket_of(plan: ClamdPlan) -> Path:
    assert plan.address
    return Path(plan.address.removeprefix("clamav://"))


@asynccontextmanager
async def running(plan: ClamdPlan) -> AsyncIterator[list[str]]:
    """Keep the planned clamd running while the block runs; yield what a person is told."""
    assert plan.spec
    told: list[str] = []
    stop = asyncio.Event()
    supervisor = Supervisor(report=told.append, first_delay=0.01)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run([plan.spec], stop=stop))
        await ready(plan)
        yield told
        stop.set()
        assert await task == 0, told


async def ready(plan: ClamdPlan) -> None:
    """Wait until the planned clamd answers."""
    assert plan.spec
    assert plan.spec.ready
    async with asyncio.timeout(30):
        while not await plan.spec.ready():  # noqa: ASYNC110 - other processes don't set our events
            await asyncio.sleep(0.02)


def clamd_on(plan: ClamdPlan) -> int:
    """Return the process id of the clamd that runs with the plan's configuration."""
    assert plan.spec
    config = os.fsencode(plan.spec.argv[-1])
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if config in words and words[0].endswith(b"/clamd"):
                return int(entry.name)
    return 0


def owner_of(pid: int) -> int:
    """Return the id of the user that a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


async def test_a_supervised_clamd_finds_what_its_signatures_say(plan: ClamdPlan):
    """While `laydown up` runs, a scanner answers at the planned address; after it, nobody does."""
    async with running(plan):
        assert "are scanned for malware" in plan.sentence
        assert VERDICT.encode() in await asyncio.to_thread(instream, socket_of(plan), eicar())
        assert await asyncio.to_thread(instream, socket_of(plan), b"a plan") == b"stream: OK\0"
        pid = clamd_on(plan)

    assert pid
    assert not alive(pid)
    with pytest.raises(OSError, match=r"No such file|refused"):
        await asyncio.to_thread(instream, socket_of(plan), b"")


async def test_a_killed_clamd_is_started_again(plan: ClamdPlan):
    """A crash of the scanner is over in seconds, stale socket and all."""
    async with running(plan) as told:
        first = clamd_on(plan)
        os.kill(first, 9)
        await until(lambda: clamd_on(plan) not in {0, first}, what="a new clamd")
        await ready(plan)
        assert await asyncio.to_thread(instream, socket_of(plan), b"a plan") == b"stream: OK\0"

    assert told == ["clamd stopped unexpectedly (killed by SIGKILL); starting it again in 0.01 s"]


async def test_a_clamd_ends_with_its_supervisor(plan: ClamdPlan, place: Path):
    """Not even `kill -9` of `laydown up` leaves a clamd behind."""
    env = {"PYTHONPATH": str(SOURCE), "PATH": os.defpath, "TMPDIR": str(place)}
    supervisor = python(SUPERVISING, place / "data", place / "signatures", env=env)
    await until(lambda: clamd_on(plan), what="a clamd")
    pid = clamd_on(plan)

    kill_now(supervisor)

    await until(lambda: not alive(pid), what="the end of clamd")


async def test_what_clamd_writes_is_private(plan: ClamdPlan, place: Path):
    """Nobody else may read what is scanned, or answer in the scanner's place."""
    async with running(plan):
        directory = socket_of(plan).parent
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE((place / "data" / "clamd").stat().st_mode) == 0o700
        if os.geteuid() == 0:
            assert owner_of(clamd_on(plan)) != 0


async def test_an_ordinary_user_has_all_of_it_in_the_data_directory(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where nobody else has to come to it, socket and scratch files are below the data."""
    if find_clamd() is None:
        missing("there is no clamd: run 'bash scripts/engines.sh', which installs it on Debian")
    monkeypatch.setattr("laydown.embedded.clamd._account", lambda: None)
    write_signatures(place / "signatures")

    plan = plan_clamd(place / "data", signatures=place / "signatures")

    assert socket_of(plan) == place / "data" / "run" / "clamd.sock"
    async with running(plan):
        assert VERDICT.encode() in await asyncio.to_thread(instream, socket_of(plan), eicar())


async def test_content_beyond_the_limits_is_never_called_clean(plan: ClamdPlan):
    """What is too deep for it, clamd names as such instead of answering OK."""
    async with running(plan):
        nested = zipped(eicar(), depth=30)
        answer = await asyncio.to_thread(instream, socket_of(plan), nested)

    assert b"Heuristics.Limits.Exceeded" in answer


def test_without_clamd_a_sentence_says_how_to_get_it(place: Path, monkeypatch: pytest.MonkeyPatch):
    """Where ClamAV isn't installed nothing is run, and the person reads what installs it."""
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setattr("laydown.embedded.clamd._DAEMONS", str(place))

    plan = plan_clamd(place / "data")

    assert (plan.spec, plan.address) == (None, None)
    assert "apt-get install clamav-daemon clamav-freshclam" in plan.sentence


@pytest.mark.parametrize("content", [None, ""])
def test_without_signatures_a_sentence_says_how_to_get_them(place: Path, content: str | None):
    """A clamd that would refuse to start isn't started: no database, or an empty one."""
    if find_clamd() is None:
        missing("there is no clamd: run 'bash scripts/engines.sh', which installs it on Debian")
    if content is not None:
        (place / "main.ndb").write_text(content)

    plan = plan_clamd(place / "data", signatures=place)

    assert plan.spec is None
    assert "run 'freshclam' as root" in plan.sentence


def test_a_data_directory_of_any_length_gets_a_socket(place: Path):
    """A path too long for a socket moves the socket, not the data."""
    if find_clamd() is None:
        missing("there is no clamd: run 'bash scripts/engines.sh', which installs it on Debian")
    write_signatures(place / "signatures")
    deep = place / ("d" * 100) / "data"

    plan = plan_clamd(deep, signatures=place / "signatures")

    assert plan.spec, plan.sentence
    assert len(os.fsencode(socket_of(plan))) <= 107
    assert (deep / "clamd" / "clamd.conf").exists()


def test_a_directory_of_somebody_elses_is_not_used(plan: ClamdPlan, place: Path):
    """A socket directory that others may enter is refused, not shared."""
    socket_of(plan).parent.chmod(0o777)

    again = plan_clamd(place / "data", signatures=place / "signatures")

    assert again.spec is None
    assert str(socket_of(plan).parent) in again.sentence

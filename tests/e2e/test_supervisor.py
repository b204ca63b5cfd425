"""The supervised tree of `laydown up`: order, restarts, and an end that leaves nobody behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from laydown.embedded.backoff import delay_after
from laydown.embedded.errors import EmbeddedError
from laydown.embedded.instance import (
    Connection,
    ConnectionUnknown,
    DataDirectoryBusy,
    own,
    read_connection,
    write_connection,
)
from laydown.embedded.lifeline import parent_gone
from laydown.embedded.supervisor import ChildSpec, Supervisor
from tests.e2e.embedded_support import SOURCE, alive, kill_now, python, until

ENV = {"PYTHONPATH": str(SOURCE), "PATH": os.defpath}

# Each child first writes its process id to the file it is given, whole or not at all.
WRITE = """
import os, signal, subprocess, sys, time
from pathlib import Path

def write(path, text):
    draft = Path(f"{path}.{os.getpid()}")
    draft.write_text(str(text))
    draft.replace(path)
"""
PATIENT = WRITE + "write(sys.argv[1], os.getpid()); signal.pause()"
CRASHING = WRITE + "open(sys.argv[1], 'a').write('x'); sys.exit(3)"
STUBBORN = WRITE + (
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "kin = subprocess.Popen(['sleep', '600'])\n"
    "write(sys.argv[1], f'{os.getpid()} {kin.pid}'); signal.pause()"
)
LISTENING = WRITE + (
    "import asyncio\n"
    "from laydown.embedded.lifeline import LIFELINE_VARIABLE, parent_gone\n"
    "async def main():\n"
    "    gone = asyncio.create_task(parent_gone(int(os.environ[LIFELINE_VARIABLE])))\n"
    "    await asyncio.sleep(0)\n"
    "    write(sys.argv[1], os.getpid())\n"
    "    await gone\n"
    "    write(sys.argv[1], 'told')\n"
    "asyncio.run(main())"
)
HANGING = WRITE + (
    "import asyncio\n"
    "from laydown.embedded.lifeline import LIFELINE_VARIABLE, parent_gone\n"
    "async def main():\n"
    "    gone = asyncio.create_task(parent_gone(int(os.environ[LIFELINE_VARIABLE]), mercy=0.2))\n"
    "    await asyncio.sleep(0)\n"
    "    kin = subprocess.Popen(['sleep', '600'])\n"
    "    write(sys.argv[1], f'{os.getpid()} {kin.pid}')\n"
    "    signal.pause()\n"
    "asyncio.run(main())"
)
SUPERVISING = """
import asyncio, os, sys
from laydown.embedded.supervisor import ChildSpec, Supervisor

async def main():
    pairs = list(zip(sys.argv[1::2], sys.argv[2::2]))
    specs = [
        ChildSpec(name=path, argv=[sys.executable, "-c", code, path], env=dict(os.environ))
        for code, path in pairs
    ]
    await Supervisor(report=print).run(specs, stop=asyncio.Event())

asyncio.run(main())
"""


def child(
    code: str,
    path: Path,
    *,
    ready: Callable[[], Awaitable[bool]] | None = None,
    ready_within: float = 20.0,
    log: Path | None = None,
) -> ChildSpec:
    return ChildSpec(
        name=path.name,
        argv=[sys.executable, "-c", code, str(path)],
        env=ENV,
        ready=ready,
        ready_within=ready_within,
        log=log,
    )


def pids(*paths: Path) -> list[int]:
    """Return the process ids that children wrote to *paths* so far."""
    return [int(pid) for path in paths if path.exists() for pid in path.read_text().split()]


async def supervised(
    supervisor: Supervisor, specs: Sequence[ChildSpec], until_: Callable[[], object]
) -> int:
    """Run *specs* until the claim holds, then stop; return what the supervisor returns."""
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(specs, stop=stop))
    await until(lambda: running.done() or until_(), what="what the children were to do")
    stop.set()
    async with asyncio.timeout(20):
        return await running


async def test_children_start_in_order_and_all_end(tmp_path):
    """The second starts once the first is ready; after stop none is left, and the code is 0."""
    first, second = tmp_path / "first", tmp_path / "second"
    asked = []

    async def is_ready() -> bool:
        asked.append(second.exists())
        return first.exists() and len(asked) > 3

    specs = [child(PATIENT, first, ready=is_ready), child(PATIENT, second)]
    lines: list[str] = []
    code = await supervised(Supervisor(report=lines.append), specs, second.exists)

    assert code == 0
    assert lines == []
    assert len(asked) > 3
    assert not any(asked), "the second started before the first was ready"
    assert len(pids(first, second)) == 2
    assert not any(alive(pid) for pid in pids(first, second))


async def test_children_do_not_hear_the_terminal(tmp_path):
    """Every child leads a session of its own, which no Ctrl-C of ours reaches."""
    path = tmp_path / "child"
    sessions: list[tuple[int, int]] = []

    def noted() -> bool:
        sessions.extend((pid, os.getsid(pid)) for pid in pids(path))
        return bool(sessions)

    await supervised(Supervisor(report=print), [child(PATIENT, path)], noted)
    assert all(pid == session for pid, session in sessions)


async def test_a_killed_child_is_started_again(tmp_path):
    """A child that is killed runs again after its delay, and one line says so."""
    path = tmp_path / "worker"
    lines: list[str] = []
    before: list[int] = []

    def replaced() -> bool:
        if not before and pids(path):
            before.extend(pids(path))
            os.kill(before[0], signal.SIGKILL)
        return bool(before) and pids(path) != before

    supervisor = Supervisor(report=lines.append, first_delay=0.01)
    assert await supervised(supervisor, [child(PATIENT, path)], replaced) == 0
    assert lines == ["worker stopped unexpectedly (killed by SIGKILL); starting it again in 0.01 s"]
    assert not any(alive(pid) for pid in [*before, *pids(path)])


async def test_a_child_that_cannot_start_ends_the_tree(tmp_path: Path):
    """After five failures in a row the supervisor gives up with 1 and takes the rest along."""
    good, bad, log = tmp_path / "good", tmp_path / "bad", tmp_path / "log"
    lines: list[str] = []
    supervisor = Supervisor(report=lines.append, first_delay=0.001, longest_delay=0.002)

    async def good_is_ready() -> bool:
        return good.exists()

    specs = [child(PATIENT, good, ready=good_is_ready), child(CRASHING, bad, log=log)]
    async with asyncio.timeout(20):
        code = await supervisor.run(specs, stop=asyncio.Event())

    assert code == 1
    assert bad.read_text() == "xxxxx"
    assert lines[-1] == "bad failed 5 times in a row while starting (exit code 3); giving up"
    assert log.exists()
    assert not any(alive(pid) for pid in pids(good))


async def test_a_program_that_is_missing_or_never_ready_is_given_up(tmp_path):
    """What can't be run at all, and what runs but never works, end the same way."""
    lines: list[str] = []
    supervisor = Supervisor(report=lines.append, first_delay=0.001, attempts=2)

    async def never() -> bool:
        return False

    absent = ChildSpec(name="absent", argv=["/nowhere/program"], env=ENV)
    mute = child(PATIENT, tmp_path / "mute", ready=never, ready_within=0.1)
    for spec in (absent, mute):
        async with asyncio.timeout(20):
            assert await supervisor.run([spec], stop=asyncio.Event()) == 1
    assert "No such file or directory" in lines[0]
    assert "mute was not ready within 0.1 s" in lines
    assert not any(alive(pid) for pid in pids(tmp_path / "mute"))


async def test_a_child_that_will_not_stop_is_killed_with_its_kin(tmp_path):
    """Past the drain deadline a stubborn child and what it started are killed."""
    path = tmp_path / "stubborn"
    lines: list[str] = []
    supervisor = Supervisor(report=lines.append, drain=0.1)
    assert await supervised(supervisor, [child(STUBBORN, path)], path.exists) == 0
    assert len(pids(path)) == 2
    await until(lambda: not any(alive(pid) for pid in pids(path)), what="all are gone")
    assert lines == ["stubborn did not stop within 0.1 s: killed"]


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_a_supervisor_that_fails_leaves_no_child(tmp_path, how):
    """Cancellation and an exception inside the supervisor end the children, too."""
    path = tmp_path / "child"

    async def fails_once_it_runs() -> bool:
        if path.exists() and how == "failed":
            raise RuntimeError("a defect")
        return False

    supervisor = Supervisor(report=print)
    specs = [child(PATIENT, path, ready=fails_once_it_runs)]
    running = asyncio.create_task(supervisor.run(specs, stop=asyncio.Event()))
    await until(path.exists, what="the child runs")
    if how == "cancelled":
        running.cancel()
    with suppress(asyncio.CancelledError, ExceptionGroup):
        await running
    assert running.done()
    assert len(pids(path)) == 1
    assert not any(alive(pid) for pid in pids(path))


async def test_a_killed_supervisor_leaves_no_child(tmp_path):
    """After `kill -9` of the supervisor a listening child is told, and a hanging one is killed."""
    told, hung = tmp_path / "told", tmp_path / "hung"
    supervisor = python(SUPERVISING, LISTENING, told, HANGING, hung, env=ENV)
    await until(lambda: told.exists() and hung.exists(), what="both run")
    everybody = pids(told, hung)
    assert len(everybody) == 3
    kill_now(supervisor)

    await until(lambda: not any(alive(pid) for pid in everybody), what="all are gone")
    assert told.read_text() == "told"


async def test_only_a_lifeline_is_taken_for_one(tmp_path):
    """A descriptor that is closed, or no pipe, is refused instead of watched."""
    with (tmp_path / "file").open("w") as file:
        for descriptor in (file.fileno(), 10_000):
            with pytest.raises(ValueError, match="no lifeline"):
                await parent_gone(descriptor)


def test_delays_grow_to_their_limit():
    """The wait before a restart doubles from one second to fifteen, however often it fails."""
    assert [delay_after(n) for n in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 8, 15, 15]


def test_a_data_directory_has_one_owner(tmp_path):
    """A second laydown on the same directory is refused and told whose it is, until it is free."""
    data = tmp_path / "new" / "data"
    with own(data):
        with (
            pytest.raises(DataDirectoryBusy, match=f"process id {os.getpid()}") as refusal,
            own(data),
        ):
            pytest.fail("two owners")
        assert refusal.value.pid == os.getpid()
    with own(data):
        assert data.stat().st_mode & 0o777 == 0o700


async def test_a_killed_owner_lets_go(tmp_path):
    """The lock of a process that was killed holds nobody up."""
    code = (
        "import signal, sys\n"
        "from pathlib import Path\n"
        "from laydown.embedded.instance import own\n"
        "with own(Path(sys.argv[1])): print('mine', flush=True); signal.pause()"
    )
    owner = python(code, tmp_path, env=ENV)
    assert owner.stdout is not None
    assert await asyncio.to_thread(owner.stdout.readline) == "mine\n"
    with pytest.raises(DataDirectoryBusy) as refusal, own(tmp_path):
        pytest.fail("two owners")
    assert refusal.value.pid == owner.pid
    kill_now(owner)
    with own(tmp_path):
        pass


def test_an_unusable_data_directory_is_explained(tmp_path):
    """A file where the directory should be gets a sentence, not a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="not a directory"), own(tmp_path / "file"):
        pytest.fail("a file is no directory")


def test_a_connection_is_private_and_comes_back(tmp_path):
    """What is written is read again, by us alone, and replaces what was there."""
    path = tmp_path / "connection.json"
    write_connection(path, "http://127.0.0.1:1", "ldn_a_b")
    write_connection(path, "http://127.0.0.1:2", "ldn_c_d")
    assert read_connection(path) == Connection("http://127.0.0.1:2", "ldn_c_d")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["connection.json"]
    assert "ldn_c_d" not in repr(read_connection(path))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"url": "http://x"}', json.dumps({"url": 1, "token": "t"}), "\xff"]
)
def test_a_damaged_connection_is_explained(tmp_path, text):
    """Whatever the file holds, reading it answers with a sentence."""
    path = tmp_path / "connection.json"
    with pytest.raises(ConnectionUnknown, match="laydown up"):
        read_connection(path)
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConnectionUnknown, match="damaged"):
        read_connection(path)

"""Cut lines, slow clients, restarts and crowds: a push gets through, and nothing is left behind."""

import random
import re
import shutil
import signal
from http.client import HTTPConnection
from pathlib import Path
from uuid import UUID

import pytest

from laydown import Client, wire
from tests.e2e.ledger import check, holding_of
from tests.e2e.proxy import CuttingProxy
from tests.e2e.yard import Push, Yard, descendants, processes_at, until

_CROWD = 600  # files that several push at once: more than the first declaration takes


_SLOW = b"a line of text\n" * 1000


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory) -> Path:
    """Return a delivery that takes about a second: the sample, and larger files."""
    folder = tmp_path_factory.mktemp("cuts") / "delivery"
    shutil.copytree(sample[0], folder)
    dice = random.Random(2)
    for name, size in (("a.bin", 12 << 20), ("b.bin", 17_000_001), ("c.bin", 5 << 20)):
        (folder / name).write_bytes(dice.randbytes(size))
    return folder


def begun(yard: Yard, folder: Path, **how: int) -> Push:
    """Begin a push, and return in the middle of it: some bytes are here, others aren't."""
    push = yard.start_push(folder, jobs=1, **how)
    with yard.database() as database:

        def landed() -> int:
            [[count]] = database.execute("SELECT count(*) FROM uploads WHERE received > 0")
            return count

        until(lambda: landed() >= 10, what="ten files have arrived")
    assert not push.is_over_within(0)
    return push


def stalled(yard: Yard, client: Client) -> tuple[UUID, HTTPConnection]:
    """Declare a file, send its first bytes and no more; return its batch and the connection."""
    project = client.ensure_project("SLOW")
    entry = wire.Entry(key="slow", path="slow.txt", size=len(_SLOW))
    declared = client.declare(project.id, reference="slow", entries=[entry])
    [granted] = client.grants(declared.batch.id)
    line = HTTPConnection("127.0.0.1", yard.port, timeout=30)
    line.putrequest("PUT", granted.parts[0].url)
    line.putheader("Content-Length", str(len(_SLOW)))
    line.endheaders(_SLOW[:100])
    return declared.batch.id, line


def test_a_line_that_is_cut_again_and_again_delivers_everything(yard, folder, sample):
    """Resets anywhere in requests and answers lose nothing and double nothing."""
    dice = random.Random(1)
    with CuttingProxy(yard.port, dice=dice, cuts=16, longest=1 << 18) as proxy:
        pushed = yard.start_push(folder, via=proxy.port).end()

    assert proxy.done >= 8
    assert pushed.said["unreadable"] == []
    expected = {**sample[1].expected, "ready": sample[1].expected["ready"] + 3}
    assert pushed.counts == expected
    check(yard)


def test_a_client_that_stalls_holds_up_nobody(make_yard, sample):
    """A body that stops coming is let go after the patience; others are served, it may return."""
    yard = make_yard(BODY_PATIENCE="1")
    yard.start()
    with yard.client() as client:
        batch, line = stalled(yard, client)

        assert yard.push(sample[0]).counts == sample[1].expected

        assert line.getresponse().status == 408
        line.close()
        [again] = client.grants(batch)
        client.put_part(again.parts[0], _SLOW)
        client.close_batch(batch)
        until(lambda: client.batch(batch).counts == {"ready": 1}, what="it is ready")
    check(yard)


def test_a_restart_in_the_middle_of_a_push_loses_nothing(yard, folder, sample):
    """SIGTERM drains and leaves no process; the push waits for the next start and goes on."""
    push = begun(yard, folder)
    before = descendants(yard.server.pid)

    assert yard.stop() == 0
    assert not processes_at(yard.data)
    assert len(before) >= 3
    assert not push.is_over_within(0.2), "it waits"
    yard.start(port=yard.port)
    pushed = push.end()

    assert pushed.said["unreadable"] == []
    assert pushed.counts == {**sample[1].expected, "ready": sample[1].expected["ready"] + 3}
    check(yard)


def test_a_client_that_was_interrupted_resumes(yard, folder, sample):
    """After Ctrl-C the same command sends only what had not arrived."""
    push = begun(yard, folder)
    assert push.interrupt() == 130
    with yard.database() as database:
        [[arrived]] = database.execute("SELECT sum(received)::bigint FROM uploads")
    assert arrived > 0

    pushed = yard.push(folder)

    [total] = {sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())}
    assert pushed.sent <= total - arrived
    assert pushed.counts == {**sample[1].expected, "ready": sample[1].expected["ready"] + 3}
    check(yard)


def test_pushes_of_one_folder_at_once_agree(yard, tmp_path):
    """All end well, every file is in once, and no document gets a second version."""
    for number in range(_CROWD):
        (tmp_path / f"{number}.txt").write_text(f"file {number}\n" * number)
    pushes = [yard.start_push(tmp_path)]
    for _ in range(3):  # each declares while the worker publishes what the others sent
        pushes[-1].is_over_within(0.3)
        pushes.append(yard.start_push(tmp_path))

    ends = [push.end() for push in pushes]

    assert [end.said for end in ends if end.said.get("unreadable") != []] == []
    check(yard)
    holding = holding_of(yard)
    assert {len(versions) for versions in holding.versions.values()} == {1}
    assert len(holding.versions) == _CROWD - 1, "all but the empty one"


def test_a_data_directory_has_one_laydown(yard, sample):
    """A second `laydown up` refuses with a sentence, and disturbs the first one in nothing."""
    second = Yard(yard.data)
    assert second.launch().wait(timeout=30) == 1
    assert f"{yard.data} is in use by the laydown with process id {yard.server.pid}" in yard.log

    assert yard.push(sample[0]).counts == sample[1].expected


def test_ctrl_c_leaves_no_process(yard):
    """After Ctrl-C everything that was started has ended, and nothing holds a file open."""
    assert len(descendants(yard.server.pid)) >= 3

    assert yard.stop(with_signal=signal.SIGINT) == 0

    assert not processes_at(yard.data)
    serving = re.compile(r"serving at|open the console|/signin\?code=")
    said = [line for line in yard.log.splitlines() if not serving.search(line)]
    assert not said, "a clean stop has nothing to say"


def test_a_killed_supervisor_takes_its_children_along(yard, sample):
    """After `kill -9` of `laydown up` alone, the next start works, and finds everything."""
    assert yard.push(sample[0]).counts == sample[1].expected
    port = yard.port
    with yard.client() as client:
        batch, line = stalled(yard, client)  # an API that drains would wait for the rest of it
        yard.server.kill()
        yard.server.wait()

        yard.start(port=port)

        line.close()
        client.cancel_batch(batch)
    assert "unexpectedly" not in yard.log, "nothing of the first one was in the way"
    assert yard.push(sample[0]).sent == 0
    check(yard)
    assert yard.stop() == 0, "a database that the first one started"
    assert not processes_at(yard.data)

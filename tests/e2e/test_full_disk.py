"""A full disk is said, costs nothing that was acknowledged, and ends when there is room again."""

import http.client
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from laydown import wire
from tests.e2e.ledger import check
from tests.e2e.yard import Yard

_ROOM = 32 << 20  # bytes of the store's own file system
_LONG = 12_000_000  # bytes; more than the server reads of a body that it refuses
_MOUNTED = """
mount -t tmpfs -o size=$1 none "$2/store"
mkdir "$2/store/logs"
mount --bind "$2/store/logs" "$2/logs"
shift 2
exec "$@"
"""  # logs share the fate of what they tell of


@pytest.fixture
def yard(make_yard) -> Yard:
    """Return a yard whose store and logs have a small file system, which only it sees."""
    made = make_yard()
    shutil.rmtree(made.data / "store")
    (made.data / "store").mkdir()
    in_private = ["unshare", "--mount", "sh", "-ec", _MOUNTED, "sh", str(_ROOM), str(made.data)]
    if os.geteuid() != 0 or subprocess.run([*in_private, "true"], check=False).returncode != 0:
        pytest.skip("only root, where it may, mounts a small file system")
    made.prefix = in_private
    made.start()
    return made


def _put_refused(yard: Yard) -> http.client.HTTPResponse:
    """Send a file that can't fit, by hand; return the answer, read."""
    content = b"a line of text\n" * 60_000
    entry = wire.Entry(key="large", path="large.txt", size=len(content))
    with yard.client() as client:
        project = client.ensure_project("LARGE")
        declared = client.declare(project.id, reference="large", entries=[entry])
        [granted] = client.grants(declared.batch.id)
        line = http.client.HTTPConnection("127.0.0.1", yard.port, timeout=30)
        try:
            line.request("PUT", granted.parts[0].url, body=content)
            answer = line.getresponse()
            problem = json.loads(answer.read())
        finally:
            line.close()
        upload = client.upload(granted.id)
        client.cancel_batch(declared.batch.id)
    assert problem["code"] == "store_full"
    assert "/" not in problem["detail"], "it names no path"
    assert "28" not in problem["detail"], "it names no error number"
    assert (upload.state, upload.received_bytes) == ("declared", 0)
    return answer


@pytest.fixture
def folder(sample, tmp_path) -> Path:
    """Return the sample with a file that goes in one long body."""
    folder = tmp_path / "delivery"
    shutil.copytree(sample[0], folder)
    (folder / "long.bin").write_bytes(random.Random(3).randbytes(_LONG))
    return folder


def test_a_full_disk_loses_nothing(yard, folder, sample):
    """A push into a full store says so, keeps what arrived, and resumes when there is room."""
    manifest = sample[1]
    filler = yard.seen / "store" / "filler"
    filler.write_bytes(bytes(_ROOM - manifest.bytes // 2))

    full = yard.push(folder)

    assert full.code == 1
    assert full.said["unreadable"]
    [why] = {why for _, why in full.said["unreadable"]}
    assert why.startswith("There is no room left")
    assert full.said["state"] == "open"
    assert 0 < full.sent < manifest.bytes
    assert _put_refused(yard).status == 507
    assert yard.is_ready()

    filler.unlink()
    pushed = yard.push(folder)

    assert pushed.said["batch"] == full.said["batch"]
    assert pushed.counts == {**manifest.expected, "ready": manifest.expected["ready"] + 1}
    assert pushed.said["unreadable"] == []
    assert full.sent + pushed.sent <= manifest.bytes + _LONG, "what had arrived was not sent again"
    check(yard)

"""Where bytes are in S3, a node writes nothing to its file system, and needs none that takes it."""

import subprocess
from pathlib import Path

from tests.e2e.embedded_support import missing
from tests.e2e.site_ledger import check

_READ_ONLY = (
    *("unshare", "--mount", "--map-root-user"),
    *("sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"),
)
"""Runs a command that sees every file of ours and can change none: as a container's read-only root,
without even the `/data` and `/tmp` in memory that containers have."""

_FILES = 30


def test_nodes_work_where_nothing_can_be_written(site, tmp_path):
    """Api and worker take files to ready on a file system that refuses every write."""
    proof = tmp_path / "written"
    tried = subprocess.run([*_READ_ONLY, "touch", proof], capture_output=True, check=False)
    if b"Read-only file system" not in tried.stderr:
        missing("no mount namespace in which the file system can be made read-only")
    for node in site.nodes.values():
        node.stop()
        node.within = _READ_ONLY
    site.start()

    folder = tmp_path / "delivery"
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"{number}.txt").write_text(f"unwritten {number}\n")
    assert site.push(folder).counts == {"ready": _FILES}
    check(site)
    assert not [node for node in site.nodes.values() if Path(node.env["LAYDOWN_DATA"]).exists()]

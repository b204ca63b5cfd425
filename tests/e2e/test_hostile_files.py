"""Files of hostile names on a disk: pushed, listed and fetched by the command line and the SDK."""

import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from uuid import UUID

import pytest

from laydown.cli.fetch import target_of
from tests.e2e.test_cli_usage import run, said
from tests.e2e.yard import Yard
from tests.hostile_names import hostile_names

MOST = 255  # bytes of a name that Linux takes
UNSHOWN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def as_file(name: str) -> str:
    """Return a name as a file system keeps it: of bytes, whatever they mean."""
    return os.fsdecode(name.encode(errors="surrogatepass"))


NAMES = sorted(
    {as_file(name) for name in hostile_names()}
    - {name for name in map(as_file, hostile_names()) if {"/", "\0"} & {*name}}
    - {"", ".", ".."}
)


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    """Write a file for each name that can be one, each with content of its own."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        if len(os.fsencode(name)) <= MOST:
            (folder / name).write_text(f"file {number}\n")
    return folder


def test_every_file_goes_in_or_is_refused_by_name(yard: Yard, delivery: Path, tmp_path: Path):
    """A push accounts for each file, shows none raw, and what comes out again stays in its place.

    The listing, the receipt and the fetched file of every document are harmless too.
    """
    files = [path.name for path in delivery.iterdir()]
    assert len(files) > 700
    pushed = run("push", delivery, "--project", "H", data=yard.data)
    assert pushed.returncode == 1, pushed.stderr
    again = said(run("push", delivery, "--project", "H", "--json", data=yard.data))
    assert again["declared"]["count"] == len(files)
    shown = [pushed.stdout, pushed.stderr]
    shown += [run(*what, data=yard.data).stdout for what in
              (["ls", "H"], ["receipt", again["batch"]], ["status", again["batch"]])]  # fmt: skip
    for text in shown:
        assert not UNSHOWN.search(text), UNSHOWN.search(text)
        assert "Traceback" not in text

    with yard.client() as client:
        receipt = client.receipt(UUID(again["batch"]))
        paths = {row.path for row in receipt.rows if row.reason in (None, "unchanged")}
        assert len(receipt.rows) == len(files)
        assert all(row.reason for row in receipt.rows if row.state != "ready")
        assert paths <= {unicodedata.normalize("NFC", name) for name in files}
        assert len(paths) > 300
        project = client.project_of("H")
        assert project is not None
        out = tmp_path / "out"
        out.mkdir()
        for number, found in enumerate(client.documents(project.id)):
            target = target_of(found.path, out)
            assert target.parent == out
            if number % 10 == 0:  # fetching all of them shows nothing more
                client.download(found.current.id, target)
                assert target.read_text().startswith("file ")
    assert {path.name for path in tmp_path.iterdir()} == {"delivery", "out"}


def test_a_document_is_fetched_into_the_folder_one_is_in(yard: Yard, tmp_path: Path):
    """`laydown get` of a path that looks like an option or a way out writes one plain file."""
    site, out = tmp_path / "site", tmp_path / "out"
    for folder in (site / "-rf", out):
        folder.mkdir(parents=True)
    names = ["-rf/--output=x.txt", "-rf/~root", "-rf/.bashrc", "-rf/$(id).txt", "-rf/a%2fb.txt"]
    for name in names:
        (site / name).write_text(name)
    assert run("push", site, "--project", "H", data=yard.data).returncode == 0
    for name in names:
        fetched = subprocess.run(
            [sys.executable, "-m", "laydown", "get", f"H:{name}"],
            env={**os.environ, "LAYDOWN_DATA": str(yard.data)},
            cwd=out,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert fetched.returncode == 0, fetched.stderr
    found = {path.name: path.read_text() for path in out.iterdir()}
    assert sorted(found.values()) == sorted(names)
    assert not [name for name in found if name.startswith(("-", "~", "."))]

"""The console's workspace: its shapes are the API's, its lock names no place, its Node is one."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from laydown.http import console

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "console"
PACKAGE = json.loads((CONSOLE / "package.json").read_text("utf-8"))


def test_the_shapes_are_the_api_s(tmp_path):
    """The file of shapes is what `npm run types` writes from the API's own description."""
    node = shutil.which("node")
    if node is None or not (CONSOLE / "node_modules" / "openapi-typescript").is_dir():
        pytest.skip("the console's packages are not installed: there is no Node")
    written = tmp_path / "schema.gen.ts"
    done = subprocess.run(
        [node, "types.mjs", written],
        cwd=CONSOLE,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept = (CONSOLE / "engine" / "src" / "schema.gen.ts").read_text("utf-8")
    assert kept == written.read_text("utf-8"), "run `make docs`"


def test_the_same_node_is_asked_for_everywhere():
    """Package, script and page name one version of Node as the oldest that will do."""
    oldest = PACKAGE["engines"]["node"].removeprefix(">=")
    major, minor = oldest.split(".")
    script = (ROOT / "scripts" / "console.sh").read_text("utf-8")
    assert f"major > {major} || (major === {major} && minor >= {minor})" in script
    asked = {"script": script, "page": console._UNBUILT}
    for what, text in asked.items():
        assert {*re.findall(r"Node\s*(\d+\.\d+)", text)} == {oldest}, what


def test_the_lock_says_nothing_of_where_packages_come_from():
    """Every package is locked by its hash, and none by an address: any mirror will do."""
    lock = json.loads((CONSOLE / "package-lock.json").read_text("utf-8"))
    packages = {
        name: each
        for name, each in lock["packages"].items()
        if name.startswith("node_modules/") and not each.get("link")
    }
    assert packages
    assert [name for name, each in packages.items() if "integrity" not in each] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []

"""The suite itself is strict: nothing is skipped in silence, nothing is mocked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPS = "import pytest\ndef test_that_needs_more():\n    pytest.skip('no such server')\n"
PASSES = "def test_of_nothing(): pass\n"
SKIPS_ITSELF = "import pytest\npytest.skip('no such server', allow_module_level=True)\n"
MOCKS = "from unittest import " + "mock\ndef test_of_a_mock():\n    assert mock.Mock()()\n"


def run(folder: Path, text: str, *, ci: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a test module under the rules of this suite."""
    module = folder / "test_of_the_rules.py"
    module.write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", str(module)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), **more},
    )


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_where_everything_must_be_there(tmp_path, ci, code):
    """With CI set a skip is a failure that says what was missing; without it, it passes."""
    done = run(tmp_path, SKIPS, ci=ci)
    assert done.returncode == code, done.stdout
    assert ("no such server" in done.stdout) == bool(code)


def test_a_module_that_skips_itself_fails_there_too(tmp_path):
    """With CI set, skipping a whole module is an error."""
    assert run(tmp_path, SKIPS_ITSELF, ci="true").returncode != 0


def test_a_test_that_mocks_is_refused(tmp_path):
    """A module that imports a mock stops the run and is named."""
    done = run(tmp_path, MOCKS, ci="")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "test_of_the_rules.py" in done.stderr + done.stdout


def test_an_engine_that_is_none_is_refused(tmp_path):
    """A misspelt TEST_ENGINE stops the run, instead of choosing an engine in silence."""
    done = run(tmp_path, PASSES, ci="", TEST_ENGINE="distribtued")
    assert done.returncode != 0
    assert "neither 'embedded' nor 'distributed'" in done.stderr + done.stdout

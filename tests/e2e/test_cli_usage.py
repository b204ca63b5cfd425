"""The command line as people use it, against a real server."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from laydown.cli.main import program
from laydown.sample import generate
from tests.e2e.yard import Yard, environment, until

_COMMAND = (sys.executable, "-m", "laydown")
_MINUTE = 60

# A background job may have been told to ignore Ctrl-C, and tells its children so.
_INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from laydown.cli.main import run
run()
"""


def run(*arguments: str | Path, data: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a command with a data directory, as somebody whose terminal has 80 columns."""
    return subprocess.run(
        [*_COMMAND, *map(str, arguments)],
        env={**environment({"DATA": str(data), **env}), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=_MINUTE,
        check=False,
    )


def said(ran: "subprocess.CompletedProcess[str]") -> Any:
    """Return the one JSON object on stdout."""
    return json.loads(ran.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a small delivery, with a name that is markup and one that is no text."""
    site = tmp_path / "Tower B"
    generate(site, files=30)
    (site / "[red]plan[bold].txt").write_text("a plan")
    (site / os.fsdecode(b"caf\xe9.txt")).write_text("a menu")
    (site / "elsewhere").symlink_to("/nowhere")
    return site


def test_a_folder_goes_in_and_comes_out_again(yard: Yard, folder: Path, tmp_path: Path):
    """Push, look, receipt, fetch: everything that was sent is found, and nothing is sent twice."""
    pushed = run("push", folder, data=yard.data)

    assert pushed.returncode == 1, pushed.stderr  # the sample has files that must be rejected
    assert "project TOWER-B, after the folder's name" in pushed.stderr
    assert "Traceback" not in pushed.stderr
    assert "placeholder_pointer" in pushed.stdout
    assert "illegal_name" in pushed.stdout
    assert "a symbolic link" in pushed.stdout
    assert max(map(len, pushed.stdout.splitlines())) <= 80

    again = run("push", folder, "--json", data=yard.data)
    assert again.returncode == 1
    assert said(again)["bytes_sent"] == 0
    assert said(again)["declared"]["count"] == 32

    batch = said(again)["batch"]
    assert said(run("status", batch, "--json", data=yard.data))["state"] == "settled"
    assert batch in run("status", data=yard.data).stdout
    table = run("receipt", batch, "--csv", data=yard.data).stdout.lstrip("\ufeff")
    paths = {row["path"] for row in csv.DictReader(io.StringIO(table))}
    assert "[red]plan[bold].txt" in paths
    assert len(paths) == 32
    assert len(said(run("receipt", batch, "--json", data=yard.data))["rows"]) == 32
    assert "final" in run("receipt", batch, data=yard.data).stdout

    assert "TOWER-B" in run("projects", data=yard.data).stdout
    assert "[red]plan[bold].txt" in run("ls", "tower-b", data=yard.data).stdout
    target = tmp_path / "out.txt"
    what = "TOWER-B:[red]plan[bold].txt"
    assert run("get", what, "-o", target, data=yard.data).returncode == 0
    assert target.read_text() == "a plan"
    refused = run("get", what, "-o", target, data=yard.data)
    assert refused.returncode == 2
    assert "-f replaces it" in refused.stderr
    assert run("get", what, "-f", "-o", target, data=yard.data).returncode == 0
    assert run("get", "TOWER-B:none.txt", data=yard.data).returncode == 1


def test_a_healthy_server_gets_a_clean_bill(yard: Yard):
    """Every finding of `doctor` is well, and `jobs` has nothing dead."""
    examined = run("doctor", data=yard.data)

    assert examined.returncode == 0, examined.stdout
    assert "✗" not in examined.stdout
    assert "the token is accepted" in examined.stdout
    assert "0 dead" in run("jobs", data=yard.data).stdout


def test_a_push_that_is_interrupted_says_how_to_go_on(yard: Yard, tmp_path: Path):
    """Ctrl-C ends with 130 and one sentence; the next push resumes."""
    site = tmp_path / "Site"
    site.mkdir()
    for number in range(400):
        (site / f"{number}.bin").write_bytes(os.urandom(50_000))
    pushing = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, "push", str(site), "--jobs", "1"],
        env=environment({"DATA": str(yard.data)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with yard.client() as client:
        until(
            lambda: any(batch.received_bytes for batch in client.batches()),
            what="something is sent",
        )
    pushing.send_signal(signal.SIGINT)
    _, complaint = pushing.communicate(timeout=_MINUTE)

    assert pushing.returncode == 130
    assert "run the same command again to resume" in complaint
    assert "Traceback" not in complaint
    resumed = run("push", site, "--json", data=yard.data)
    assert resumed.returncode == 0
    assert said(resumed)["counts"] == {"ready": 400}
    assert said(resumed)["bytes_sent"] < 400 * 50_000


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["push", "nothing-here"], 2, "there is no nothing-here"),
        (["push", ".", "--project", "a b"], 2, "no project code"),
        (["push", ".", "--jobs", "0"], 2, "--jobs"),
        (["push", ".", "--on-conflict", "shout"], 2, "--on-conflict"),
        (["push", "."], 2, "start one with `laydown up`"),
        (["push", ".", "--url", "http://127.0.0.1:1"], 2, "needs a token"),
        (["push", ".", "--url", "what", "--token", "x"], 2, "no server's URL"),
        (["status"], 2, "start one with `laydown up`"),
        (["status", "7"], 2, "valid UUID"),
        (["receipt", "01a20484-9c90-739c-9de2-45b63a0194ef", "--csv", "--json"], 2, "not both"),
        (["get", "what"], 2, "start one"),
        (["sample", ".", "--files", "30"], 2, "empty"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    sentence: str,
):
    """Usage ends with 2 and says what is wrong, without a traceback."""
    (tmp_path / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYDOWN_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("LAYDOWN_URL", "LAYDOWN_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SystemExit) as ended:
        program()(arguments, prog_name="laydown")

    assert ended.value.code == code
    assert sentence in capsys.readouterr().err


def test_a_server_that_is_away_ends_with_its_own_code(tmp_path: Path):
    """Scripts can tell "unreachable" from "rejected"."""
    away = ["--url", "http://127.0.0.1:1", "--token", "x", "--patience", "0.2"]

    ran = run("push", tmp_path, *away, data=tmp_path)

    assert ran.returncode == 3
    assert "could not be reached" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_help_needs_neither_a_client_nor_a_server():
    """What `--help` and completion load stays small, so that they are quick."""
    heavy = "{'aiohttp', 'awscrt', 'fastapi', 'psycopg', 'uvicorn', 'PIL'}"
    code = f"import sys, laydown.cli.main as m; m.program(); print({heavy} & set(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert loaded.strip() == "set()"

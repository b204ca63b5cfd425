"""Quotas from the command line, and under kills: what is counted as used is always right.

Set SOAK=1 in the environment to run many seeds.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from laydown import wire
from tests.e2e.ledger import nothing_is_stuck, usage_is_counted
from tests.e2e.yard import Yard, environment

_SEEDS = range(1, 21 if os.environ.get("SOAK") else 3)
_FILES, _SIZE = 150, 20_000
_BUSY = {"SWEEP_EVERY": "0.2"}  # seconds, so that sums are folded while others are killed
_MOST_KILLS = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a delivery of files that are all alike in size, a few of them twins."""
    site = tmp_path / "Site"
    dice = random.Random(3)
    for number in range(_FILES):
        path = site / f"{number % 7}" / f"{number:03}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dice.randbytes(_SIZE))
    for number in range(10):
        (site / f"copy-{number}.bin").write_bytes((site / "0" / "000.bin").read_bytes())
    return site


def run(yard: Yard, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command on the machine of a yard."""
    return subprocess.run(
        [sys.executable, "-m", "laydown", *map(str, arguments)],
        env={**environment({"DATA": str(yard.data)}), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def said(ran: "subprocess.CompletedProcess[str]") -> Any:
    """Return the one JSON object on stdout."""
    return json.loads(ran.stdout)


def test_a_raised_quota_lets_the_same_push_go_on(yard: Yard, folder: Path):
    """Over quota the rest goes in; raised, the same command sends what was refused, only that."""
    assert run(yard, "quota", "set", "--bytes", "1MB", "--files", "none").returncode == 0

    first = run(yard, "push", folder, "--project", "SITE", "--json")

    assert first.returncode == 1, first.stderr
    assert said(first)["counts"] == {"ready": 50, "duplicate": 10, "rejected": 100}
    assert said(first)["reasons"]["quota_exceeded"] == 100
    assert said(first)["bytes_sent"] == 50 * _SIZE
    shown = run(yard, "quota", "show").stdout
    assert ["bytes", "1.0", "MB", "1.0", "MB", "0", "bytes"] in map(str.split, shown.splitlines())
    told = run(yard, "receipt", said(first)["batch"]).stdout
    assert "Have the quota raised" in " ".join(told.split())

    assert run(yard, "quota", "set", "--bytes", "3MB").returncode == 0
    again = run(yard, "push", folder, "--project", "SITE", "--json")

    assert again.returncode == 0, again.stderr
    assert said(again)["counts"] == {"ready": 100, "skipped": 60}
    assert said(again)["bytes_sent"] == 100 * _SIZE
    usage = said(run(yard, "quota", "show", "--project", "site", "--json"))
    assert (usage["bytes"], usage["files"], usage["uploads"]) == (150 * _SIZE, 160, 0)


_MISTAKES = {
    ("set",): (2, "say --bytes, --files or --uploads"),
    ("set", "--bytes", "much"): (2, "no number such as"),
    ("set", "--files", "-1"): (2, "no number such as"),
    ("set", "--bytes", "10000000PB"): (1, "expected 0 to"),
    ("show", "--project", "NONE"): (1, "there is no project NONE"),
}


def test_a_quota_that_can_not_be_is_answered_with_a_sentence(yard: Yard):
    """What is no amount and what is no project is said, and nothing is set."""
    for arguments, (code, sentence) in _MISTAKES.items():
        ran = run(yard, "quota", *arguments)
        assert ran.returncode == code, ran.stderr
        assert sentence in ran.stderr
    with yard.client() as client:
        assert client.quota() == wire.Quota()


@pytest.mark.parametrize("seed", _SEEDS)
def test_what_is_used_is_counted_whatever_dies(
    seed: int, make_yard: Callable[..., Yard], folder: Path
):
    """I8 holds after kills of all kinds, with quotas that change meanwhile and are never exceeded.

    Once they are gone, the same push brings everything in.
    """
    dice = random.Random(seed)
    yard = make_yard(**_BUSY)
    yard.start()
    most = _FILES * _SIZE // 2
    with yard.client() as client:
        client.set_quota(wire.Quota(bytes=most, uploads=100))
    push = yard.start_push(folder, jobs=2)
    for _ in range(_MOST_KILLS):
        if push.is_over_within(dice.uniform(0.2, 1.5)):
            push = yard.start_push(folder, jobs=2)
        if dice.random() < 0.3:
            push.kill()
            push = yard.start_push(folder, jobs=2)
        else:
            _disturb(yard, dice)
        with yard.client() as client:
            usage = client.usage()
            assert usage.bytes <= most
            assert usage.uploads <= 100
    push.kill()
    with yard.client() as client:
        client.set_quota(wire.Quota())

    pushed = yard.push(folder)

    assert pushed.code == 0, f"{pushed.said}\n{yard.log}"
    with yard.client() as client, yard.database() as database:
        nothing_is_stuck(database)
        usage_is_counted(database)
        usage = client.usage()
        assert (usage.bytes, usage.files, usage.uploads) == (_FILES * _SIZE, _FILES + 10, 0)


def _disturb(yard: Yard, dice: random.Random) -> None:
    victim = dice.choice(["api", "worker", "postgres", "everything"])
    if victim == "everything":
        port = yard.port
        yard.crash()
        yard.start(port=port)
    else:
        yard.kill(victim)

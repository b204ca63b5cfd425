"""`kill -9` of any part at any moment of a push costs nothing: not a file, not a byte, not twice.

Set SOAK=1 in the environment to run many seeds.
"""

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.ledger import Holding, check, holding_of
from tests.e2e.yard import Push, Yard

_SEEDS = range(1, 21 if os.environ.get("SOAK") else 2)
_SMALL_PARTS = {"SINGLE_UP_TO": str(1 << 20)}  # so that some files travel in parts
_MOST_KILLS = 3


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A delivery, and a push of it that nobody disturbed."""

    folder: Path
    holding: Holding
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(sample, made_yard, tmp_path_factory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("disturbed") / "delivery"
    shutil.copytree(sample[0], folder)
    dice = random.Random(1)
    for name, size in (("a.bin", 20 << 20), ("b.bin", 17_000_001), ("c.bin", 3 << 20)):
        (folder / name).write_bytes(dice.randbytes(size))
    yard = Yard(tmp_path_factory.mktemp("y") / "d", settings=_SMALL_PARTS)
    shutil.copytree(made_yard, yard.data)
    try:
        yard.start()
        pushed = yard.start_push(folder, jobs=2).end()
        check(yard)
        return Undisturbed(folder, holding_of(yard), pushed.said["seconds"])
    finally:
        yard.dispose()


@pytest.fixture
def yard(make_yard: Callable[..., Yard]) -> Yard:
    made = make_yard(**_SMALL_PARTS)
    made.start()
    return made


def _check_end(yard: Yard, undisturbed: Undisturbed) -> None:
    """Everything is as if nothing had happened."""
    check(yard)
    holding = holding_of(yard)
    assert holding.ends == undisturbed.holding.ends
    assert holding.versions == undisturbed.holding.versions


def _begin(yard: Yard, undisturbed: Undisturbed) -> Push:
    return yard.start_push(undisturbed.folder, jobs=2)


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_killed_client_resumes(seed, yard, undisturbed):
    """However often the client is killed, the same command again finishes what it began."""
    dice = random.Random(seed)
    for _ in range(_MOST_KILLS):
        push = _begin(yard, undisturbed)
        if push.is_over_within(dice.uniform(0.3, undisturbed.seconds + 0.5)):
            break
        push.kill()

    assert _begin(yard, undisturbed).end().code == 1, "three files are rejected"

    _check_end(yard, undisturbed)


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("part", ["api", "worker", "postgres"])
def test_a_killed_part_comes_back_and_nobody_notices(part, seed, yard, undisturbed):
    """While a part is killed and started again, the push waits, and goes on to the same end."""
    dice = random.Random(f"{part} {seed}")
    push = _begin(yard, undisturbed)
    for _ in range(dice.randint(1, _MOST_KILLS - 1)):
        if push.is_over_within(dice.uniform(0.3, undisturbed.seconds)):
            break
        yard.kill(part)

    pushed = push.end()

    assert pushed.said.get("unreadable") == [], f"{pushed.said}\n{yard.log}"
    assert pushed.code == 1, "three files are rejected"
    _check_end(yard, undisturbed)


@pytest.mark.parametrize("seed", _SEEDS)
def test_anything_may_die_at_any_time(seed, yard, undisturbed):
    """Kills of all kinds, a power cut among them, end as if nothing had happened."""
    dice = random.Random(f"all {seed}")
    push = _begin(yard, undisturbed)
    for _ in range(_MOST_KILLS):
        if push.is_over_within(dice.uniform(0.2, undisturbed.seconds)):
            push = _begin(yard, undisturbed)
        victim = dice.choice(["client", "api", "worker", "postgres", "everything"])
        if victim == "client":
            push.kill()
            push = _begin(yard, undisturbed)
        elif victim == "everything":
            port = yard.port
            yard.crash()
            yard.start(port=port)
        else:
            yard.kill(victim)

    pushed = push.end()

    assert pushed.said.get("unreadable") == [], f"{pushed.said}\n{yard.log}"
    assert pushed.code == 1, "three files are rejected"
    _check_end(yard, undisturbed)

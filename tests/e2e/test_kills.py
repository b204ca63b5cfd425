"""`kill -9` of any part at any moment of a push costs nothing: not a file, not a byte, not twice.

The same seeds hurt one `laydown up`, or with TEST_ENGINE=distributed two apis, three workers, an
S3 and an SQS. Set SOAK=1 in the environment to run many.
"""

import hashlib
import os
import shutil
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from laydown.client.walk import walk
from laydown.embedded.postgres import EmbeddedPostgresError
from laydown.sample import generate
from tests.e2e.fragile import Fragile, FragileSite, FragileYard
from tests.e2e.ledger import Holding
from tests.e2e.site import SINGLE_UP_TO, running_site
from tests.e2e.yard import Pushed, Yard
from tests.engines.choice import IS_DISTRIBUTED
from tests.engines.postgres import Postgres, make_template, running_postgres
from tests.engines.process import EngineMissingError
from tests.engines.seaweed import Seaweed, running_seaweed

Running: TypeAlias = Callable[[], AbstractContextManager[Fragile]]

_SEEDS = range(1, 21 if os.environ.get("SOAK") else 2)
_KILLS = FragileSite.kills if IS_DISTRIBUTED else FragileYard.kills
_FILES = 150
_LARGE = (3 << 20, SINGLE_UP_TO + 1, 2 * SINGLE_UP_TO, 4 * SINGLE_UP_TO + 17)  # bytes
_MOST_KILLS = 3
_PATIENCE = 120.0  # seconds in which a push ends that is waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A folder, and what must become of it."""

    folder: Path
    counts: Mapping[str, int]  # how many files end in each state
    digests: Mapping[str, str]  # SHA-256 by path


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How a push went that nobody disturbed."""

    holding: Holding
    seconds: float


@pytest.fixture(scope="module")
def delivery(tmp_path_factory) -> Delivery:
    """Return files of which some are so large that they go in parts, on any engine."""
    folder = tmp_path_factory.mktemp("disturbed") / "delivery"
    manifest = generate(folder, files=_FILES)
    dice = Random(1)
    for number, size in enumerate(_LARGE):
        (folder / f"large-{number}.bin").write_bytes(dice.randbytes(size))
    counts = {**manifest.expected, "ready": manifest.expected["ready"] + len(_LARGE)}
    return Delivery(
        folder=folder,
        counts={state: number for state, number in counts.items() if number},
        digests={
            unicodedata.normalize("NFC", each.relative): _digest(Path(each.path))
            for each in walk([folder]).files
        },
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def own_seaweed() -> Iterator[Seaweed]:
    """Return a store that nobody else uses, so that it may be killed."""
    try:
        with running_seaweed() as seaweed:
            yield seaweed
    except EngineMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[tuple[Postgres, str]]:
    """Return a database server like that, and the name of a database to copy there."""
    try:
        with running_postgres() as postgres:
            yield postgres, make_template(postgres.address)
    except EmbeddedPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory) -> Running:
    """Return what runs a laydown on the engines of this session, as a context."""
    found = request.getfixturevalue

    @contextmanager
    def running_fragile_yard() -> Iterator[Fragile]:
        folder = Path(tempfile.mkdtemp(prefix="ldn"))  # short: a socket's path has 107 bytes
        # Short leases, as sites have, and more files that go in parts.
        yard = Yard(folder / "d", settings={"JOB_LEASE": "2", "SINGLE_UP_TO": str(1 << 20)})
        shutil.copytree(found("made_yard"), yard.data)
        try:
            yard.start()
            yield FragileYard(yard)
        finally:
            yard.dispose()
            shutil.rmtree(folder)

    @contextmanager
    def running_fragile_site() -> Iterator[Fragile]:
        postgres, template = found("own_postgres")
        with running_site(
            tmp_path_factory.mktemp("fragile"),
            postgres=postgres.address,
            template=template,
            seaweed=found("own_seaweed"),
            queues=found("queues"),
        ) as site:
            yield FragileSite(site, postgres)

    return running_fragile_site if IS_DISTRIBUTED else running_fragile_yard


@pytest.fixture
def fragile(running: Running) -> Iterator[Fragile]:
    """Return a laydown that runs, has never been pushed to, and may be hurt."""
    with running() as fragile:
        yield fragile


@pytest.fixture(scope="module")
def undisturbed(running: Running, delivery: Delivery) -> Undisturbed:
    with running() as fragile:
        pushed = fragile.start_push(delivery.folder).end(within=_PATIENCE)
        fragile.check()
        assert pushed.counts == delivery.counts
        return Undisturbed(fragile.holding(), pushed.said["seconds"])


def _check_push(pushed: Pushed, *, after: object) -> None:
    """A push went on to its end, and noticed nothing."""
    assert pushed.said.get("unreadable") == [], f"after {after}: {pushed.said}"
    assert pushed.code == 1, "three files are rejected"


def _check_end(fragile: Fragile, delivery: Delivery, undisturbed: Undisturbed) -> None:
    """Everything is as if nothing had happened, each document's bytes in exactly one version."""
    fragile.check()
    holding = fragile.holding()
    assert holding.ends == undisturbed.holding.ends
    ends = {path: state for path, (state, _) in holding.ends.items()}
    assert Counter(ends.values()) == delivery.counts
    assert holding.versions == {
        path: [delivery.digests[path]]
        for path, state in ends.items()
        if state in {"ready", "duplicate"}
    }


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_killed_client_resumes(seed, fragile, delivery, undisturbed):
    """However often the client is killed, the same command again finishes what it began."""
    dice = Random(seed)
    for _ in range(_MOST_KILLS):
        push = fragile.start_push(delivery.folder)
        if push.is_over_within(dice.uniform(0.3, undisturbed.seconds + 0.5)):
            break
        push.kill()

    pushed = fragile.start_push(delivery.folder).end(within=_PATIENCE)

    _check_push(pushed, after="kills of the client")
    _check_end(fragile, delivery, undisturbed)


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("part", _KILLS)
def test_a_killed_part_comes_back_and_nobody_notices(part, seed, fragile, delivery, undisturbed):
    """While a part is killed and started again, the push waits, and goes on to the same end."""
    dice = Random(f"{part} {seed}")
    push = fragile.start_push(delivery.folder)
    for _ in range(dice.randint(1, _MOST_KILLS - 1)):
        if push.is_over_within(dice.uniform(0.3, undisturbed.seconds)):
            break
        fragile.hurt(part, push, dice)

    pushed = push.end(within=_PATIENCE)

    _check_push(pushed, after=f"kills of the {part}")
    assert pushed.counts == delivery.counts
    _check_end(fragile, delivery, undisturbed)


@pytest.mark.parametrize("seed", _SEEDS)
def test_anything_may_die_at_any_time(seed, fragile, delivery, undisturbed):
    """Harm of every kind, in any order, a power cut too, ends as if nothing had happened."""
    dice, happened = Random(f"all {seed}"), []
    possible = ["client", *fragile.harms]
    dice.shuffle(possible)
    push = fragile.start_push(delivery.folder)
    for harm in possible:
        if push.is_over_within(dice.uniform(0.0, 2 * undisturbed.seconds / len(possible))):
            push = fragile.start_push(delivery.folder)
        happened.append(harm)
        if harm == "client":
            push.kill()
            push = fragile.start_push(delivery.folder)
        else:
            fragile.hurt(harm, push, dice)

    pushed = push.end(within=_PATIENCE)

    _check_push(pushed, after=happened)
    _check_end(fragile, delivery, undisturbed)

"""What every test may use: one real Postgres, a fresh database each, and strict reporting."""

import ast
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from laydown.embedded.postgres import EmbeddedPostgresError, PostgresAddress
from laydown.settings import Settings
from tests.engines.choice import IS_DISTRIBUTED
from tests.engines.postgres import SUPERUSER, make_template, running_postgres
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed
from tests.ledger_support import in_thread

pytest_plugins = ["tests.engines.fixtures"]

_numbers = count(1)
_buckets: list[str] = []


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresAddress]:
    """Run one embedded Postgres for all tests of the session."""
    try:
        with running_postgres() as server:
            yield server.address
    except EmbeddedPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def template(postgres: PostgresAddress) -> str:
    """Return the name of a migrated, empty database that others are copied from."""
    return make_template(postgres)


@pytest.fixture
def database(postgres: PostgresAddress, template: str) -> Iterator[str]:
    """Return how to connect, as its owner, to a migrated database that is this test's alone."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield replace(postgres, database=name).dsn(SUPERUSER)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def settings(
    database: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Return settings for this test's database, and for a store and a feed of its own.

    Those are a data directory and the database, or with TEST_ENGINE=distributed S3 and SQS.
    """
    plain = Settings(
        data=tmp_path / "data",
        database=database,
        host="127.0.0.1",
        port=0,
        scanner="none",
        quarantine=timedelta(0),
    )
    if not IS_DISTRIBUTED:
        return plain
    name = f"site-{next(_numbers)}"
    seaweed, queues = (request.getfixturevalue(engine) for engine in ("seaweed", "queues"))
    request.getfixturevalue("sqs").create_queue(
        QueueName=name, Attributes={"ReceiveMessageWaitTimeSeconds": "0"}
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_key)
    return replace(
        plain,
        store=f"s3://{_bucket(seaweed)}/{name}?endpoint={seaweed.endpoint}&region={seaweed.region}",
        queue=f"sqs://{name}?endpoint={queues.endpoint}&region={queues.region}",
        jobs_in_flight=64,  # the emulator is slow when it has many messages
        job_lease=timedelta(seconds=5),  # what it sends to nobody comes again after that
    )


@pytest.fixture(scope="session")
def sqs(queues: Queues) -> Iterator[Any]:
    """Return a client of the SQS that all tests share; to make one costs more than most tests."""
    with queues.client() as client:
        yield client


def _bucket(seaweed: Seaweed) -> str:
    """Return the bucket that tests share, each below a prefix of its own; made once."""
    if not _buckets:
        in_thread(seaweed.bucket("tests"))
        _buckets.append("tests")
    return _buckets[0]


def pytest_configure(config: pytest.Config) -> None:
    """Let a test say that S3 and SQS have no part in its promise."""
    config.addinivalue_line("markers", "embedded: nothing that S3 or SQS has a part in")


def _is_strict() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Where everything must be there, a skipped test is a failed one."""
    report = yield
    if report.skipped and _is_strict() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI skips nothing: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    """The same for a module that skips itself as a whole."""
    report = yield
    if report.skipped and _is_strict():
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skips itself, and CI skips nothing"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse mocks, which prove that we call what we call; leave out other engines' tests."""
    if IS_DISTRIBUTED:
        others = [item for item in items if item.get_closest_marker("embedded")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    for path in sorted({item.path for item in items}):
        if "unittest.mock" in _imports(path):
            raise pytest.UsageError(f"{path} imports unittest.mock: test with the real thing")


def _imports(path: Path) -> set[str]:
    """Return the modules a file imports, with the names it takes from them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found

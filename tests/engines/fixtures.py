"""The engines as fixtures: each started by the first test that asks, and ended with the session."""

from collections.abc import Iterator

import pytest

from tests.engines.clamd import Clamd, running_clamd
from tests.engines.issuer import Issuer, running_issuer
from tests.engines.process import EngineMissingError
from tests.engines.queue import Queues, running_queues
from tests.engines.seaweed import Seaweed, running_seaweed


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """Run one SeaweedFS for all tests; each makes buckets of its own."""
    try:
        with running_seaweed() as engine:
            yield engine
    except EngineMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def queues() -> Iterator[Queues]:
    """Run one SQS for all tests; each makes queues of its own."""
    try:
        with running_queues() as engine:
            yield engine
    except EngineMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def clamd() -> Iterator[Clamd]:
    """Run one clamd for all tests."""
    try:
        with running_clamd() as engine:
            yield engine
    except EngineMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def issuer_server() -> Iterator[Issuer]:
    """Run one identity provider for all tests."""
    with running_issuer() as engine:
        yield engine


@pytest.fixture
def issuer(issuer_server: Issuer) -> Issuer:
    """Return the session's identity provider, behaving well."""
    issuer_server.reset()
    return issuer_server

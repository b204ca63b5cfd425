"""The ingest stack as `make infra` synthesized it, made in the emulator for each module."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from laydown.embedded.postgres import PostgresAddress
from tests.e2e.site import Site, report_logs, running_site
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed
from tests.infra.template import Ingest, NotSynthesizedError, make, read

_numbers = count(1)


@pytest.fixture(scope="module")
def ingest(queues: Queues) -> Ingest:
    """Return an ingest stack with queues and a bucket of its own."""
    try:
        template = read(f"laydown-trial-{next(_numbers)}")
    except NotSynthesizedError as missing:
        pytest.skip(str(missing))
    return make(template, queues)


@pytest.fixture(scope="module")
def site(
    ingest: Ingest,
    queues: Queues,
    seaweed: Seaweed,
    postgres: PostgresAddress,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Return laydown's own processes on that bucket and those queues, with GuardDuty's word."""
    on_moto = f"?endpoint={queues.endpoint}&region={queues.region}"
    with running_site(
        tmp_path_factory.mktemp("site"),
        postgres=postgres,
        template=template,
        seaweed=seaweed,  # only for the credentials, which moto does not look at
        queues=queues,
        STORE=f"s3://{ingest.bucket}{on_moto}",
        QUEUE=f"sqs://{ingest.jobs}{on_moto}",
        NOTICES=f"sqs://{ingest.notices}{on_moto}",
        SCANNER="guardduty",
    ) as site:
        yield site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show what the nodes of a site logged when its test failed."""
    report = yield
    report_logs(item, report)
    return report

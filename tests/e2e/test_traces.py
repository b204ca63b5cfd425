"""A delivery is one trace, from what the command line declares to the last file that is ready."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector import Collector, SeenSpan, collecting
from tests.e2e.yard import Yard

FILES = 12
DECLARED = "/v1/projects/{project_id}/batches"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Return a collector."""
    with collecting() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Write a small delivery, whose names and contents nobody else may learn."""
    folder = tmp_path / "site"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"confidential-{number}.txt").write_text(f"the safe is behind picture {number}")
    return folder


def declared(collector: Collector) -> SeenSpan | None:
    """Return the request that declared a batch."""
    found = [each for each in collector.spans() if each.attributes.get("route") == DECLARED]
    return found[0] if found else None


def proven(collector: Collector) -> int:
    """Return how many files were proven, as spans tell it."""
    return sum(
        int(each.attributes["jobs"])
        for each in collector.spans()
        if each.name == "jobs" and each.attributes["kind"] == "prove"
    )


def test_a_push_is_one_trace(make_yard: Callable[..., Yard], site: Path, collector: Collector):
    """Requests of the client and jobs of the worker share its id; jobs stand below declaring."""
    yard = make_yard(OTLP=collector.url)
    yard.start()
    assert yard.push(site).counts["ready"] == FILES
    collector.until(lambda: proven(collector) >= FILES, what="the spans of all jobs")
    yard.stop()

    root = declared(collector)
    assert root is not None
    assert root.process == "api"
    assert re.fullmatch("[0-9a-f]{16}", root.parent), "its parent is the client's"
    ours = [each for each in collector.spans() if each.trace == root.trace]
    jobs = [each for each in ours if each.name == "jobs"]
    assert {each.process for each in jobs} == {"worker"}
    assert {each.parent for each in jobs} == {root.id}
    assert not [each for each in ours if each.is_failure]
    asked = {each.attributes["route"] for each in ours if each.name == "request"}
    assert "/v1/batches/{batch_id}/grants" in asked

    sent = b"".join(body for path, body in collector.bodies if path == "/v1/traces")
    for secret in (b"confidential", b"safe", b"ldn_", b"signature", b"X-Amz", b"/bytes/"):
        assert secret not in sent


def test_a_share_of_none_sends_none(
    make_yard: Callable[..., Yard], site: Path, collector: Collector
):
    """Whatever the client wishes: numbers come, spans don't."""
    yard = make_yard(OTLP=collector.url, TRACE_SHARE="0")
    yard.start()
    assert yard.push(site).counts["ready"] == FILES
    yard.stop()
    assert collector.last("laydown_bodies_total") == FILES
    assert collector.spans() == []


def test_a_collector_that_is_away_costs_nothing(make_yard: Callable[..., Yard], site: Path):
    """The delivery is whole, each process says once who does not listen, and stops in time."""
    yard = make_yard(OTLP="http://127.0.0.1:9")  # discard: nobody listens there
    yard.start()
    assert yard.push(site).counts["ready"] == FILES
    began = time.monotonic()
    yard.stop()
    assert time.monotonic() - began < 15

    for process in ("api", "worker"):
        lines = (yard.data / "logs" / f"{process}.log").read_text().splitlines()
        events = [json.loads(line)["event"] for line in lines if line.startswith("{")]
        assert events.count("collector.away") == 1

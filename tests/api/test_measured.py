"""The numbers of a real delivery, where Prometheus reads them and as a collector gets them."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.api.installation import Installation, installed
from tests.api.talk import Talk, entry, talking
from tests.collector import Collector, collecting

TEXTS = {f"{n}.txt": b"text %d" % n for n in range(5)}
SIZE = sum(map(len, TEXTS.values()))


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Return a collector."""
    with collecting() as running:
        yield running


async def numbers(server: Installation, talk: Talk) -> dict[str, float]:
    """Return every number of both processes, by its series."""
    api = (await talk.ask("GET", "/metrics")).body.decode()
    pages = api + server.metrics.rendered()[0].decode()
    found = re.findall(r"^(laydown\S+) (\S+)$", pages, re.MULTILINE)
    return {series: float(value) for series, value in found}


async def surveyed(server: Installation) -> None:
    """Have the worker look at the ledger once, as it does every ten seconds."""
    await server.shop.sampling().look()


async def test_a_delivery_is_in_the_numbers(server, ours, project):
    """Files, bytes, stages and the batch are counted once, whoever looks and however often."""
    await ours.lay(project, TEXTS)
    await surveyed(server)
    before = await numbers(server, ours)
    assert before["laydown_announced_files"] == len(TEXTS)
    assert before["laydown_queue_waiting"] == len(TEXTS)
    assert before["laydown_queue_oldest_seconds"] > 0

    await server.run_until_quiet()
    await surveyed(server)
    await surveyed(server)
    after = await numbers(server, ours)

    assert after['laydown_files_total{reason="",state="ready"}'] == len(TEXTS)
    assert after['laydown_file_bytes_total{state="ready"}'] == SIZE
    assert after["laydown_bytes_acknowledged_total"] == SIZE
    assert after["laydown_bytes_lost_total"] == 0
    assert after['laydown_timed_files_total{pace="prompt"}'] == len(TEXTS)
    assert after["laydown_file_seconds_count"] == len(TEXTS)
    assert after['laydown_stage_seconds_count{stage="checking"}'] == len(TEXTS)
    assert after["laydown_batch_seconds_count"] == 1
    assert after["laydown_queue_waiting"] == after["laydown_announced_files"] == 0
    assert after["laydown_worker_slots"] == server.settings.worker_slots
    assert after["laydown_worker_busy_slots"] == after["laydown_worker_jobs"] == 0
    assert after['laydown_control_requests_total{result="answered"}'] > 0
    assert after['laydown_control_requests_total{result="failed"}'] == 0


async def test_what_is_refused_is_counted_by_its_reason(server, ours, project):
    """Files that nobody has to send settle too, and had no last byte to be late after."""
    await ours.declare(project, entry("tool.exe", b"MZ"), entry("Thumbs.db", b"x"))
    await surveyed(server)
    after = await numbers(server, ours)
    assert after['laydown_files_total{reason="type_not_allowed",state="rejected"}'] == 1
    assert after['laydown_files_total{reason="system_junk",state="skipped"}'] == 1
    assert "laydown_file_seconds_count" not in after or after["laydown_file_seconds_count"] == 0


async def test_a_late_file_is_counted_as_late(server, ours, project):
    """One that was final later than we promise counts against the objective."""
    await ours.lay(project, TEXTS)
    await server.ask("UPDATE events SET at = at - interval '3 minutes'")
    await server.run_until_quiet()
    await surveyed(server)
    after = await numbers(server, ours)
    assert after['laydown_timed_files_total{pace="late"}'] == len(TEXTS)


async def test_files_that_rest_are_overdue(server, ours, project):
    """What is with us and has not moved for two minutes is seen before it ends."""
    await ours.lay(project, TEXTS)
    await server.ask("UPDATE uploads SET moved_at = moved_at - interval '3 minutes'")
    await surveyed(server)
    assert (await numbers(server, ours))["laydown_overdue_files"] == len(TEXTS)


async def test_what_was_lost_is_counted_once(server, ours, project):
    """Bytes that the ledger has and the store no more are counted when somebody finds out."""
    await ours.lay(project, TEXTS)
    await server.run_until_quiet()
    for (key,) in await server.ask("SELECT object_key FROM blobs"):
        await server.store.discard(key)
    for _ in range(2):
        await server.sweeping().reconcile()
    assert (await numbers(server, ours))["laydown_bytes_lost_total"] == SIZE


async def test_a_collector_gets_the_same_numbers(settings, collector):
    """What `/metrics` shows goes out as OTLP, under the same names; the last when the api ends."""
    async with (
        installed(replace(settings, otlp=collector.url)) as server,
        talking(server.url, await server.token("ours")) as talk,
    ):
        await talk.get("/v1/projects")
        shown = await numbers(server, talk)
    answered = shown['laydown_control_requests_total{result="answered"}']
    assert collector.last("laydown_control_requests_total", result="answered") == answered == 1
    assert collector.last("laydown_control_requests_total", result="failed") == 0
    assert collector.last("laydown_request_seconds", route="/v1/projects") == 1
    processes = {each.process for each in collector.numbers("laydown_control_requests_total")}
    assert processes == {"api"}
    assert collector.last("laydown_memory_bytes", process="api")


async def test_a_collector_that_is_away_holds_nothing_up(settings):
    """The api serves and ends all the same."""
    async with (
        installed(replace(settings, otlp="http://127.0.0.1:9")) as server,
        talking(server.url, await server.token("ours")) as talk,
    ):
        await talk.get("/v1/projects")

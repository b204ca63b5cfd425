"""What numbers say: how files lived, what is absent, and how two processes show theirs together."""

import asyncio
from http import HTTPStatus

import pytest

from laydown import observe
from laydown.domain.figures import life_of
from laydown.domain.lifecycle import State
from laydown.http.listening import listen
from laydown.observe import Process
from laydown.settings import BadSettings, Settings
from laydown.telemetry.metrics import Metrics
from laydown.telemetry.page import joined, metrics_of, served

PATIENCE = 30.0  # seconds; what is awaited takes milliseconds

S = State
SENT = [(S.DECLARED, 0.0), (S.RECEIVING, 5.0), (S.SEALING, 50.0), (S.CHECKING, 60.0)]


def test_a_file_waits_from_its_last_byte():
    """Every state counts for itself; waiting begins where all was sent."""
    life = life_of([*SENT, (S.PROCESSING, 70.0), (S.READY, 75.0)])
    assert life.stages == {
        S.DECLARED: 5.0,
        S.RECEIVING: 45.0,
        S.SEALING: 10.0,
        S.CHECKING: 10.0,
        S.PROCESSING: 5.0,
    }
    assert (life.waited, life.is_prompt) == (25.0, True)


@pytest.mark.parametrize(
    ("end", "at", "prompt"),
    [
        (S.READY, 170.0, True),
        (S.READY, 170.1, False),
        (S.REJECTED, 60.5, True),
        (S.FAILED, 61, False),
    ],
)
def test_two_minutes_are_promised(end, at, prompt):
    """A file is prompt up to the second, refused ones too; what was given up never is."""
    assert life_of([*SENT, (end, at)]).is_prompt is prompt


def test_a_second_life_counts_for_itself():
    """What was tried again is measured from then on, not from its first last byte."""
    life = life_of([*SENT, (S.FAILED, 9_000.0), (S.CHECKING, 10_000.0), (S.READY, 10_001.0)])
    assert (life.stages, life.waited) == ({S.CHECKING: 1.0}, 1.0)


def test_a_file_that_was_never_sent_waits_for_nobody():
    """A twin that was linked had no last byte."""
    life = life_of([(S.DECLARED, 0.0), (S.DUPLICATE, 900.0)])
    assert (life.waited, life.is_prompt) == (None, False)


def test_what_has_no_value_is_absent():
    """A gauge is on no page before it is set, and on none after it was forgotten."""
    metrics = Metrics(Process.WORKER)
    assert b"laydown_queue_waiting" not in metrics.rendered()[0]
    metrics.set(observe.QUEUE_WAITING, 7)
    assert b"\nlaydown_queue_waiting 7.0\n" in metrics.rendered()[0]
    metrics.forget(observe.QUEUE_WAITING)
    assert b"laydown_queue_waiting" not in metrics.rendered()[0]


def test_a_process_keeps_its_own():
    """A worker can't count requests, nor show that there were none."""
    metrics = Metrics(Process.WORKER)
    with pytest.raises(KeyError):
        metrics.count(observe.CONTROL_REQUESTS, result="failed")
    assert b"laydown_control_requests" not in metrics.rendered()[0]


def test_two_pages_are_one():
    """Each metric is named once, and has the series of both."""
    pages = []
    for process in (Process.API, Process.WORKER):
        metrics = Metrics(process)
        metrics.set(observe.MEMORY_BYTES, 1, process=process.value)
        pages.append(metrics.rendered()[0])
    page = joined(*pages).decode()
    assert page.count("# HELP laydown_memory_bytes ") == 1
    assert page.count("# TYPE laydown_memory_bytes ") == 1
    found = [line for line in page.splitlines() if line.startswith("laydown_memory_bytes")]
    assert found == [f'laydown_memory_bytes{{process="{each}"}} 1.0' for each in ("api", "worker")]
    assert joined(pages[0], b"") == pages[0]


async def told(port: int, request: bytes) -> tuple[int, bytes]:
    """Return the status and the body of an answer."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        (b"GET /livez HTTP/1.1\r\n\r\n", HTTPStatus.OK, b'{"ok": true, "version": "1"}'),
        (b"GET /metrics?x=y HTTP/1.1\r\nHost: x\r\n\r\n", HTTPStatus.OK, b"numbers\n"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", HTTPStatus.OK, b""),
        (b"POST /metrics HTTP/1.1\r\n\r\n", HTTPStatus.METHOD_NOT_ALLOWED, b""),
        (b"GET /secrets HTTP/1.1\r\n\r\n", HTTPStatus.NOT_FOUND, b""),
        (b"\x16\x03\x01\r\n\r\n", HTTPStatus.NOT_FOUND, b""),
    ],
)
async def test_a_worker_has_two_pages(request_: bytes, status: HTTPStatus, body: bytes):
    """It says that it lives, and its numbers; there is nothing else to ask it for."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with served(listener, metrics=lambda: (b"numbers\n", "text/plain"), version="1"):
        assert await told(port, request_) == (status, body)
        assert await metrics_of("127.0.0.1", port) == b"numbers\n"
    assert await metrics_of("127.0.0.1", port) == b""


@pytest.mark.parametrize("head", [b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n", b""])
async def test_what_is_no_request_gets_no_answer(head: bytes):
    """A head without end, or none at all, ends the connection and nothing else."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with (
        served(listener, metrics=lambda: (b"numbers\n", "text/plain"), version="1"),
        asyncio.timeout(PATIENCE),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        assert await metrics_of("127.0.0.1", port) == b"numbers\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0.0.0.0:8384", ("0.0.0.0", 8384)),
        ("[::]:8384", ("::", 8384)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_a_workers_page_has_a_place(text, place):
    """A host and a port, with brackets around an address of IPv6."""
    assert Settings.from_env({"LAYDOWN_WORKER_METRICS": text}).worker_page == place


@pytest.mark.parametrize("text", ["8384", ":8384", "host:", "host:70000", "::1:8384", "http://h:1"])
def test_what_is_no_place_is_refused(text):
    """It is said at the start."""
    with pytest.raises(BadSettings, match=r"LAYDOWN_WORKER_METRICS.*127\.0\.0\.1:8384"):
        Settings.from_env({"LAYDOWN_WORKER_METRICS": text})


@pytest.mark.parametrize(
    "text", ["127.0.0.1:4318", "grpc://collector:4317", "http://", "http://a b"]
)
def test_a_collector_is_named_by_its_url(text):
    """It is spoken to over HTTP, and what can't be is refused at the start."""
    with pytest.raises(BadSettings, match=r"LAYDOWN_OTLP.*http://127\.0\.0\.1:4318"):
        Settings.from_env({"LAYDOWN_OTLP": text})

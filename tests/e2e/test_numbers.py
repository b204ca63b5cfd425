"""`laydown up` shows what both its processes count, and sends it; a worker by itself does too."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.collector import Collector, collecting
from tests.e2e.yard import PATIENCE, Yard, environment, until

FILES = 12


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Return a collector."""
    with collecting() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Write a small delivery."""
    folder = tmp_path / "site"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"text {number}")
    return folder


def page(port: int, path: str) -> str:
    """Return a page of this machine; empty while nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()


def test_one_scraper_sees_both_processes(
    make_yard: Callable[..., Yard], site: Path, collector: Collector
):
    """The api's page has the worker's numbers, also after that was killed; a collector has all."""
    yard = make_yard(OTLP=collector.url)
    yard.start()
    assert yard.push(site).counts["ready"] == FILES

    ready = f'laydown_files_total{{reason="",state="ready"}} {FILES}.0'
    shown = until(
        lambda: ready in (text := page(yard.port, "/metrics")) and text,
        what="the worker's numbers are on the api's page",
    )
    assert 'laydown_memory_bytes{process="api"}' in shown
    assert 'laydown_memory_bytes{process="worker"}' in shown
    assert shown.count("# HELP laydown_memory_bytes ") == 1

    collector.until(
        lambda: collector.last("laydown_files_total", state="ready", reason="") == FILES,
        what="how the files settled",
    )
    yard.kill("worker")
    until(
        lambda: "laydown_worker_slots 2.0" in page(yard.port, "/metrics"),
        what="the next worker's numbers are there",
    )
    yard.stop()
    memory = {number.process for number in collector.numbers("laydown_memory_bytes")}
    assert memory == {"api", "worker"}
    assert collector.last("laydown_bodies_total") == FILES
    assert collector.last("laydown_worker_slots") == 2


def test_a_worker_by_itself_has_a_place(database: str, tmp_path: Path):
    """It says that it lives and what it counts where it is told to, and ends without leaving it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings = {
        "DATA": str(tmp_path / "data"),
        "DATABASE": database,
        "SCANNER": "none",
        "WORKER_METRICS": f"127.0.0.1:{port}",
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "laydown", "worker"], env=environment(settings)
    )
    try:
        until(lambda: '"ok": true' in page(port, "/livez"), what="the worker says that it lives")
        until(
            lambda: "laydown_queue_waiting 0.0" in page(port, "/metrics"),
            what="it has looked at the queue",
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=PATIENCE) == 0
    assert page(port, "/livez") == ""


def test_a_place_that_is_taken_is_told_at_once(database: str, tmp_path: Path):
    """One sentence names the setting; `laydown up` chooses a free port and never meets this."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = {
            "DATA": str(tmp_path / "data"),
            "DATABASE": database,
            "SCANNER": "none",
            "WORKER_METRICS": f"127.0.0.1:{taken.getsockname()[1]}",
        }
        refused = subprocess.run(
            [sys.executable, "-m", "laydown", "worker"],
            env=environment(settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert refused.returncode == 1
    assert refused.stderr.startswith("laydown: LAYDOWN_WORKER_METRICS: nothing can listen at ")
    assert refused.stderr.count("\n") == 1

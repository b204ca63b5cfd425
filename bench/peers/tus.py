"""@tus/server with its file store: the reference server of the tus protocol."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import npm
from bench.content import content_of
from bench.loadclient import LoadClient
from bench.measurement import Sent, sent_by_load
from bench.peers.peer import Bench, Peer, Server
from bench.plan import Job, Request, follow_location, request
from bench.processes import ServerProcess, accepts, free_port
from bench.workloads import Kind, Workload

_SOURCE = Path(__file__).parent / "tus"
_VERSION = {"Tus-Resumable": "1.0.0"}


class Tus(Peer):
    """Resumable uploads, nothing flushed and nothing recorded but a small file beside each."""

    name = "tus"
    title = "@tus/server, file store"
    durable = "no"
    _home: Path

    def prepare(self, bench: Bench) -> None:
        self._home = npm.install(_SOURCE, bench.work / "npm")

    def versions(self) -> list[str]:
        packages = [npm.version(self._home, name) for name in ("@tus/server", "@tus/file-store")]
        return [npm.node_version(), *packages]

    def takes(self, workload: Workload) -> bool:
        return workload.kind in (Kind.SEND, Kind.DECLARE)

    @contextmanager
    def serve(self, bench: Bench, directory: Path) -> Iterator[Server]:
        files = directory / "files"
        files.mkdir()
        port = free_port()
        with ServerProcess(
            "@tus/server",
            ["node", str(self._home / "server.js"), str(port), str(files)],
            cpu=bench.server_cpu,
            log=directory / "tus.log",
            env={"NODE_ENV": "production"},
        ) as process:
            process.wait_until(lambda: accepts(port))
            yield _TusServer(port, bench.client)


class _TusServer(Server):
    def __init__(self, port: int, client: LoadClient) -> None:
        self._port = port
        self._client = client

    def send(self, workload: Workload, label: str) -> Sent:
        """Send each file as tus clients do: create it, then send it whole to where that led."""
        jobs: list[Job] = []
        for number in range(workload.files):
            create = _creation(label, number, workload.size)
            if workload.kind is Kind.DECLARE:
                jobs.append([create])
            else:
                jobs.append([create, _patch(label, number, workload.size)])
        report = self._client.send(self._port, jobs, connections=workload.connections)
        return sent_by_load(report)


def _creation(label: str, number: int, size: int) -> Request:
    name = b64encode(f"{label}-{number:06}.bin".encode("ascii")).decode("ascii")
    kind = b64encode(b"application/octet-stream").decode("ascii")
    headers = {
        **_VERSION,
        "Upload-Length": str(size),
        "Upload-Metadata": f"filename {name},filetype {kind}",
    }
    return request("POST", "/files", headers)


def _patch(label: str, number: int, size: int) -> Request:
    headers = {
        **_VERSION,
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    }
    return request(
        "PATCH",
        follow_location(),
        headers,
        content=content_of(label, number),
        length=size,
    )

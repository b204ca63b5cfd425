"""Express 5 with multer and one INSERT a file: what laydown replaces."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import npm
from bench.content import content_of
from bench.database import binaries, database, postgres_version
from bench.loadclient import LoadClient
from bench.measurement import Sent, sent_by_load
from bench.peers.peer import Bench, Peer, Server
from bench.plan import Job, request
from bench.processes import ServerProcess, accepts, free_port
from bench.workloads import Workload

_SOURCE = Path(__file__).parent / "express"
_BOUNDARY = "----bench7MA4YWxkTrZu0gW"


class Express(Peer):
    """Today's system."""

    name = "express"
    title = "Express 5, multer, one INSERT a file"
    durable = "row only"
    _home: Path

    def prepare(self, bench: Bench) -> None:
        binaries()
        self._home = npm.install(_SOURCE, bench.work / "npm")

    def versions(self) -> list[str]:
        packages = [npm.version(self._home, name) for name in ("express", "multer", "pg")]
        return [npm.node_version(), *packages, postgres_version()]

    @contextmanager
    def serve(self, bench: Bench, directory: Path) -> Iterator[Server]:
        files = directory / "files"
        files.mkdir()
        port = free_port()
        with database(directory, cpu=bench.server_cpu) as sockets:
            command = ["node", str(self._home / "server.js"), str(port), str(files), sockets]
            with ServerProcess(
                "Express",
                command,
                cpu=bench.server_cpu,
                log=directory / "express.log",
                env={"NODE_ENV": "production"},
            ) as process:
                process.wait_until(lambda: accepts(port))
                yield _ExpressServer(port, bench.client)


class _ExpressServer(Server):
    def __init__(self, port: int, client: LoadClient) -> None:
        self._port = port
        self._client = client

    def send(self, workload: Workload, label: str) -> Sent:
        jobs = [_form(label, number, workload.size) for number in range(workload.files)]
        report = self._client.send(self._port, jobs, connections=workload.connections)
        return sent_by_load(report)


def _form(label: str, number: int, size: int) -> Job:
    before = (
        f"--{_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{label}-{number:06}.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return [
        request(
            "POST",
            "/projects/1/files",
            {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
            content=content_of(label, number),
            length=size,
            before=before.encode("ascii"),
            after=f"\r\n--{_BOUNDARY}--\r\n".encode("ascii"),
        )
    ]

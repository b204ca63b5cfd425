"""laydown itself: Postgres, API and worker as `laydown up` runs them."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path

from bench.peers.conversation import Api, LaydownServer
from bench.peers.peer import Bench, Peer, PeerUnavailable, Server
from bench.processes import ServerProcess, free_port
from bench.workloads import Kind, Workload


class Laydown(Peer):
    """The whole product: signed, durable, recorded, proven, with its status visible."""

    name = "laydown"
    title = "laydown"
    durable = "yes"
    _program: Path

    def prepare(self, bench: Bench) -> None:
        del bench
        self._program = Path(sys.executable).with_name("laydown")
        if not self._program.exists():
            raise PeerUnavailable(f"there is no {self._program.name} beside this Python")

    def versions(self) -> list[str]:
        return [f"laydown {version('laydown')}", f"Python {sys.version.split()[0]}"]

    def takes(self, workload: Workload) -> bool:
        return workload.kind in (Kind.SEND, Kind.DECLARE)

    @contextmanager
    def serve(self, bench: Bench, directory: Path) -> Iterator[Server]:
        data = directory / "data"
        port = free_port()
        command = [
            str(self._program),
            "up",
            "--scanner",
            "none",
            "--data",
            str(data),
            "--port",
            str(port),
        ]
        with ServerProcess(
            "laydown up", command, cpu=bench.server_cpu, log=directory / "laydown.log"
        ) as process:
            process.wait_until(lambda: _is_ready(data / "connection.json", port))
            told = json.loads((data / "connection.json").read_text())
            api = Api(port, told["token"])
            project = api.call("POST", "/v1/projects", {"code": "BENCH"})["id"]
            yield LaydownServer(bench, api, project)


def _is_ready(connection: Path, port: int) -> bool:
    if not connection.exists():
        return False
    asked = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()

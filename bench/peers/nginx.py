"""nginx taking WebDAV PUTs: about as fast as an HTTP server on one core gets."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.content import content_of
from bench.loadclient import LoadClient
from bench.measurement import Sent, sent_by_load
from bench.peers.peer import Bench, Peer, PeerUnavailable, Server
from bench.plan import request
from bench.processes import ServerProcess, accepts, free_port
from bench.workloads import Workload

_CONFIGURATION = """\
{user}
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_max_body_size 0;
  client_body_buffer_size 64k;               # fewer, larger writes
  client_body_temp_path {directory}/coming; # beside the files: a rename, not a copy
  proxy_temp_path {directory}/temp;
  fastcgi_temp_path {directory}/temp;
  uwsgi_temp_path {directory}/temp;
  scgi_temp_path {directory}/temp;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      root {directory}/files;
      dav_methods PUT;
    }}
  }}
}}
"""


class Nginx(Peer):
    """Bytes into files and nothing else: no name, owner, record or flush."""

    name = "nginx"
    title = "nginx, WebDAV PUT"
    durable = "no"
    _program: str

    def prepare(self, bench: Bench) -> None:
        self._program = _find() or _unpack(bench.work / "nginx")
        if "--with-http_dav_module" not in self._about("-V"):
            raise PeerUnavailable("this nginx was built without its WebDAV module")

    def versions(self) -> list[str]:
        return [self._about("-v").strip().removeprefix("nginx version: ").replace("/", " ")]

    @contextmanager
    def serve(self, bench: Bench, directory: Path) -> Iterator[Server]:
        port = free_port()
        for name in ("files", "coming", "temp"):
            (directory / name).mkdir()
        # Started as root, its worker would be somebody who may not write here.
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = directory / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(user=user, directory=directory, port=port))
        with ServerProcess(
            "nginx",
            [self._program, "-p", str(directory), "-c", str(configuration)],
            cpu=bench.server_cpu,
            log=directory / "error.log",
            stop_signal=signal.SIGTERM,
        ) as process:
            process.wait_until(lambda: accepts(port))
            yield _NginxServer(port, bench.client)

    def _about(self, flag: str) -> str:
        done = subprocess.run([self._program, flag], capture_output=True, text=True, check=False)
        return done.stderr


class _NginxServer(Server):
    def __init__(self, port: int, client: LoadClient) -> None:
        self._port = port
        self._client = client

    def send(self, workload: Workload, label: str) -> Sent:
        jobs = [
            [
                request(
                    "PUT",
                    f"/{label}-{number:06}.bin",
                    {"Content-Type": "application/octet-stream"},
                    content=content_of(label, number),
                    length=workload.size,
                )
            ]
            for number in range(workload.files)
        ]
        report = self._client.send(self._port, jobs, connections=workload.connections)
        return sent_by_load(report)


def _find() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _unpack(home: Path) -> str:
    """Return Debian's nginx, only unpacked: installing it would start it as a service."""
    program = home / "usr" / "sbin" / "nginx"
    if program.exists():
        return str(program)
    home.mkdir(parents=True, exist_ok=True)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise PeerUnavailable("nginx is not installed, and this is not Debian: install it")
    # A stale list of packages names a file that is gone; only root may fetch a new one.
    if not _download(home) and not (_update() and _download(home)):
        raise PeerUnavailable("nginx is not installed and could not be downloaded: install it")
    package = next(home.glob("nginx_*.deb"))
    subprocess.run(["dpkg-deb", "-x", str(package), str(home)], check=True)
    return str(program)


def _download(home: Path) -> bool:
    command = ["apt-get", "download", "--quiet", "nginx"]
    done = subprocess.run(command, cwd=home, capture_output=True, check=False)
    return done.returncode == 0 and any(home.glob("nginx_*.deb"))


def _update() -> bool:
    command = ["apt-get", "update", "--quiet"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0

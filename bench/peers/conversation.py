"""laydown's conversation: declare, be granted URLs, send, complete, watch until all is settled.

The clock counts every request of it, one after the other. It does not count what the client does
by itself in between: computing checksums, which it would do while reading files from a disk, and
laying out the requests. Until the first byte is sent the server has nothing to do meanwhile.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from bench.content import Content, content_of
from bench.measurement import Sent, Settled, sent_by_load
from bench.peers.peer import Bench, Server
from bench.plan import Job, request
from bench.processes import ServerFailed
from bench.workloads import Kind, Workload

_PARTS_AT_ONCE = 1_000  # grants asked for in one request
_CONTROL_SECONDS = 60
_SETTLE_SECONDS = 600
_POLL_SECONDS = 0.1
_CHECKSUM_HEADER = "x-amz-checksum-crc64nvme"
_UNSETTLED = frozenset({"declared", "receiving", "sealing", "checking", "processing"})


class Api:
    """The control side of the conversation, on one connection."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.seconds = 0.0  # spent waiting for answers so far
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_CONTROL_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the decoded answer; raise `ServerFailed` when it is an error."""
        data = None if body is None else json.dumps(body).encode()
        began = time.perf_counter()
        self._connection.request(method, path, body=data, headers=self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        self.seconds += time.perf_counter() - began
        if response.status >= 300:
            said = answer[:500].decode(errors="replace")
            raise ServerFailed(f"laydown answered {method} {path} with {response.status}: {said}")
        return json.loads(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file on its way: what it holds, and what laydown calls it."""

    content: Content
    size: int
    upload: str
    part_size: int
    parts: int
    concurrency: int

    def part(self, number: int) -> tuple[int, int]:
        """Return the first byte and the length of a part."""
        start = (number - 1) * self.part_size
        return start, min(self.part_size, self.size - start)


class LaydownServer(Server):
    """A running laydown with one project."""

    def __init__(self, bench: Bench, api: Api, project: str) -> None:
        self._bench = bench
        self._api = api
        self._project = project
        self._batch = ""
        self._acknowledged = 0.0

    def send(self, workload: Workload, label: str) -> Sent:
        began = self._api.seconds
        verdicts = self._declare(workload, label)
        declared = self._api.seconds
        if workload.kind is Kind.DECLARE:
            self._batch = ""
            return Sent(seconds=declared - began, files=len(verdicts), bytes=0)
        files = [
            _file(content_of(label, number), workload.size, verdict)
            for number, verdict in enumerate(verdicts)
        ]
        grants = self._grants(files)
        granted = self._api.seconds
        jobs = list(self._puts(files, grants))
        report = self._bench.client.send(
            self._api.port, jobs, connections=_connections(workload, files)
        )
        if not report.failed:
            self._complete([file for file in files if file.parts > 1])
        self._acknowledged = time.perf_counter()
        phases = {
            "declare": declared - began,
            "grants": granted - declared,
            "put": report.seconds,
            "complete": self._api.seconds - granted,
        }
        sent = sent_by_load(report)
        if len(jobs) > len(files):  # its latencies are those of parts, not of files
            sent = replace(sent, p50_ms=None, p95_ms=None, p99_ms=None)
        return replace(
            sent,
            seconds=sum(phases.values()),
            files=report.ok * len(files) // len(jobs),  # several jobs when a file goes in parts
            phases=phases,
        )

    def settle(self) -> Settled | None:
        if not self._batch:
            return None  # what was only declared stays so
        patience = time.perf_counter() + _SETTLE_SECONDS
        while True:
            counts: dict[str, int] = self._api.call("GET", f"/v1/batches/{self._batch}")["counts"]
            now = time.perf_counter()
            if not _UNSETTLED & counts.keys():
                return Settled(seconds=now - self._acknowledged, states=counts)
            if now > patience:
                raise ServerFailed(f"not settled after {_SETTLE_SECONDS} s: {counts}")
            time.sleep(_POLL_SECONDS)

    def _declare(self, workload: Workload, label: str) -> Sequence[Any]:
        entries = [
            {"key": str(number), "path": f"{label}/{number:06}.bin", "size": workload.size}
            for number in range(workload.files)
        ]
        path = f"/v1/projects/{self._project}/batches"
        answer = self._api.call("POST", path, {"reference": label, "entries": entries})
        self._batch = answer["batch"]["id"]
        verdicts: list[Any] = answer["verdicts"]
        for verdict in verdicts:
            if verdict["verdict"] != "send":
                raise ServerFailed(f"laydown does not want a file sent: {verdict}")
        return verdicts

    def _grants(self, files: Sequence[_File]) -> dict[tuple[str, int], Any]:
        """Return the grant of every part, by upload and number."""
        grants: dict[tuple[str, int], Any] = {}
        wanted = [(file, number) for file in files for number in range(1, file.parts + 1)]
        for start in range(0, len(wanted), _PARTS_AT_ONCE):
            parts: dict[str, list[dict[str, int]]] = {}
            for file, number in wanted[start : start + _PARTS_AT_ONCE]:
                parts.setdefault(file.upload, []).append({"number": number})
            uploads = [{"id": upload, "parts": numbers} for upload, numbers in parts.items()]
            wants = {"limit": _PARTS_AT_ONCE, "uploads": uploads}
            answer = self._api.call("POST", f"/v1/batches/{self._batch}/grants", wants)
            for upload in answer["uploads"]:
                for part in upload["parts"]:
                    grants[upload["id"], part["number"]] = part
        if len(grants) != len(wanted):
            raise ServerFailed(f"{len(wanted)} parts wanted, {len(grants)} granted")
        return grants

    def _puts(self, files: Sequence[_File], grants: dict[tuple[str, int], Any]) -> Iterator[Job]:
        for file in files:
            for number in range(1, file.parts + 1):
                grant = grants[file.upload, number]
                start, length = file.part(number)
                checksum = self._bench.pool.crc64nvme(file.content, start, length)
                put = request(
                    grant["method"],
                    _path(grant["url"], self._api.port),
                    {**grant["headers"], _CHECKSUM_HEADER: checksum},
                    content=file.content,
                    start=start,
                    length=length,
                )
                yield [put]

    def _complete(self, files: Sequence[_File]) -> None:
        if not files:
            return
        uploads = [{"id": file.upload} for file in files]
        path = f"/v1/batches/{self._batch}/completions"
        for done in self._api.call("POST", path, {"uploads": uploads})["uploads"]:
            if done.get("code") is not None:
                raise ServerFailed(f"laydown did not take a completion: {done}")

    def role(self, command: str) -> str:
        words = command.split()
        for role in ("api", "worker", "up"):
            if role in words[:4]:
                return "supervisor" if role == "up" else role
        return super().role(command)


def _file(content: Content, size: int, verdict: Any) -> _File:
    plan = verdict["plan"]
    return _File(
        content=content,
        size=size,
        upload=verdict["upload_id"],
        part_size=plan["part_size"] or size,
        parts=plan["parts"],
        concurrency=plan["concurrency"],
    )


def _connections(workload: Workload, files: Sequence[_File]) -> int:
    """Return how many connections to use; a single large file's plan says so itself."""
    return files[0].concurrency if len(files) == 1 else workload.connections


def _path(url: str, port: int) -> str:
    """Return path and query of a granted URL; refuse any that leads away from this machine."""
    parts = urlsplit(url)
    if parts.netloc and (parts.hostname != "127.0.0.1" or parts.port != port):
        raise ServerFailed(f"a grant leads to {parts.netloc}, not to 127.0.0.1:{port}")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path

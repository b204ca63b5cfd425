"""No secret leaves but to whom it is meant for: everything that a full run emits is looked through.

The run is a delivery with all that can go wrong in it, on a `laydown up` that logs at its loudest.
"""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from laydown import wire
from laydown.domain.lifecycle import State
from laydown.domain.upload import BatchId, Entry, OrganizationId, ProjectId, Upload, UploadId
from laydown.http.bytes_keys import KeyRing
from laydown.http.bytes_urls import ByteUrls
from tests.e2e.test_cli_usage import run
from tests.e2e.yard import Yard, descendants, until

# What no line may have, whoever's it is: the query of a byte URL, a whole token, a credential.
NEVER = (
    re.compile(rb"signature="),
    re.compile(rb"ld[nls]_[0-9a-f]{32}_"),
    re.compile(rb"Bearer ldn_[0-9a-f]"),
)
INSIDES = re.compile(rb"Traceback|site-packages|\.py\b|psycopg|SELECT |uvicorn|starlette")


@dataclass
class Run:
    """What was emitted, by whom, and what must not be in it."""

    yard: Yard
    secrets: set[bytes] = field(default_factory=set)
    said: dict[str, bytes] = field(default_factory=dict)
    errors: dict[str, bytes] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, token: str = "", **headers: str
    ) -> Any:
        """Make a request; note its answer, unless it is a secret that was asked for."""
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        connection = HTTPConnection("127.0.0.1", self.yard.port, timeout=30)
        try:
            connection.request(method, path, body, {**sent, **headers})
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        name = f"{method} {path.partition('?')[0]} {answer.status} #{len(self.said)}"
        if answer.status != 201:  # which may be what was asked for: a secret, shown once
            self.said[name] = str(answer.getheaders()).encode() + told
        if answer.status >= 400:
            self.errors[name] = told
        return answer.status, told

    def found(self) -> Iterator[str]:
        """Yield each place that has what it must not have."""
        for name, text in self.said.items():
            for secret in self.secrets:
                if secret in text:
                    around = text[max(0, text.find(secret) - 80) :][:160]
                    yield f"{name} has a secret: {around!r}"
            for pattern in NEVER:
                if hit := pattern.search(text):
                    around = text[max(0, hit.start() - 80) :][:160]
                    yield f"{name} has {pattern.pattern!r}: {around!r}"


@pytest.fixture(scope="module")
def everything(made_yard: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run a delivery from its start to its receipt, and everything that can go wrong; collect."""
    folder = Path(tempfile.mkdtemp(prefix="ldn"))
    shutil.copytree(made_yard, folder / "data")
    yard = Yard(folder / "data", settings={"LOG_LEVEL": "debug"})
    yard.start()
    ran = Run(yard)
    token = yard.connection.token
    ran.secrets |= {token.encode(), token.split("_", 2)[2].encode()}
    keys = json.loads((yard.data / "store" / "signing-keys.json").read_text())
    ran.secrets |= {key["secret"].encode() for key in keys["keys"]}
    batch = _deliver(ran, tmp_path_factory.mktemp("site"), token)
    _let_in(ran, token)
    _look(ran, token, batch)
    _misuse(ran, token)
    _go_wrong(ran, token)
    assert yard.server is not None
    for pid in descendants(yard.server.pid):
        ran.said[f"command line of {pid}"] = Path(f"/proc/{pid}/cmdline").read_bytes()
    assert yard.stop() == 0
    for log in (yard.data / "logs").iterdir():
        ran.said[log.name] = log.read_bytes()
    # The terminal is told how to sign in, once; everything else it must not be.
    ran.said["terminal"] = re.sub(rb"/signin\?code=[^ ]+ ", b"", yard.log.encode())
    yield ran
    yard.dispose()
    shutil.rmtree(folder)


def _deliver(ran: Run, site: Path, token: str) -> str:
    """Push a folder, look at it with every command; return the batch."""
    yard = ran.yard
    for number in range(20):
        (site / f"{number}.txt").write_text(f"file {number}")
    (site / "bad.pdf").write_text("no pdf")
    pushed = run("push", site, "--project", "S", "--json", data=yard.data)
    batch = json.loads(pushed.stdout)["batch"]
    ran.said["push"] = (pushed.stdout + pushed.stderr).encode()
    for command in (["status", batch], ["receipt", batch], ["ls", "S"], ["doctor"], ["jobs"]):
        shown = run(*command, data=yard.data)
        ran.said[command[0]] = (shown.stdout + shown.stderr).encode()
    wrong = run("ls", "S", data=yard.data, TOKEN=_wrong(token))
    ran.secrets.add(_wrong(token).encode())
    ran.said["a wrong token"] = (wrong.stdout + wrong.stderr).encode()
    return str(batch)


def _wrong(token: str) -> str:
    """Return the token with another secret."""
    return token[:-8] + "A" * 8


def _let_in(ran: Run, token: str) -> None:
    """Make a token, a drop link and a session; use each, then end it and use it again."""
    with ran.yard.client() as client:
        project = client.ensure_project("S").id
    for path, body in (
        ("/v1/tokens", {"name": "Ann's"}),
        (f"/v1/projects/{project}/links", {"label": "Ben"}),
    ):
        _, told = ran.ask("POST", path, json.dumps(body).encode(), token=token)
        made = json.loads(told)
        thing = made.get("token") or made["link"]
        ran.secrets |= {made["secret"].encode(), made["secret"].split("_", 2)[2].encode()}
        assert ran.ask("GET", "/v1/me", token=made["secret"])[0] == 200
        place = "/v1/tokens" if "token" in made else "/v1/links"
        assert ran.ask("DELETE", f"{place}/{thing['id']}", token=token)[0] == 204
        assert ran.ask("GET", "/v1/me", token=made["secret"])[0] == 401
    [code] = until(
        lambda: re.findall(r"/signin\?code=(\S+)\n", ran.yard.log), what="a link to sign in is told"
    )
    _, told = ran.ask("POST", "/v1/sessions", json.dumps({"code": code}).encode())
    ran.secrets |= {code.encode(), json.loads(told)["csrf"].encode()}
    assert ran.ask("POST", "/v1/sessions", json.dumps({"code": code}).encode())[0] == 401
    assert ran.ask("GET", f"/signin?code={code}")[0] == 401


def _look(ran: Run, token: str, batch: str) -> None:
    """Ask everything that tells of a delivery."""
    with ran.yard.client() as client:
        project = client.project_of("S")
        assert project is not None
        version = next(iter(client.documents(project.id))).current.id
        upload = next(iter(client.uploads(UUID(batch)))).id
    below = ("", "/events?after=0", "/uploads", "/receipt", "/receipt.csv")
    for path in (
        *(f"/v1/batches/{batch}{each}" for each in below),
        *(f"/v1/uploads/{upload}{each}" for each in ("", "/timeline")),
        *(f"/v1/versions/{version}{each}" for each in ("", "/content")),
        f"/v1/projects/{project.id}/documents",
        *("/v1/projects", "/v1/operations/jobs", "/v1/audit", "/v1/audit.csv", "/v1/me"),
        *("/v1/members", "/v1/tokens?all=true", f"/v1/projects/{project.id}/links"),
        *("/metrics", "/livez", "/readyz", "/docs", "/openapi.json"),
    ):
        status, _ = ran.ask("GET", path, token=token)
        assert status == 200, path


def _misuse(ran: Run, token: str) -> None:
    """Use tokens and byte URLs as they must not be used."""
    with ran.yard.client() as client:
        project = client.ensure_project("S")
        declared = client.declare(
            project.id, reference="by hand", entries=[wire.Entry(key="k", path="k.txt", size=4)]
        )
        [grant] = client.grants(declared.batch.id, [], limit=10)
    url = grant.parts[0].url
    signature = url.rpartition("signature=")[2]
    ran.secrets |= {signature.encode(), url.encode()}
    altered = url.replace("length=4", "length=5")
    late = _expired(ran.yard, url)
    ran.secrets.add(late.rpartition("signature=")[2].encode())
    for target, body, status in (
        (altered, b"12345", 403), (late, b"1234", 403), (url, b"12345", 400), (url, b"1234", 200),
        (url, b"4321", 409), (url[:-4] + "AAAA", b"1234", 403), (url, b"1234", 200),
    ):  # fmt: skip
        assert ran.ask("PUT", target, body)[0] == status
        # The common way, and a body that stops in the middle.
        assert ran.ask("PUT", target, body, **{"X-Slow": "1", "TE": "trailers"})[0] in (status, 409)
    assert ran.ask("GET", url)[0] == 405
    for wrong in (_wrong(token), "ldn_rubbish", f"ldn_{uuid4().hex}_{'S' * 43}", token + "x"):
        ran.secrets.add(wrong.encode())
        assert ran.ask("GET", "/v1/projects", token=wrong)[0] == 401
        assert ran.ask("GET", f"/v1/projects?cursor={wrong}", token=token)[0] == 400
    assert ran.ask("GET", f"/v1/batches/{uuid4()}", token=token)[0] == 404
    assert ran.ask("GET", "/nothing", token=token)[0] == 404
    assert ran.ask("PATCH", "/v1/projects", b"{}", token=token)[0] == 405
    assert ran.ask("POST", "/v1/projects", b'{"code": 1', token=token)[0] == 400
    assert ran.ask("GET", "/v1/projects", Authorization=token)[0] == 401
    assert ran.ask("GET", "/" + "x" * 40_000, token=token)[0] == 431


def _expired(yard: Yard, url: str) -> str:
    """Return the URL as it would have been an hour ago, signed with the server's own key."""
    organization, upload, attempt, number = url.partition("?")[0].split("/")[2:]
    then = time.time() - timedelta(hours=1).total_seconds()
    urls = ByteUrls(KeyRing.open(yard.data / "store" / "signing-keys.json"), now=lambda: then)
    granted = Upload(
        id=UploadId(UUID(upload)),
        organization=OrganizationId(UUID(organization)),
        project=ProjectId(uuid4()),
        batch=BatchId(uuid4()),
        entry=Entry(key="k", path="k.txt", folded="k.txt", size=4),
        state=State.DECLARED,
        attempt=int(attempt),
        part_size=None,
        parts=1,
    )
    return urls.sign_part(granted, int(number), length=4, checksum=None).url


def _go_wrong(ran: Run, token: str) -> None:
    """Take the database away while requests come, and wait until everything is well again."""
    with ran.yard.client() as client:
        project = client.ensure_project("S")
        declared = client.declare(
            project.id, reference="away", entries=[wire.Entry(key="k", path="m.txt", size=4)]
        )
        [grant] = client.grants(declared.batch.id, [], limit=10)
    ran.secrets.add(grant.parts[0].url.rpartition("signature=")[2].encode())
    ran.yard.kill("postgres")
    for method, path, body in (
        ("GET", "/v1/projects", None),
        ("PUT", grant.parts[0].url, b"1234"),
        ("GET", "/readyz", None),
    ):
        with suppress(OSError, HTTPException):  # answered or not, what is said of it is collected
            ran.ask(method, path, body, token=token)
    until(ran.yard.is_ready, what="the database is back")


def test_nothing_that_is_emitted_has_a_secret_in_it(everything: Run):
    """No log, event, receipt, error, metric, page, output or command line has a token or signature.

    Neither a good one nor one that somebody mistyped.
    """
    assert {"api.log", "worker.log", "postgres.log", "terminal", "push"} <= everything.said.keys()
    assert any("events" in name for name in everything.said)
    assert list(everything.found()) == []


def test_no_error_shows_our_insides(everything: Run):
    """No error has a stack trace, a path, a query or the name of what we are made of."""
    assert len(everything.errors) > 20
    shown = {
        name: hit[0] for name, text in everything.errors.items() if (hit := INSIDES.search(text))
    }
    assert shown == {}


def test_a_hidden_secret_would_be_found(everything: Run):
    """The search finds what it looks for, wherever it is put."""
    for planted in (*everything.secrets, b"?a=b&signature=AAAA", b"ldn_" + b"0" * 32 + b"_secret"):
        said = {"planted": b"before" + planted + b"behind"}
        assert list(replace(everything, said=said).found())

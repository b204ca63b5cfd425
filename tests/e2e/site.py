"""A distributed laydown as real processes: two apis, three workers, a Postgres, an S3, an SQS."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import psycopg
import pytest

from laydown import Client
from laydown.bootstrap.database import issue_token
from laydown.embedded.instance import Connection
from laydown.embedded.lifeline import LIFELINE_VARIABLE
from laydown.embedded.postgres import PostgresAddress
from laydown.settings import Settings
from tests.e2e.balancer import Balancer
from tests.e2e.yard import LAST_WORDS, PATIENCE, Push, Pushed, until
from tests.engines.postgres import SUPERUSER
from tests.engines.process import free_ports
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed
from tests.ledger_support import in_thread

APIS = ("api_a", "api_b")
WORKERS = ("worker_1", "worker_2", "worker_3")
SINGLE_UP_TO = 8 << 20
"""Bytes; what is larger goes in parts, without tests having to move much."""

_NAMES = (f"site{number}" for number in count(1))
_SETTINGS = {
    "SCANNER": "none",
    "QUARANTINE": "0",  # seconds; refused bytes go at once, so that nothing is left to wait for
    "JOB_LEASE": "2",  # seconds after which the jobs of a killed worker run again
    "DATABASE_CONNECTIONS": "3",  # five processes share the sixty that our Postgres has
    "SINGLE_UP_TO": str(SINGLE_UP_TO),
}


@dataclass
class Node:
    """One process of a site, which may be killed, stopped, paused and started again."""

    name: str
    arguments: Sequence[str]  # after `laydown`
    env: Mapping[str, str]  # all it has
    log: Path
    lifeline: int  # it ends when we do
    within: Sequence[str] = ()  # a command that runs it, somewhere narrower
    process: subprocess.Popen[bytes] | None = None
    _began: int = 0  # characters that its log had when it was started last

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Say whether it was started and hasn't ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def said(self) -> str:
        """What it has logged, over all its lives."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def has_begun(self) -> bool:
        """Say whether it has told, in this life, that it works."""
        return any(f'"{name}.started"' in self.said[self._began :] for name in ("api", "worker"))

    def start(self) -> None:
        """Start it and return at once."""
        assert not self.is_running
        self._began = len(self.said)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.within, sys.executable, "-m", "laydown", *self.arguments],
                env={**self.env, LIFELINE_VARIABLE: str(self.lifeline)},
                pass_fds=[self.lifeline],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it as the kernel's memory killer would, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def stop(self) -> int:
        """Ask it to stop and wait until it has; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)

    def pause(self) -> None:
        """Stop it where it is: it holds what it holds, and does nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)  # sending the signal stops no thread yet

    def resume(self) -> None:
        """Let it go on after `pause`."""
        os.kill(self.pid, signal.SIGCONT)


@dataclass
class Site:
    """Nodes over one database, one bucket and one queue; *nodes* are by name, apis by *ports*."""

    dsn: str  # of the database, as its superuser
    bucket: str
    notices: str  # the URL of the queue that the store would tell
    jobs: str  # the URL of the queue that the relay fills
    settings: Settings  # as the nodes have them, for those who look in
    seaweed: Seaweed
    queues: Queues
    balancer: Balancer
    ports: Mapping[str, int]
    nodes: Mapping[str, Node]
    token: str
    pushes: list[Push] = field(default_factory=list)

    def start(self, *names: str) -> None:
        """Start nodes, all when none is named; return when each api is ready to work."""
        for name in names or self.nodes:
            self.nodes[name].start()
        for name in names or self.nodes:
            until(
                lambda name=name: not self.nodes[name].is_running or self.is_ready(name),
                what=f"{name} is ready",
            )
            assert self.nodes[name].is_running, f"{name} ended:\n{self.nodes[name].said}"

    def is_ready(self, name: str) -> bool:
        """Say whether a node answers that it can work; a worker that has begun can."""
        if name not in self.ports:
            return self.nodes[name].has_begun
        connection = HTTPConnection("127.0.0.1", self.ports[name], timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def heal(self) -> None:
        """Have everything run again, whatever was done to it."""
        for name, node in self.nodes.items():
            if node.is_running:
                node.resume()
            else:
                self.start(name)

    @property
    def connection(self) -> Connection:
        """How to reach it through the balancer."""
        return self.through(None)

    def through(self, api: str | None) -> Connection:
        """Return how to reach it: through one api, or by default through the balancer."""
        port = self.balancer.port if api is None else self.ports[api]
        return Connection(f"http://127.0.0.1:{port}", self.token)

    @contextmanager
    def client(self, api: str | None = None, *, token: str | None = None) -> Iterator[Client]:
        """Speak to it, through one api if that is named."""
        where = self.through(api)
        with Client(where.url, token or where.token, timeout=PATIENCE) as client:
            yield client

    def issue(self, organization: str) -> str:
        """Return a token of an organization, which is made if absent."""
        settings = replace(self.settings, database=self.dsn)
        return in_thread(issue_token(settings, organization=organization, name="tests"))

    def start_push(
        self, *paths: Path, project: str = "X", jobs: int = 4, token: str | None = None
    ) -> Push:
        """Begin a push through the balancer, in a process of its own."""
        connection = Connection(self.connection.url, token or self.token)
        self.pushes.append(Push(connection, paths, project, jobs))
        return self.pushes[-1]

    def push(self, *paths: Path, project: str = "X") -> Pushed:
        """Push, and return how that ended."""
        return self.start_push(*paths, project=project).end()

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Look into its database as the superuser."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            yield connection

    def last_words(self) -> Iterator[tuple[str, str]]:
        """Yield each node's name and the end of its log."""
        for name, node in self.nodes.items():
            yield name, node.said[-LAST_WORDS:]

    def dispose(self) -> None:
        """End whatever still runs."""
        for push in self.pushes:
            push.kill()
        for node in self.nodes.values():
            if node.is_running:
                node.kill()


@runtime_checkable
class Logging(Protocol):
    """Processes that keep logs."""

    def last_words(self) -> Iterator[tuple[str, str]]:
        """Yield each one's name and the end of its log."""
        ...


@contextmanager
def running_site(
    folder: Path,
    *,
    postgres: PostgresAddress,
    template: str,
    seaweed: Seaweed,
    queues: Queues,
    **given: str,
) -> Iterator[Site]:
    """Run a site on a database, a bucket and queues of its own; *given* are `LAYDOWN_*` settings.

    Every node connects to the database as a user of its own name, which tells its sessions apart.
    """
    name = next(_NAMES)
    with ExitStack() as stack:
        dsn = stack.enter_context(_database(postgres, template, name))
        seaweed.make_bucket(name)
        jobs = _queue(queues, f"{name}-jobs")
        notices = _queue(queues, f"{name}-notices")
        words = {
            **_SETTINGS,
            "STORE": f"s3://{name}?endpoint={seaweed.endpoint}&region={seaweed.region}",
            "QUEUE": f"sqs://{name}-jobs?endpoint={queues.endpoint}&region={queues.region}",
            "NOTICES": f"sqs://{name}-notices?endpoint={queues.endpoint}&region={queues.region}",
            **given,
        }
        ports = dict(zip(APIS, free_ports(len(APIS)), strict=True))
        ours, theirs = os.pipe()
        stack.callback(os.close, theirs)
        stack.callback(os.close, ours)
        settings = Settings.from_env({f"LAYDOWN_{key}": text for key, text in words.items()})
        site = Site(
            dsn=dsn,
            bucket=name,
            notices=notices,
            jobs=jobs,
            settings=replace(settings, data=folder / "test", database=dsn),
            seaweed=seaweed,
            queues=queues,
            balancer=stack.enter_context(Balancer(list(ports.values()))),
            ports=ports,
            nodes={},
            token="",
        )
        site.nodes = _nodes(site, folder, words, replace(postgres, database=name), lifeline=ours)
        site.token = site.issue("one")
        stack.callback(site.dispose)
        site.start()
        yield site


def credentials(seaweed: Seaweed) -> Mapping[str, str]:
    """Return the environment in which AWS's tools find what our S3 and our SQS accept."""
    return {
        "AWS_ACCESS_KEY_ID": seaweed.access_key,
        "AWS_SECRET_ACCESS_KEY": seaweed.secret_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _nodes(
    site: Site, folder: Path, words: Mapping[str, str], database: PostgresAddress, *, lifeline: int
) -> Mapping[str, Node]:
    arguments = {api: ["api", "--port", str(port)] for api, port in site.ports.items()}
    arguments |= {worker: ["worker"] for worker in WORKERS}
    nodes = {}
    for name, told in arguments.items():
        own = {**words, "DATABASE": database.dsn(name), "DATA": str(folder / name)}
        nodes[name] = Node(
            name=name,
            arguments=told,
            env={
                "PATH": os.defpath,
                "HOME": str(folder),
                **credentials(site.seaweed),
                **{f"LAYDOWN_{key}": text for key, text in own.items()},
            },
            log=folder / f"{name}.log",
            lifeline=lifeline,
        )
    return nodes


@contextmanager
def _database(postgres: PostgresAddress, template: str, name: str) -> Iterator[str]:
    with psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as connection:
        for user in (*APIS, *WORKERS):
            found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [user])
            if found.rowcount == 0:
                connection.execute(f'CREATE ROLE "{user}" LOGIN SUPERUSER')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield replace(postgres, database=name).dsn(SUPERUSER)
    finally:  # on a connection of its own: the server may have been killed in between
        with psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _queue(queues: Queues, name: str) -> str:
    dead = in_thread(queues.queue(f"{name}-dead"))
    return in_thread(queues.queue(name, visibility=2, dead_letters=dead))


def report_logs(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add the logs of whatever ran for a failed test to its report."""
    funcargs: Mapping[str, object] = getattr(item, "funcargs", {})
    ran = {id(found): found for found in funcargs.values() if isinstance(found, Logging)}
    for found in ran.values() if report.failed else ():
        report.sections += [
            (f"end of the log of {name}", text) for name, text in found.last_words()
        ]

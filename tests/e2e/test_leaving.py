"""The old system is left while people work with it: docs/migration.md, step by step, and back."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bench.peers.peer import PeerUnavailable
from laydown.embedded.postgres import PostgresAddress
from tests.e2e.old_clients import KEY, Load, load_on
from tests.e2e.old_express import Express, Weights, running_express, weighted_proxy
from tests.e2e.site import Node, credentials
from tests.e2e.yard import LAST_WORDS
from tests.engines.postgres import SUPERUSER
from tests.engines.process import free_ports
from tests.engines.seaweed import Seaweed

ACME = ("--organization", "acme")
_names = (f"leaving-{number}" for number in count(1))
_PATIENCE = 300  # seconds; a quiet machine takes a sixth of it


@dataclass(frozen=True, kw_only=True)
class Beside:
    """An old system that runs, and what a laydown beside it is told."""

    express: Express
    folder: Path
    env: Mapping[str, str]  # of every laydown process
    port: int  # of its api
    nodes: Sequence[Node]

    @property
    def old(self) -> str:
        """The old API's URL."""
        return f"http://127.0.0.1:{self.express.port}"

    @property
    def new(self) -> str:
        """Ours."""
        return f"http://127.0.0.1:{self.port}"

    async def laydown(self, *arguments: str, given: str = "", status: int = 0) -> Any:
        """Run a command; return the JSON it printed, if it did."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "laydown",
            *arguments,
            env=dict(self.env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, said = await process.communicate(given.encode())
        assert process.returncode == status, (arguments, out, said)
        return json.loads(out) if out[:1] == b"{" else None

    async def start(self) -> None:
        """Start our api and our worker."""
        for node in self.nodes:
            node.start()
        async with asyncio.timeout(60):
            while not all(node.has_begun for node in self.nodes):
                assert all(node.is_running for node in self.nodes)
                await asyncio.sleep(0.05)

    def last_words(self) -> Iterator[tuple[str, str]]:
        """Yield each process's name and the end of its log."""
        yield "express", self.express.log.read_text(errors="replace")[-LAST_WORDS:]
        for node in self.nodes:
            yield node.name, node.said[-LAST_WORDS:]


@contextmanager
def _database(postgres: PostgresAddress, name: str) -> Iterator[str]:
    with psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield replace(postgres, database=name).dsn(SUPERUSER)
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def beside(
    postgres: PostgresAddress, seaweed: Seaweed, tmp_path: Path
) -> AsyncIterator[Beside]:
    """Run the old system, and say how a laydown beside it is started; none is."""
    name = next(_names)
    bucket = seaweed.make_bucket(name)
    ours, theirs = os.pipe()
    async with AsyncExitStack() as stack:
        stack.callback(os.close, theirs)
        stack.callback(os.close, ours)
        database = stack.enter_context(_database(postgres, name))
        old_env = {
            **credentials(seaweed),
            "DATABASE": f"host={postgres.socket_dir} port={postgres.port} user={SUPERUSER} "
            f"dbname={name}",
            "BUCKET": bucket,
            "ENDPOINT": seaweed.endpoint,
            "API_KEYS": f"{KEY}=anna",
        }
        try:
            running = running_express(old_env, tmp_path / "express.log")
            express = await stack.enter_async_context(running)
        except PeerUnavailable as missing:
            pytest.skip(str(missing))
        store = f"s3://{bucket}?endpoint={seaweed.endpoint}&region={seaweed.region}"
        env = {
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            **credentials(seaweed),
            "LAYDOWN_DATABASE": make_conninfo(database, options="-c search_path=laydown"),
            "LAYDOWN_DATABASE_CONNECTIONS": "4",
            "LAYDOWN_STORE": store,
            "LAYDOWN_LEGACY_STORE": store,
            "LAYDOWN_LEGACY_DOOR": "yes",
            "LAYDOWN_SCANNER": "none",
            "LAYDOWN_DATA": str(tmp_path / "data"),
        }
        [port] = free_ports(1)
        nodes = [
            Node(
                name=kind,
                arguments=[kind, *more],
                env=env,
                log=tmp_path / f"{kind}.log",
                lifeline=ours,
            )
            for kind, *more in (["api", "--port", str(port)], ["worker"])
        ]
        yield Beside(express=express, folder=tmp_path, env=env, port=port, nodes=nodes)
        for node in nodes:
            if node.is_running:
                node.kill()


async def test_leaving_under_load(beside):
    """Through every step and back, every old URL works, and nothing that was acknowledged is lost.

    Uploads and downloads go on all the time, through a proxy that gives them to either system.
    """
    weights = Weights()
    async with (
        asyncio.timeout(_PATIENCE),
        weighted_proxy(beside.express.port, beside.port, weights) as url,
        load_on(url, clients=4) as load,
    ):
        await load.more(uploads=20, reads=20)
        await set_up(beside, load)
        first = await bring_in(beside, load)
        second = await take_over(beside, load, weights)
        assert second["known"] >= first["declared"]
        await go_back(beside, load, weights, second)
        await go_for_good(beside, load, weights)
    assert load.faults == []


async def set_up(beside: Beside, load: Load) -> None:
    """Make the schema, say what is what, start ours beside the old system."""
    load.step = "a schema beside the old table"
    await beside.laydown("legacy", "prepare")
    await beside.laydown("organization", "add", "acme")
    await beside.laydown("legacy", "map", "7=TOWER", "8=BRIDGE", *ACME)
    _, scanned, unlike = await asyncio.gather(
        beside.laydown("legacy", "key", "anna", *ACME, given=f"{KEY}\n"),
        beside.laydown("legacy", "scan", "--json"),
        beside.laydown("legacy", "verify", "--json", status=1),
    )
    assert scanned["row_without_object"]["files"] == 0
    assert scanned["matched"]["files"] >= 20
    assert {each["difference"] for each in unlike["differences"]} == {"not_imported"}
    await beside.start()
    await load.more(uploads=3, reads=5)


async def bring_in(beside: Beside, load: Load) -> Any:
    """Import what the old system has while it gets more, and have new rows written back."""
    load.step = "importing"
    imported = await beside.laydown("legacy", "import", "--json")
    assert imported["imported"].keys() <= {"ready", "duplicate: duplicate_exact"}
    await beside.laydown("legacy", "write-back", *ACME)
    await load.more(uploads=3, reads=5)
    return imported


async def take_over(beside: Beside, load: Load, weights: Weights) -> Any:
    """Answer a quarter of the requests, then all; import what is left and compare everything."""
    load.step = "a quarter of the requests are ours"
    weights.writes = weights.reads = 25
    await load.more(uploads=12, reads=40)
    assert weights.given["new"] > 0
    load.step = "all requests are ours"
    weights.writes = weights.reads = 100
    await load.more(uploads=8, reads=20)
    imported = await beside.laydown("legacy", "import", "--json")
    verified = await beside.laydown("legacy", "verify", "--json")
    assert verified["differences"] == []
    assert verified["read"] == verified["compared"] > 20
    return imported


async def go_back(beside: Beside, load: Load, weights: Weights, imported: Any) -> None:
    """Have the old system alone, which has all of ours too, and take the import back."""
    load.step = "back to the old system"
    weights.writes = weights.reads = 0
    await load.more(uploads=3, reads=10)
    await load.all_readable(beside.old)
    forgotten = await beside.laydown("legacy", "forget", "--yes", "--json", *ACME)
    files = sum(each["files"] for each in imported["imported"].values())
    assert forgotten == {"forgotten": files, "kept": 0}
    await load.more(uploads=3, reads=10)


async def go_for_good(beside: Beside, load: Load, weights: Weights) -> None:
    """Take over again, and stop the old system: everything that ever was is here."""
    load.step = "forward for good"
    await beside.laydown("legacy", "import", "--json")
    weights.writes = weights.reads = 100
    await load.more(uploads=3, reads=10)
    await beside.express.stop()
    await load.more(uploads=3, reads=10)
    await load.all_readable(beside.new)

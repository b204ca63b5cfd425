"""`python -m bench.direct`: what files cost the API whose bytes go straight to a store.

It starts an embedded Postgres, a SeaweedFS and one `laydown api`, declares 5,000 small files, asks
for URLs a thousand at a time, sends the bytes to the store, completes them, and prints the CPU
time that the API took for a thousand files, all of that and a little of starting included.
"""

import asyncio
import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from bench import procfs
from bench.processes import ServerProcess, free_port
from laydown.bootstrap.database import issue_token, migrated
from laydown.embedded.postgres import EmbeddedPostgres
from laydown.settings import Settings
from tests.engines.seaweed import Seaweed, running_seaweed

_FILES, _WINDOW, _ROUNDS = 5_000, 1_000, 3
_MOST = 0.5  # CPU seconds of the API for a thousand files, as promised
_SENDERS = 32
_BODY = b"x" * 1_000


async def _deliver(url: str, token: str, number: int) -> None:
    """Take a batch of files the whole way to `sealing`."""
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(limit=_SENDERS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(method: str, path: str, body: Any) -> Any:
            async with session.request(method, url + path, json=body, headers=headers) as answer:
                answer.raise_for_status()
                return await answer.json()

        project = await ask("POST", "/v1/projects", {"code": f"bench-{number}"})
        entries = [
            {
                "key": str(each),
                "path": f"Photos/{each}.txt",
                "size": len(_BODY),
                "sha256": hashlib.sha256(f"{number}/{each}".encode()).hexdigest(),
            }
            for each in range(_FILES)
        ]
        declared = await ask(
            "POST", f"/v1/projects/{project['id']}/batches", {"reference": "r", "entries": entries}
        )
        batch = f"/v1/batches/{declared['batch']['id']}"
        ids = [verdict["upload_id"] for verdict in declared["verdicts"]]
        for start in range(0, _FILES, _WINDOW):
            window = ids[start : start + _WINDOW]
            wanted = [{"id": each, "parts": [{"number": 1}]} for each in window]
            granted = await ask("POST", f"{batch}/grants", {"limit": _WINDOW, "uploads": wanted})
            await _send(session, [part for each in granted["uploads"] for part in each["parts"]])
            completions = {"uploads": [{"id": each} for each in window]}
            await ask("POST", f"{batch}/completions", completions)


async def _send(session: aiohttp.ClientSession, parts: list[Any]) -> None:
    async def put(part: Any) -> None:
        target = URL(part["url"], encoded=True)
        async with session.put(target, data=_BODY, headers=part["headers"]) as answer:
            answer.raise_for_status()

    await asyncio.gather(*map(put, parts))


@contextmanager
def _api(settings: Settings, seaweed: Seaweed, folder: Path) -> Iterator[tuple[str, int]]:
    """Run one API; yield its address and its process."""
    port = free_port()
    env = {
        "AWS_ACCESS_KEY_ID": seaweed.access_key,
        "AWS_SECRET_ACCESS_KEY": seaweed.secret_key,
        "LAYDOWN_DATA": str(folder),
        "LAYDOWN_DATABASE": settings.database or "",
        "LAYDOWN_STORE": f"s3://bench?endpoint={seaweed.endpoint}&region={seaweed.region}",
        "LAYDOWN_SCANNER": "none",
    }
    command = [sys.executable, "-m", "laydown", "api", "--port", str(port)]
    with ServerProcess("api", command, cpu=0, env=env, log=folder / "api.log") as process:
        process.wait_until(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}", process.pid


def _answers(port: int) -> bool:
    async def look() -> bool:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/readyz") as answer,
            ):
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    return asyncio.run(look())


def main() -> int:
    """Measure, print, and return 1 when the promise is broken."""
    with tempfile.TemporaryDirectory(prefix="laydown-bench-") as name, running_seaweed() as seaweed:
        folder = Path(name)
        seaweed.make_bucket("bench")
        postgres = EmbeddedPostgres(folder)
        try:
            address = asyncio.run(postgres.start()).dsn("postgres")
            settings = Settings(data=folder, database=address, scanner="none")
            asyncio.run(migrated(settings))
            token = asyncio.run(issue_token(settings, organization="bench", name="bench"))
            with _api(settings, seaweed, folder) as (url, pid):
                costs = []
                for number in range(_ROUNDS):
                    before, began = _cpu(pid), time.perf_counter()
                    asyncio.run(_deliver(url, token, number))
                    cost = (_cpu(pid) - before) / _FILES * 1_000
                    costs.append(cost)
                    seconds = time.perf_counter() - began
                    print(f"round {number + 1}: {cost:.2f} s, {_FILES / seconds:,.0f} files/s")
        finally:
            asyncio.run(postgres.stop())
    median = statistics.median(costs)
    print(f"API CPU for 1,000 files sent straight to S3: {median:.2f} s (promised: {_MOST} s)")
    return int(median > _MOST)


def _cpu(pid: int) -> float:
    return sum(procfs.cpu_seconds([pid], lambda _: "api").values())


if __name__ == "__main__":
    sys.exit(main())

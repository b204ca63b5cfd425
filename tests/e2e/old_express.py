"""The old system of `tests/legacy` as a process, and a proxy that gives requests to it or to us."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from bench import npm
from tests.engines.process import free_ports

SOURCE = Path(__file__).parents[1] / "legacy"
_WORK = Path(__file__).parents[2] / ".setup" / "npm"
_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_NODE = {"NODE_ENV": "production", "NODE_NO_WARNINGS": "1"}
_GLANCE = 0.05  # seconds


@asynccontextmanager
async def running_express(env: Mapping[str, str], log: Path) -> AsyncIterator["Express"]:
    """Run the old system while the block lasts; raises `PeerUnavailable` without Node."""
    home = npm.install(SOURCE, _WORK)
    [port] = free_ports(1)
    node = shutil.which("node")
    assert node is not None
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            node,
            str(home / "server.js"),
            str(port),
            env={**_NODE, "PATH": os.environ["PATH"], **env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    express = Express(port=port, process=process, log=log)
    try:
        await express.ready()
        yield express
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(frozen=True, kw_only=True)
class Express:
    """The old system."""

    port: int
    process: asyncio.subprocess.Process
    log: Path

    async def ready(self) -> None:
        """Return when it listens."""
        async with asyncio.timeout(30):
            while "listening" not in self.log.read_text(errors="replace"):
                assert self.process.returncode is None, self.log.read_text(errors="replace")
                await asyncio.sleep(_GLANCE)

    async def stop(self) -> None:
        """Have it finish what it does, and end."""
        self.process.terminate()
        async with asyncio.timeout(30):
            assert await self.process.wait() == 0


@dataclass
class Weights:
    """How many of a hundred requests go to the new system, by kind."""

    writes: int = 0
    reads: int = 0
    given: dict[str, int] = field(default_factory=lambda: {"old": 0, "new": 0})
    _owed: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def is_new(self, *, is_write: bool) -> bool:
        """Say where the next request goes; the weights hold over any hundred in a row."""
        self._owed[is_write] += self.writes if is_write else self.reads
        if self._owed[is_write] >= 100:
            self._owed[is_write] -= 100
            return True
        return False


@asynccontextmanager
async def weighted_proxy(old: int, new: int, weights: Weights) -> AsyncIterator[str]:
    """Stand before two systems on ports of this machine while the block lasts; yields a URL.

    Bodies are small enough to be held whole. A system that doesn't answer is told as 502, which a
    client sees: nothing is tried again.
    """
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def passed(request: web.Request) -> web.Response:
            is_new = weights.is_new(is_write=request.method == "POST")
            weights.given["new" if is_new else "old"] += 1
            url = f"http://127.0.0.1:{new if is_new else old}{request.path_qs}"
            body = await request.read()
            try:
                async with session.request(
                    request.method,
                    url,
                    data=body or None,
                    headers=_forwarded(request.headers),
                    allow_redirects=False,
                ) as answer:
                    return web.Response(
                        status=answer.status,
                        body=await answer.read(),
                        headers=_forwarded(answer.headers),
                    )
            except aiohttp.ClientError as error:
                return web.Response(status=502, text=f"{url}: {error!r}")

        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/{path:.*}", passed)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            [(_, port)] = runner.addresses
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name.lower() not in _HOP_BY_HOP}

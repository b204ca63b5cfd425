"""A server for each test, and who talks to it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from laydown.embedded.postgres import PostgresAddress
from laydown.http import console
from laydown.settings import Settings
from tests.api.installation import Installation, installed
from tests.api.old_system import OldSystem, old_system
from tests.api.talk import Talk, talking
from tests.engines.seaweed import Seaweed


def pytest_configure(config: pytest.Config) -> None:
    """Let tests choose settings: `@pytest.mark.knobs(accept_empty=True)`."""
    config.addinivalue_line("markers", "knobs(**settings): settings of the test's server")


@pytest.fixture
def built() -> Path:
    """Return where the console that the server shows is, if it was built."""
    return console.BUILT


@pytest.fixture
async def server(
    settings: Settings, built: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Installation]:
    """Serve on a free port, with a database and a data directory of this test's own."""
    marker = request.node.get_closest_marker("knobs")
    chosen: dict[str, Any] = dict(marker.kwargs) if marker else {}
    async with aclosing(_served(replace(settings, log_level="error", **chosen), built)) as serving:
        yield await anext(serving)


async def _served(settings: Settings, built: Path) -> AsyncGenerator[Installation]:
    """Yield an installation that serves until this is closed."""
    ready: asyncio.Future[Installation] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def run() -> None:
        async with installed(settings, built=built) as installation:
            ready.set_result(installation)
            await over.wait()

    # One task enters and leaves everything: task groups insist on that, and fixtures don't.
    serving = asyncio.create_task(run())
    await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    try:
        yield ready.result()
    finally:
        over.set()
        await serving


@pytest.fixture
async def ours(server: Installation) -> AsyncIterator[Talk]:
    """Talk to the server as an organization."""
    async with talking(server.url, await server.token("ours")) as talk:
        yield talk


@pytest.fixture
async def theirs(server: Installation) -> AsyncIterator[Talk]:
    """Talk to the same server as another organization."""
    async with talking(server.url, await server.token("theirs")) as talk:
        yield talk


@pytest.fixture
def is_shared() -> bool:
    """Say whether our store is in the old system's bucket."""
    return True


@pytest.fixture
def old(
    postgres: PostgresAddress,
    seaweed: Seaweed,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_shared: bool,
) -> Iterator[OldSystem]:
    """Return an old system with nothing in it, and a laydown's schema beside its table."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_key)
    with old_system(postgres, seaweed, settings, same_bucket=is_shared) as made:
        yield made


@pytest.fixture
async def beside(old: OldSystem, built: Path) -> AsyncIterator[Installation]:
    """Serve beside the old system."""
    async with aclosing(_served(old.settings, built)) as serving:
        server = await anext(serving)
        await server.token("ours")
        yield server


@pytest.fixture
async def project(ours: Talk) -> str:
    """Return the id of a project of ours."""
    return await ours.project("tower")

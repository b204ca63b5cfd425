"""A server for each test, and who talks to it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from laydown.http import console
from laydown.settings import Settings
from tests.api.installation import Installation, installed
from tests.api.talk import Talk, talking


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
    quiet = replace(settings, log_level="error", **chosen)
    ready: asyncio.Future[Installation] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def run() -> None:
        async with installed(quiet, built=built) as installation:
            ready.set_result(installation)
            await over.wait()

    # One task enters and leaves everything: task groups insist on that, and fixtures don't.
    serving = asyncio.create_task(run())
    await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    yield ready.result()
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
async def project(ours: Talk) -> str:
    """Return the id of a project of ours."""
    return await ours.project("tower")

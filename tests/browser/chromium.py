"""Debian's Chromium, driven by Playwright; it asks the network for nothing of its own."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

from tests.engines.process import EngineMissingError

IN_BROWSER: Final = [
    pytest.mark.embedded,  # what S3 changes in a browser, tests/api proves without one
    pytest.mark.asyncio(loop_scope="session"),  # the one that the browser was started on
]
"""What the modules of this folder mark their tests with."""

_ARGUMENTS: Final = (
    "--no-sandbox",  # it refuses to run for root with one; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",  # containers have 64 MB of it
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--js-flags=--expose-gc",  # memory is measured without what is only not yet thrown away
    "--enable-precise-memory-info",
)


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """Run a Chromium without windows; end it after.

    Raises `EngineMissingError` when it isn't installed.
    """
    program = shutil.which("chromium")
    if program is None:
        raise EngineMissingError(
            "no chromium here: run 'bash scripts/engines.sh', which installs it on Debian"
        )
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=program, args=_ARGUMENTS) as browser,
    ):
        yield browser

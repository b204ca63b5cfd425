"""Waiting that ends when a worker is told to stop."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

_GRACE = 2.0  # seconds that what is under way gets at the end, before it is broken off


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Let so much time pass, or less when *stop* comes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def until_stopped(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T | None:
    """Return what *work* does, or None if it was broken off because *stop* came and it went on.

    It gets a moment then: what is quick is better done than broken off.
    """
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.wait({working}, timeout=_GRACE)
    finally:
        for task in (stopping, working):
            task.cancel()
        await asyncio.wait({stopping, working})
    return None if working.cancelled() else working.result()

"""Keeps the child processes of `laydown up` running, and leaves none of them behind."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from laydown.embedded import logs
from laydown.embedded.backoff import delay_after
from laydown.embedded.child import Child, ChildSpec, exit_words

__all__ = ["ChildSpec", "Supervisor"]

_POLL: Final = 0.05  # seconds between two questions whether a child is ready
_REAP: Final = 5.0  # seconds a killed process may take to go, which is up to the kernel


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """Starts children in order, restarts what crashes, and stops them in reverse order.

    However the supervisor ends, so do they: on `stop`, on cancellation and on an exception
    they are told, then killed; if it is killed itself, they read it from their lifeline.
    """

    report: Callable[[str], None]  # gets one line for whatever a person should know
    drain: float = 20.0  # seconds between SIGTERM and SIGKILL
    first_delay: float = 1.0  # seconds before the first restart; doubled each time
    longest_delay: float = 15.0  # seconds
    healthy_after: float = 60.0  # seconds of life that make earlier crashes forgotten
    too_soon: float = 10.0  # seconds: a child that ends sooner didn't really start
    attempts: int = 5  # that many too soon in a row, and we give up

    async def run(self, specs: Sequence[ChildSpec], *, stop: asyncio.Event) -> int:
        """Run *specs* until *stop* is set; return 0, or 1 when a child won't start.

        Each child starts once the one before it is ready. Raises what a `ready` of *specs*
        raises, in an `ExceptionGroup`; then, too, every child has ended when this is left.
        """
        with _lifeline() as fd:
            children = [Child(spec, lifeline=fd) for spec in specs]
            try:
                return await self._tend(children, stop)
            finally:
                await self._end(children)

    async def _tend(self, children: Sequence[Child], stop: asyncio.Event) -> int:
        hopeless = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_trim(children))]
            for child in children:
                tasks.append(group.create_task(self._keep(child, hopeless)))
                await _first_of(stop, hopeless, child.was_ready)
                if stop.is_set() or hopeless.is_set():
                    break
            await _first_of(stop, hopeless)
            for task in tasks:
                task.cancel()
        return 1 if hopeless.is_set() else 0

    async def _keep(self, child: Child, hopeless: asyncio.Event) -> None:
        """Have *child* running, again and again, until that is hopeless."""
        name, failures, hasty = child.spec.name, 0, 0
        while True:
            began = time.monotonic()
            became_ready, how = await self._live(child)
            lived = time.monotonic() - began
            hasty = hasty + 1 if lived < self.too_soon or not became_ready else 0
            failures = 1 if lived >= self.healthy_after else failures + 1
            if hasty >= self.attempts:
                self.report(
                    f"{name} failed {hasty} times in a row while starting ({how}); giving up"
                )
                hopeless.set()
                return
            delay = delay_after(failures, first=self.first_delay, longest=self.longest_delay)
            self.report(f"{name} stopped unexpectedly ({how}); starting it again in {delay:g} s")
            await asyncio.sleep(delay)

    async def _live(self, child: Child) -> tuple[bool, str]:
        """See *child* through one life; return whether it became ready, and how it ended."""
        try:
            child.start()
        except OSError as error:
            return False, str(error)
        became_ready = await self._until_ready(child)
        return became_ready, exit_words(await child.ended())

    async def _until_ready(self, child: Child) -> bool:
        """Wait until *child* says it is ready; kill it when that takes too long."""
        spec = child.spec
        try:
            async with asyncio.timeout(spec.ready_within):
                while spec.ready is not None and not await spec.ready():
                    if not child.is_running:
                        return False
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            self.report(f"{spec.name} was not ready within {spec.ready_within:g} s")
            child.kill()
            return False
        if not child.is_running:  # whoever said yes, it wasn't this one
            return False
        child.was_ready.set()
        return True

    async def _end(self, children: Sequence[Child]) -> None:
        """Stop whatever runs; when this returns, nothing does that the kernel would let go of."""
        try:
            for child in reversed(children):
                child.terminate()
            async with asyncio.timeout(self.drain):
                for child in children:
                    await child.ended()
        except TimeoutError:
            late = ", ".join(child.spec.name for child in children if child.is_running)
            self.report(f"{late} did not stop within {self.drain:g} s: killed")
        finally:
            for child in children:
                child.kill()
        try:
            async with asyncio.timeout(_REAP):
                for child in children:
                    await child.ended()
        except TimeoutError:
            stuck = ", ".join(child.spec.name for child in children if child.is_running)
            self.report(f"{stuck} can't be ended: look for a disk that hangs")


@contextmanager
def _lifeline() -> Iterator[int]:
    """Yield the read end of a pipe whose write end is open for as long as we live."""
    read_end, write_end = os.pipe()  # neither is inherited unless we say so
    try:
        yield read_end
    finally:
        os.close(read_end)
        os.close(write_end)


async def _first_of(*events: asyncio.Event) -> None:
    """Wait until any of *events* is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _trim(children: Sequence[Child]) -> None:
    """Keep the logs of *children* short."""
    while True:
        await asyncio.sleep(logs.TRIM_EVERY)
        for child in children:
            if child.spec.log is not None:
                await asyncio.to_thread(logs.trim_log, child.spec.log)

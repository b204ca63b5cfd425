"""A worker holds what it does, finishes what it began, and goes round."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest

from laydown.telemetry.logs import Log
from laydown.telemetry.metrics import Metrics
from laydown.worker.sweeper import Sweeper
from tests.api.talk import PATIENCE, entry


@asynccontextmanager
async def locked(server, upload):
    """Hold an upload's row, so that a worker that has begun its job can't end it."""
    async with await psycopg.AsyncConnection.connect(server.settings.database) as holder:
        await holder.execute("SELECT id FROM uploads WHERE id = %s FOR UPDATE", [upload])
        yield


async def until(server, query, *given):
    """Wait until a query of one value gives a true one; return it."""
    async with asyncio.timeout(PATIENCE):
        found: list[tuple] = []
        while not found or not found[0][0]:
            await asyncio.sleep(0.01)
            found = await server.ask(query, *given)
    return found[0][0]


@pytest.mark.knobs(job_lease=timedelta(seconds=0.3))
async def test_a_long_job_keeps_its_lease(server, ours, project):
    """While it lasts, a job longer than its lease is given to no other worker."""
    _, uploads = await ours.lay(project, {"a.txt": b"a"})
    upload = uploads["a.txt"]
    async with server.working(), server.working():
        async with locked(server, upload):
            began = await until(
                server, "SELECT leased_until FROM jobs WHERE upload_id = %s", upload
            )
            long_after = began + timedelta(seconds=0.9)
            await until(server, "SELECT max(leased_until) > %s FROM jobs", long_after)
            assert await server.ask("SELECT attempt FROM jobs") == [(1,)]
        await until(server, "SELECT state = 'ready' FROM uploads WHERE id = %s", upload)


async def test_a_worker_that_is_stopped_finishes_what_it_began(server, ours, project):
    """Its loop ends only when the job in hand is done; nothing is left leased."""
    _, uploads = await ours.lay(project, {"a.txt": b"a"})
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE), locked(server, uploads["a.txt"]):
        running = asyncio.create_task(server.work(stop))
        await until(server, "SELECT leased_until IS NOT NULL FROM jobs")
        stop.set()
        await asyncio.wait([running], timeout=0.1)
        assert not running.done()
    async with asyncio.timeout(PATIENCE):
        await running
    assert await server.ask("SELECT state::text FROM uploads") == [("ready",)]
    assert await server.ask("SELECT id FROM jobs") == []


async def test_the_sweeper_goes_round_until_it_is_stopped(server, ours, project):
    """It tidies and reconciles again and again, counts what it did, and ends when told to."""
    await ours.declare(project, entry("a.txt", b"a"))
    metrics, stop = Metrics(), asyncio.Event()
    often = timedelta(seconds=0.01)
    sweeper = Sweeper(
        sweeping=server.sweeping(),
        numbers=metrics,
        words=Log(level="error", process="worker"),
        tidy_every=often,
        reconcile_every=often,
    )
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(sweeper.run(stop))
        await until(server, "SELECT state = 'expired' FROM uploads")
        await until(server, "SELECT closed_at IS NOT NULL FROM batches")
        stop.set()
    counted = metrics.rendered()[0].decode()
    assert 'laydown_swept_total{what="expired"} 1.0' in counted
    assert 'laydown_swept_total{what="closed"} 1.0' in counted

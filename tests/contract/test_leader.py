"""What an election promises: one leader an office, and soon another when that one is gone."""

import asyncio
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from laydown.ports import Office
from laydown.postgres.leading import PostgresElection
from tests.ledger_support import ask

OFTEN = timedelta(seconds=0.05)
TAKEN_OVER = 15.0  # seconds after a leader was killed
PATIENCE = 10.0  # seconds; what is awaited takes milliseconds on a quiet machine

HOLDER = """
import asyncio, sys
from laydown.ports import Office
from laydown.postgres.leading import PostgresElection

async def work(end):
    print("elected", flush=True)
    await end.wait()

asyncio.run(PostgresElection(sys.argv[1]).serve(Office.RELAY, work, stop=asyncio.Event()))
"""


class Candidate:
    """Somebody who stands for an office, and shows whether they hold it."""

    def __init__(self) -> None:
        self.elected = asyncio.Event()
        self.ended = asyncio.Event()
        self.stop = asyncio.Event()

    async def work(self, end: asyncio.Event) -> None:
        self.ended.clear()
        self.elected.set()
        await end.wait()
        self.elected.clear()
        self.ended.set()


@asynccontextmanager
async def standing(owner, office=Office.RELAY, *, candidate=None):
    """Let somebody stand while the block lasts."""
    candidate = candidate or Candidate()
    election = PostgresElection(owner, look_every=OFTEN)
    async with asyncio.timeout(PATIENCE * 3), asyncio.TaskGroup() as tasks:
        tasks.create_task(election.serve(office, candidate.work, stop=candidate.stop))
        try:
            yield candidate
        finally:
            candidate.stop.set()


async def soon(event: asyncio.Event, seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        await event.wait()


async def not_yet(event: asyncio.Event) -> None:
    """Look on while whoever stands asks several times."""
    with pytest.raises(TimeoutError):
        await soon(event, 6 * OFTEN.total_seconds())


async def locks_taken(owner) -> int:
    [(count,)] = await ask(
        owner,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    return count


async def test_an_office_has_one_holder_at_a_time(database):
    """Of two who stand one is elected; when it resigns the other is."""
    async with standing(database) as first:
        await soon(first.elected)
        async with standing(database) as second:
            await not_yet(second.elected)
            first.stop.set()
            await soon(second.elected)
            assert first.ended.is_set()


async def test_offices_are_held_independently(database):
    """Whoever has one leaves the other to others."""
    async with standing(database, Office.RELAY) as one, standing(database, Office.SWEEPER) as other:
        await soon(one.elected)
        await soon(other.elected)
        assert await locks_taken(database) == 2


async def test_a_killed_holder_is_followed_within_seconds(database):
    """`kill -9` gives no chance to resign; another is elected all the same."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, database, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        async with asyncio.timeout(PATIENCE):
            assert await process.stdout.readline() == b"elected\n"
        async with standing(database) as successor:
            await not_yet(successor.elected)
            process.kill()
            await soon(successor.elected, TAKEN_OVER)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_who_loses_the_connection_loses_the_office(database):
    """The work is told to end, and whoever did it stands again."""
    async with standing(database) as candidate:
        await soon(candidate.elected)
        await ask(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'laydown_office' AND datname = current_database()",
        )
        await soon(candidate.ended)
        await soon(candidate.elected)


async def test_work_that_fails_is_known_and_frees_the_office(database):
    """What the work raises comes out of the election; nobody is kept from standing."""

    class Broken(Candidate):
        async def work(self, end: asyncio.Event) -> None:
            end.set()
            raise RuntimeError("broken")

    with pytest.raises(ExceptionGroup) as caught:
        async with standing(database, candidate=Broken()) as broken:
            await soon(broken.elected)
    assert caught.group_contains(RuntimeError, match="broken")
    async with standing(database) as other:
        await soon(other.elected)


async def test_standing_survives_a_database_that_is_away():
    """Where nobody answers, it is asked again until told to stop."""
    nobody = "postgresql://nobody@127.0.0.1:1/nothing"
    async with standing(nobody) as candidate:
        await not_yet(candidate.elected)

"""Two who come to the same file at once: whoever is first, it is not lost, stuck or given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from laydown.domain.upload import OrganizationId, UploadId
from laydown.ports import Tx
from laydown.services.arriving import seal, whole
from tests.api.installation import PATIENCE, Installation
from tests.api.talk import PART, Talk, entry

MIB = 1 << 20
LARGE = bytes(range(256)) * (9 << 12)  # 9 MiB: two parts
LATER = timedelta(hours=1)


@asynccontextmanager
async def beginning(server: Installation) -> AsyncIterator[Tx]:
    """Begin a transaction of the one organization that is there."""
    [(organization,)] = await server.ask("SELECT id FROM organizations")
    async with server.database.ledger.begin(OrganizationId(organization)) as tx:
        yield tx


async def until_waiting(server: Installation, number: int = 1) -> None:
    """Return once so many transactions wait for others."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(PATIENCE):
        while (await server.ask(waiting))[0][0] < number:  # noqa: ASYNC110 - another's state
            await asyncio.sleep(0.005)


async def send_parts(talk: Talk, batch: str, upload: str) -> None:
    """Send both parts of the large file, and don't say so."""
    [granted] = await talk.grants(batch, upload)
    for part, data in zip(granted["parts"], (LARGE[:PART], LARGE[PART:]), strict=True):
        assert (await talk.put(part, data)).status == 200


@pytest.mark.knobs(single_up_to=MIB)
async def test_cancelling_a_batch_spares_what_is_sealed_meanwhile(server, ours, project):
    """A file that is found to be whole while its batch is cancelled keeps its bytes."""
    declared = await ours.declare(project, entry("a.bin", LARGE))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await send_parts(ours, batch, upload)
    async with beginning(server) as tx:  # as the sweeper does, or a notice of the store
        [found] = await tx.uploads([UploadId(UUID(upload))], lock=True)
        cancelling = asyncio.create_task(ours.ask("POST", f"/v1/batches/{batch}/cancel"))
        await until_waiting(server)
        await seal(tx, [whole(found)])
    assert (await cancelling).status == 200
    await server.run_until_quiet()

    assert await ours.state(batch, "a.bin") == ("ready", None)
    version = (await ours.uploads(batch))["a.bin"]["version_id"]
    content = await ours.content(version)
    assert (content.status, content.body) == (200, LARGE)


async def test_a_twin_declared_while_its_leader_is_published(server, ours, project):
    """It is linked, and doesn't wait for ever for a file that has settled."""
    declared = await ours.declare(project, entry("a.txt", b"plan"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await ours.send(batch, upload, b"plan")
    database = await psycopg.AsyncConnection.connect(server.settings.database)
    async with asyncio.TaskGroup() as tasks, database as holding:
        await holding.execute("SELECT FROM event_heads FOR UPDATE")  # nobody can commit now
        tasks.create_task(ours.declare(project, entry("b.txt", b"plan")))
        await until_waiting(server, 1)
        tasks.create_task(server.run_until_quiet())
        await until_waiting(server, 2)
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("ready", None)
    assert await ours.state(batch, "b.txt") == ("duplicate", "duplicate_in_batch")


@pytest.mark.knobs(single_up_to=MIB)
async def test_a_leader_that_can_not_be_joined_leaves_no_twin_behind(server, ours, project):
    """When parts are lost before they are joined, a twin is sent in its leader's stead."""
    declared = await ours.declare(project, entry("a.bin", LARGE), entry("b.bin", LARGE))
    batch, [leader, twin] = declared["batch"]["id"], declared["verdicts"]
    await ours.send(batch, leader["upload_id"], LARGE)
    await server.store.discard(await server.key(leader["upload_id"]))
    await server.run_until_quiet()
    assert await ours.state(batch, "a.bin") == ("rejected", "size_mismatch")
    await ours.send(batch, twin["upload_id"], LARGE)
    await server.run_until_quiet()
    assert await ours.state(batch, "b.bin") == ("ready", None)

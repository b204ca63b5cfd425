"""Two who come to the same file at once: whoever is first, it is not lost, stuck or given up."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from laydown.domain.upload import OrganizationId, UploadId, parse_key
from laydown.ports import Fingerprinter, Look, Scanner, Tx
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


@dataclass(frozen=True, kw_only=True)
class LateReader:
    """Reads at once, and tells of it when it may."""

    store: Fingerprinter
    has_read: asyncio.Event = field(default_factory=asyncio.Event)
    may_tell: asyncio.Event = field(default_factory=asyncio.Event)

    async def fingerprints(
        self, keys: Sequence[str], *, scanner: Scanner | None = None
    ) -> Mapping[str, Look]:
        """Return what the store has by now."""
        found = await self.store.fingerprints(keys, scanner=scanner)
        self.has_read.set()
        await self.may_tell.wait()
        return found


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


@pytest.mark.knobs(single_up_to=MIB)
async def test_a_twin_of_a_file_that_lacks_only_its_completion(server, ours, project):
    """The sweeper finishes for a client that vanished, and the twin is linked with its leader."""
    declared = await ours.declare(project, entry("a.bin", LARGE), entry("b.bin", LARGE))
    batch, leader = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await send_parts(ours, batch, leader)
    await server.ask("UPDATE uploads SET moved_at = now() - interval '2 days'")
    await server.ask("UPDATE batches SET touched_at = now() - interval '2 days'")
    await server.sweeping(silence=LATER).tidy()
    await server.run_until_quiet()
    assert await ours.state(batch, "a.bin") == ("ready", None)
    assert await ours.state(batch, "b.bin") == ("duplicate", "duplicate_in_batch")


async def test_a_twin_that_is_to_be_sent_gets_time_to_be_sent(server, ours, project):
    """Promoted after a long wait for its leader, it doesn't expire for that wait."""
    declared = await ours.declare(project, entry("a.txt", b"plan"), entry("b.txt", b"plan"))
    batch, [leader, twin] = declared["batch"]["id"], declared["verdicts"]
    await server.ask("UPDATE uploads SET moved_at = now() - interval '2 days'")
    await server.ask("UPDATE batches SET touched_at = now() - interval '2 days'")
    await ours.ask("DELETE", f"/v1/uploads/{leader['upload_id']}", expect=200)
    assert (await server.sweeping(silence=LATER).tidy()).expired == 0
    await ours.send(batch, twin["upload_id"], b"plan")
    await server.run_until_quiet()
    assert await ours.state(batch, "b.txt") == ("ready", None)


async def test_a_client_that_comes_back_while_the_sweeper_looks(server, ours, project):
    """A file of a client that has just been heard of isn't given up for its silence before."""
    declared = await ours.declare(project, entry("a.txt", b"plan"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await server.ask("UPDATE uploads SET moved_at = now() - interval '2 days'")
    await server.ask("UPDATE batches SET touched_at = now() - interval '2 days'")
    async with beginning(server) as tx:
        await tx.touch_batch(batch)  # as every grant does
        report = await server.sweeping(silence=LATER).tidy()
    assert (report.expired, report.closed) == (0, 0)
    await ours.send(batch, upload, b"plan")
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("ready", None)


async def test_a_batch_that_is_used_while_the_sweeper_looks_stays_open(server, ours, project):
    """A batch isn't closed for its silence before when somebody has come back to it."""
    declared = await ours.declare(project)
    batch = declared["batch"]["id"]
    await server.ask("UPDATE batches SET touched_at = now() - interval '2 days'")
    async with beginning(server) as tx:
        await tx.touch_batch(batch)
        sweeping = asyncio.create_task(server.sweeping(silence=LATER).tidy())
        await until_waiting(server)
    assert (await sweeping).closed == 0
    assert (await ours.batch(batch))["state"] == "open"


@pytest.mark.knobs(accept_empty=True)
async def test_an_empty_file_that_was_never_sent_expires(server, ours, project):
    """That it has no bytes doesn't mean that all of them are here."""
    declared = await ours.declare(project, entry("a.txt", b""))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await ours.grants(batch, upload)
    await server.sweeping().tidy()
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("expired", "expired")
    await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    await ours.send(batch, upload, b"")
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("ready", None)


async def test_a_late_proof_says_nothing_of_the_next_attempt(server, ours, project):
    """A worker that read the bytes before they were sent again doesn't judge those it never saw."""
    declared = await ours.declare(project, entry("a.txt", b"plan"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await ours.send(batch, upload, b"PLAN")
    organization = parse_key(await server.key(upload)).organization
    reader = LateReader(store=server.store)
    late = replace(server.shop.use_cases.proving, reader=reader)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(late.prove(organization, [UploadId(UUID(upload))]))
        await reader.has_read.wait()
        await server.run_until_quiet()  # its lease ran out, and another took the job up
        assert await ours.state(batch, "a.txt") == ("rejected", "checksum_mismatch")
        await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
        await ours.send(batch, upload, b"plan")
        reader.may_tell.set()
    assert await ours.state(batch, "a.txt") == (server.arrived, None)
    await server.run_until_quiet()
    assert await ours.state(batch, "a.txt") == ("ready", None)

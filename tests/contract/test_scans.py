"""What scanners say, as the ledger keeps it: by object, for one organization, the last word."""

import json
from dataclasses import replace
from uuid import uuid4

import psycopg

from laydown.domain.happening import Kind
from laydown.domain.kinds import KINDS
from laydown.domain.proof import Proof
from laydown.domain.reasons import Reason
from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import object_key
from laydown.ports import Page
from laydown.postgres import sql
from tests.ledger_support import Tenant, blob, digest

CLEAN = Scan(scanner="clamav", verdict=Verdict.CLEAN)
INFECTED = Scan(scanner="clamav", verdict=Verdict.INFECTED, threat="Test.Virus")


async def test_the_last_word_about_an_object_counts(tenant: Tenant, stranger: Tenant) -> None:
    """What is kept comes back, another word replaces it, and nobody else reads it."""
    told = Scan(scanner="guardduty", verdict=Verdict.UNSCANNABLE, threat="TOO_BIG", version="v1")
    async with tenant.begin() as tx:
        await tx.keep_scans({"u/1": CLEAN, "u/2": told})
    async with tenant.begin() as tx:
        await tx.keep_scans({"u/1": INFECTED})
        assert await tx.scans(["u/1", "u/2", "u/3"]) == {"u/1": INFECTED, "u/2": told}
        assert await tx.scans([]) == {}
    async with stranger.begin() as tx:
        assert await tx.scans(["u/1"]) == {}


async def test_a_proof_waits_until_it_is_dropped(tenant: Tenant, stranger: Tenant) -> None:
    """What is proven comes back as it was, for its organization, until it is dropped."""
    proof = Proof(
        sha256=digest("a"), size=1 << 40, kind=KINDS["pdf"], is_pointer=False, store_version="v1"
    )
    pointer = Proof(sha256=digest("b"), size=130, kind=KINDS["text"], is_pointer=True)
    async with tenant.begin() as tx:
        await tx.keep_proofs({"u/1": pointer, "u/2": pointer})
        await tx.keep_proofs({"u/1": proof})
        assert await tx.proofs(["u/1", "u/2", "u/3"]) == {"u/1": proof, "u/2": pointer}
    async with stranger.begin() as tx:
        await tx.drop_proofs(["u/1", "u/2"])
    async with tenant.begin() as tx:
        await tx.drop_proofs(["u/1"])
        assert await tx.proofs(["u/1", "u/2"]) == {"u/2": pointer}


async def test_a_proof_of_an_unknown_kind_is_no_proof(tenant: Tenant) -> None:
    """A kind that only another release knows is left out, so that the bytes are read again."""
    proof = Proof(sha256=digest("a"), size=1, kind=KINDS["pdf"], is_pointer=False)
    async with tenant.begin() as tx:
        await tx.keep_proofs({"u/1": replace(proof, kind=replace(proof.kind, name="hologram"))})
        assert await tx.proofs(["u/1"]) == {}


async def test_contents_are_found_by_path(tenant: Tenant) -> None:
    """Every version's object is listed under its document, page by page, below a folder or all."""
    first = await tenant.checking("plans/a.txt")
    await tenant.publish(first, digest("a"))
    second = await tenant.checking("plans/b.txt")
    await tenant.publish(second, digest("b"))
    third = await tenant.checking("plans2/c.txt")
    await tenant.publish(third, digest("a"))  # the first one's object
    async with tenant.begin() as tx:
        found = await tx.contents(tenant.project, Page(limit=2), under=None)
        assert found == {"plans/a.txt": [first.key], "plans/b.txt": [second.key]}
        rest = await tx.contents(tenant.project, Page(after=[*found][-1], limit=2), under=None)
        assert rest == {"plans2/c.txt": [first.key]}
        assert await tx.contents(tenant.project, Page(), under="plans") == found
        one = await tx.contents(tenant.project, Page(), under="plans/b.txt")
        assert one == {"plans/b.txt": [second.key]}
        assert await tx.mark_infected(second.key, INFECTED)
        gone = await tx.contents(tenant.project, Page(), under="plans/b.txt")
        assert gone == {"plans/b.txt": []}


async def test_infected_content_that_no_version_has_is_withdrawn_too(tenant: Tenant) -> None:
    """Bytes that were kept and lost a race for their path are marked, and logged for nobody."""
    upload = await tenant.checking("a.txt")
    async with tenant.begin() as tx:
        await tx.keep_blobs([blob(tenant.organization, upload, digest("a"))])
    before = await tenant.ask("SELECT number FROM events")
    async with tenant.begin() as tx:
        assert await tx.mark_infected(upload.key, INFECTED)
        assert not await tx.mark_infected(upload.key, INFECTED)
    assert await tenant.ask("SELECT number FROM events") == before


async def test_infected_content_is_told_of_once_for_each_upload(tenant: Tenant) -> None:
    """All uploads that brought it log it; a second word logs nothing; their states stay."""
    leader = await tenant.checking("a.txt")
    await tenant.publish(leader, digest("a"))
    other = await tenant.checking("b.txt")
    await tenant.publish(other, digest("a"))
    async with tenant.begin() as tx:
        assert await tx.mark_infected(leader.key, INFECTED)
    async with tenant.begin() as tx:
        assert not await tx.mark_infected(leader.key, INFECTED)
    async with tenant.begin() as tx:
        for upload in (leader, other):
            *_, last = await tx.happened(upload.id)
            assert last.happening.kind is Kind.INFECTED
            assert last.happening.reason is Reason.INFECTED
            assert last.happening.detail == "Test.Virus"
            assert last.happening.batch == upload.batch
        blob = await tx.blob_at(leader.key)
        assert blob.is_infected
        assert blob.scanned_by == "clamav"
        assert [each.state for each in await tx.uploads([leader.id, other.id])] == ["ready"] * 2


async def test_infected_content_may_come_again(tenant: Tenant) -> None:
    """It leaves deduplication: the same digest is a new blob, which is judged for itself."""
    before = await tenant.checking("a.txt")
    await tenant.publish(before, digest("a"))
    async with tenant.begin() as tx:
        await tx.mark_infected(before.key, INFECTED)
    again = await tenant.checking("b.txt")
    await tenant.publish(again, digest("a"))
    async with tenant.begin() as tx:
        assert not (await tx.blob_at(again.key)).is_infected


async def test_a_scan_of_other_bytes_marks_nothing(tenant: Tenant) -> None:
    """A word about another version than the one that is published is about other bytes."""
    upload = await tenant.checking()
    await tenant.publish(upload, digest("a"))
    await tenant.ask("UPDATE blobs SET store_version = 'v2'")
    async with tenant.begin() as tx:
        assert not await tx.mark_infected(upload.key, replace(INFECTED, version="v1"))
        assert await tx.mark_infected(upload.key, replace(INFECTED, version="v2"))


async def test_what_is_not_published_is_not_marked(tenant: Tenant, stranger: Tenant) -> None:
    """An object without a blob, or of somebody else, is neither found nor marked."""
    upload = await tenant.checking()
    await tenant.publish(upload, digest("a"))
    unknown = object_key(tenant.organization, upload.id, 2)
    async with tenant.begin() as tx:
        assert await tx.blob_at(unknown) is None
        assert not await tx.mark_infected(unknown, INFECTED)
    async with stranger.begin() as tx:
        assert await tx.blob_at(upload.key) is None
        assert not await tx.mark_infected(upload.key, INFECTED)
        await tx.mark_scanned(upload.key, INFECTED)
    async with tenant.begin() as tx:
        await tx.mark_scanned(upload.key, CLEAN)
        assert (await tx.blob_at(upload.key)).scanned_by == "clamav"


async def test_who_brought_content_is_found_without_reading_every_version(tenant: Tenant) -> None:
    """What marks infected content looks versions up by their content, and uploads by their id."""
    given = {"organization": uuid4(), "key": "u/1", "scanner": "clamav", "version": None}
    query = sql.load("scans.sql")["mark_infected"]
    async with await psycopg.AsyncConnection.connect(tenant.owner) as connection:
        # These tables are empty: only so does the planner say what it would do with full ones.
        await connection.execute("SET LOCAL enable_seqscan = off")
        async with psycopg.AsyncClientCursor(connection) as cursor:
            await cursor.execute(b"EXPLAIN (FORMAT JSON) " + query.encode(), given)
            [(plan,)] = await cursor.fetchall()

    told = json.dumps(plan)
    assert '"Index Name": "versions_of_blob"' in told
    assert "Seq Scan" not in told

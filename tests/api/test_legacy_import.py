"""Documents of an old system become ours; what they are made of stays where it is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import psycopg
import pytest

from laydown.services.legacy_verify import Difference
from tests.api.installation import installed
from tests.api.old_system import LONG_AGO, PDF, OldSystem, sha256
from tests.api.talk import Talk, talking
from tests.ledger_support import ask

either_bucket = pytest.mark.parametrize("is_shared", [True, False], ids=["same", "another"])


@pytest.fixture
async def ours(beside) -> AsyncIterator[Talk]:
    async with talking(beside.url, await beside.token("ours")) as talk:
        yield talk


@either_bucket
async def test_a_document_is_imported_where_it_is(old, beside, ours):
    """It has its path, its time and its digest; its bytes come from the old key, none is copied."""
    id_ = await old.keep(PDF, name="A-101.pdf")
    before = await old.keys()
    await old.map(tower=7)
    progress = await old.bring_in(beside)
    assert (progress.declared, progress.known) == (1, 0)
    [project] = (await ours.get("/v1/projects"))["items"]
    document = await ours.document(project["id"], f"Legacy/{id_}/A-101.pdf")
    version = document["current"]
    assert version["sha256"] == sha256(PDF)
    assert version["created_at"] == LONG_AGO.isoformat().replace("+00:00", "Z")
    answer = await ours.ask("GET", f"/v1/versions/{version['id']}/content", expect=302)
    assert f"/{old.bucket}/uploads/" in answer.headers["Location"]
    assert await old.keys() == before


@pytest.mark.usefixtures("beside")
async def test_rows_and_objects_that_have_no_counterpart_are_told_apart(old):
    """A scan says of each row and object whether it is matched, another size, or alone."""
    await old.map(tower=7)
    await old.keep(PDF)
    shared = await old.keep(PDF, name="twice.pdf")
    [(key,)] = [row[4:5] for row in await old.rows() if row[0] == shared]
    await old.row(key, size=len(PDF), name="again.pdf")
    await old.row("uploads/0-gone.pdf", size=5)
    await old.put("uploads/0-short.pdf", b"123")
    await old.row("uploads/0-short.pdf", size=4)
    await old.put("uploads/zz-nobody's.pdf", b"1234567")
    async with old.tools() as tools:
        found = [(found.value, row and row.key) async for found, (row, _) in tools.scanning.pairs()]
    assert sorted(found, key=str) == sorted(
        [
            ("row_without_object", "uploads/0-gone.pdf"),
            ("resized", "uploads/0-short.pdf"),
            ("object_without_row", None),
            *[("matched", row[4]) for row in await old.rows() if "/0-" not in row[4]],
        ],
        key=str,
    )


async def test_importing_again_brings_only_what_is_new(old, beside, ours):
    """A second import declares nothing that is here, reads nothing again, and takes what came."""
    await old.map(tower=7)
    first = [await old.keep(PDF + bytes([n]), name=f"{n}.pdf") for n in range(3)]
    assert (await old.bring_in(beside)).declared == 3
    assert (await old.bring_in(beside)).declared == 0
    later = await old.keep(b"later", name="later.txt")
    progress = await old.bring_in(beside)
    assert (progress.declared, progress.known) == (1, 3)
    [project] = (await ours.get("/v1/projects"))["items"]
    folders = {each["path"].split("/")[1] for each in await ours.documents(project["id"])}
    assert folders == {str(id_) for id_ in (*first, later)}


async def test_an_import_that_was_broken_off_goes_on(old, beside):
    """What was declared before an import ended early isn't declared again; the rest is."""
    await old.map(tower=7, bridge=8)
    for n in range(4):
        await old.keep(bytes([n]) * 9, name=f"{n}.txt", project=7 + n % 2)
    async with old.tools() as tools:
        mapped = await tools.matchmaking.table.mapped()
        pairs = [pair async for _, pair in tools.scanning.pairs()]
        sevens = [pair for pair in pairs if pair[0].project == 7]
        await tools.importing.adopt(mapped[7], sevens)
    assert (await old.bring_in(beside)).declared == 2
    await assert_same(old)


async def fetched(url: str) -> bytes:
    """Return what a signed URL gives."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.read()


async def assert_same(old: OldSystem) -> None:
    """Fail unless everything the old system gives is what we give."""
    async with old.tools() as tools:
        compared = [each async for each in tools.verifying.compared(share=1.0)]
    assert [each for each in compared if each.difference is not None] == []
    assert all(each.has_been_read or each.is_absent for each in compared)


async def differences(old: OldSystem) -> dict[int, Difference]:
    async with old.tools() as tools:
        return {
            each.id: each.difference
            async for each in tools.verifying.compared(share=1.0)
            if each.difference is not None
        }


async def test_what_differs_is_told(old, beside):
    """Not imported, unmapped, changed since and gone are differences; gone from both is none."""
    await old.map(tower=7)
    changed = await old.keep(b"what it was", name="changed.txt")
    gone = await old.keep(b"soon gone", name="gone.txt")
    longer = await old.keep(b"short", name="longer.txt")
    await old.row("uploads/0-never.pdf", size=5)
    await old.bring_in(beside)
    late = await old.keep(b"late", name="late.txt")
    foreign = await old.keep(b"of project 9", project=9)
    by_id = {row[0]: row[4] for row in await old.rows()}
    await old.put(by_id[changed], b"what it IS!")
    await old.put(by_id[longer], b"longer now")
    await asyncio.to_thread(old.s3.delete_object, Bucket=old.bucket, Key=by_id[gone])
    assert await differences(old) == {
        changed: Difference.HASH,
        gone: Difference.LOST,
        longer: Difference.SIZE,
        late: Difference.NOT_HERE,
        foreign: Difference.UNMAPPED,
    }


async def test_old_documents_are_taken_for_what_they_are(old, beside):
    """Junk, programs, empty files and odd names, which we'd refuse today, are imported."""
    await old.map(tower=7)
    await old.keep(b"", name="empty.pdf")
    await old.keep(b"MZ" + b"\0" * 90, name="setup.exe")
    await old.keep(b"not a pdf", name="lies.pdf")
    await old.keep(b"junk", name="Thumbs.db")
    await old.put("uploads/odd", b"odd")
    await old.row("uploads/odd", size=3, name="a\\b:\u202ec?.txt")
    await old.put("uploads/dots", b"dots")
    await old.row("uploads/dots", size=4, name="../../etc/passwd")
    await old.bring_in(beside)
    await assert_same(old)


async def test_a_row_that_lies_about_its_size_is_imported(old, beside):
    """The object's size counts, as it did for whoever fetched it from the old system."""
    await old.map(tower=7)
    await old.put("uploads/1-x", b"12345")
    await old.row("uploads/1-x", size=7, name="x.txt")
    await old.bring_in(beside)
    await assert_same(old)


@either_bucket
async def test_forgetting_takes_back_exactly_what_was_imported(old, beside, ours):
    """What was delivered before and since stays, also where it shares bytes with what goes."""
    await old.map(tower=7)
    [project] = (await ours.get("/v1/projects"))["items"]
    await old.keep(PDF, name="shared.pdf")
    await old.keep(b"only there", name="only.txt")
    revised = await old.keep(b"first", name="revised.txt")
    await old.bring_in(beside)
    keys = await old.keys()
    path = f"Legacy/{revised}/revised.txt"
    await ours.lay(project["id"], {"shared.pdf": PDF, path: b"second"})
    await beside.run_until_quiet()
    async with old.tools() as tools:
        caller = await tools.matchmaking.owner("ours")
        forgetting = caller.organization, caller.principal, caller.name
        assert await tools.forgetting.forget(*forgetting) == (2, 1)
        assert await tools.forgetting.forget(*forgetting) == (0, 1)
    left = {each["path"]: each for each in await ours.documents(project["id"])}
    assert left.keys() == {"shared.pdf", path}
    answer = await ours.ask(
        "GET", f"/v1/versions/{left['shared.pdf']['current']['id']}/content", expect=302
    )
    assert await fetched(answer.headers["Location"]) == PDF
    assert set(keys) <= set(await old.keys())
    assert (await old.bring_in(beside)).declared == 2  # and it can be imported again
    await assert_same(old)


@pytest.mark.parametrize("claims", [True, False], ids=["told", "sent"])
async def test_what_was_delivered_again_is_not_forgotten(old, beside, ours, claims):
    """Whoever was told that it is here already, at that very path, finds it there afterwards."""
    await old.map(tower=7)
    [project] = (await ours.get("/v1/projects"))["items"]
    id_ = await old.keep(PDF, name="A.pdf")
    await old.keep(b"never again", name="B.txt")
    await old.bring_in(beside)
    path = f"Legacy/{id_}/A.pdf"
    batch, _ = await ours.lay(project["id"], {path: PDF}, claims=claims)
    await beside.run_until_quiet()
    assert await ours.state(batch, path) == ("skipped", "unchanged")
    async with old.tools() as tools:
        caller = await tools.matchmaking.owner("ours")
        forgetting = caller.organization, caller.principal, caller.name
        assert await tools.forgetting.forget(*forgetting) == (1, 1)
    assert [each["path"] for each in await ours.documents(project["id"])] == [path]


async def test_what_is_forgotten_is_used_no_more(old, beside, ours):
    """Imported files count as used, whatever the quota says; forgotten ones don't."""
    await old.map(tower=7)
    [project] = (await ours.get("/v1/projects"))["items"]
    await ours.ask("PUT", f"/v1/projects/{project['id']}/quotas", {"files": 1}, expect=200)
    for n in range(3):
        await old.keep(bytes([n]) * 5, name=f"{n}.txt")
    await old.bring_in(beside)
    await assert_same(old)
    usage = f"/v1/projects/{project['id']}/usage"
    assert (await ours.get(usage))["files"] == 3
    async with old.tools() as tools:
        caller = await tools.matchmaking.owner("ours")
        await tools.forgetting.forget(caller.organization, caller.principal, caller.name)
    assert (await ours.get(usage))["files"] == 0


@either_bucket
async def test_nothing_in_the_old_bucket_is_ever_deleted(old, beside):
    """Duplicates, reconciling, quarantining and discarding leave all objects of it."""
    await old.map(tower=7)
    for n in range(3):
        await old.keep(PDF, name=f"{n}.pdf")  # the same bytes thrice
    await old.put("uploads/nobody's", b"x")
    await old.bring_in(beside)
    sweeping = beside.sweeping()
    report = await sweeping.reconcile()
    assert (report.discarded, report.missing) == (0, 0)
    before = await old.keys()
    for (key,) in await beside.ask("SELECT object_key FROM uploads"):
        await beside.store.quarantine(key)
        await beside.store.discard(key)
    assert await old.keys() == before
    await assert_same(old)


@either_bucket
async def test_what_the_old_bucket_has_needs_no_sending(old, beside, ours):
    """A new file with imported bytes is linked to them; when they are gone, it is sent and kept."""
    await old.map(tower=7)
    [project] = (await ours.get("/v1/projects"))["items"]
    id_ = await old.keep(PDF)
    await old.bring_in(beside)
    batch, _ = await ours.lay(project["id"], {"new/plan.pdf": PDF}, reference="one")
    assert await ours.state(batch, "new/plan.pdf") == ("duplicate", "duplicate_exact")
    [(key,)] = [row[4:5] for row in await old.rows() if row[0] == id_]
    await asyncio.to_thread(old.s3.delete_object, Bucket=old.bucket, Key=key)
    batch, _ = await ours.lay(project["id"], {"new/again.pdf": PDF}, reference="two", claims=False)
    await beside.run_until_quiet()
    assert await ours.state(batch, "new/again.pdf") == ("ready", None)


async def test_without_its_bucket_what_was_imported_can_wait(old, beside, ours):
    """A worker that isn't told of the old bucket proves other files; nothing is marked lost."""
    await old.map(tower=7)
    await old.keep(PDF)
    await old.bring_in(beside)
    [project] = (await ours.get("/v1/projects"))["items"]
    forgetful = replace(old.settings, legacy_store=None, legacy_door=False)
    async with installed(forgetful) as other:
        batch, _ = await ours.lay(project["id"], {"same.pdf": PDF}, claims=False)
        await other.run_until_quiet()
        assert (await ours.state(batch, "same.pdf"))[0] == "duplicate"
        assert await other.ask("SELECT count(*) FROM blobs WHERE is_missing") == [(0,)]


async def test_what_is_given_out_is_what_was_proven(old, beside, ours):
    """Where the old bucket keeps versions, an object that is written over later changes nothing."""
    versions = {"Status": "Enabled"}
    await asyncio.to_thread(
        old.s3.put_bucket_versioning, Bucket=old.bucket, VersioningConfiguration=versions
    )
    await old.map(tower=7)
    id_ = await old.keep(PDF, name="A.pdf")
    await old.bring_in(beside)
    [(key,)] = [row[4:5] for row in await old.rows()]
    await old.put(key, b"%PDF-1.4 another")
    [project] = (await ours.get("/v1/projects"))["items"]
    version = (await ours.document(project["id"], f"Legacy/{id_}/A.pdf"))["current"]["id"]
    answer = await ours.ask("GET", f"/v1/versions/{version}/content", expect=302)
    assert await fetched(answer.headers["Location"]) == PDF
    assert await differences(old) == {id_: Difference.SIZE}


async def test_what_failed_is_read_again_and_forgotten_whole(old, beside):
    """A document that workers gave up on is tried by the next import; no try is left behind."""
    await old.map(tower=7)
    id_ = await old.keep(PDF)
    await old.bring_in(beside)
    await beside.ask("DELETE FROM versions")
    await beside.ask("ALTER TABLE uploads DISABLE TRIGGER uploads_move")
    await beside.ask("UPDATE uploads SET state = 'failed', reason = 'processing_gave_up'")
    await beside.ask("ALTER TABLE uploads ENABLE TRIGGER uploads_move")
    assert (await old.bring_in(beside)).declared == 1
    async with old.tools() as tools:
        caller = await tools.matchmaking.owner("ours")
        gone = await tools.forgetting.forget(caller.organization, caller.principal, caller.name)
    assert gone == (1, 0)
    for table in ("uploads", "blobs", "versions", "legacy_documents", "jobs"):
        assert await beside.ask(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert await old.content(id_) == PDF


async def test_without_our_schema_the_old_system_is_as_it_was(old):
    """Dropping it takes nothing of the old table or bucket with it, nor what we wrote to both."""
    first = await old.keep(PDF)
    async with installed(old.settings) as server:
        token = await server.token("ours")
        await old.map(writes_back=True, tower=7)
        await old.bring_in(server)
        async with talking(server.url, token) as ours:
            [project] = (await ours.get("/v1/projects"))["items"]
            await ours.lay(project["id"], {"new.txt": b"delivered to us"})
        await server.run_until_quiet()
    await ask(old.database, "DROP SCHEMA laydown CASCADE")
    assert [row[2] for row in await old.rows()] == ["plan.pdf", "new.txt"]
    assert await old.content(first) == PDF
    assert await old.content(first + 1) == b"delivered to us"
    assert await old.keep(b"goes on") == first + 2


async def test_rights_to_delete_end_at_what_was_imported(old, beside, ours):
    """The row security of deleting lets nothing else of an organization be deleted by our role."""
    await old.map(tower=7)
    [project] = (await ours.get("/v1/projects"))["items"]
    await ours.lay(project["id"], {"ours.txt": b"ours"})
    await old.keep(PDF)
    await old.bring_in(beside)
    [(organization,)] = await beside.ask("SELECT id FROM organizations")
    left = {"versions": 1, "blobs": 1, "uploads": 1}
    async with await psycopg.AsyncConnection.connect(
        old.settings.database, autocommit=True
    ) as connection:
        await connection.execute("SET ROLE laydown_app")
        await connection.execute(
            "SELECT set_config('laydown.organization', %s, false)", [str(organization)]
        )
        for table, rows in left.items():
            await connection.execute(f"DELETE FROM {table}".encode())
            cursor = await connection.execute(f"SELECT count(*) FROM {table}".encode())
            assert await cursor.fetchone() == (rows,), table

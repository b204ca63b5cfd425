"""The old API's clients go on as they did, with what we have in place of what they knew."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from laydown.domain.access import Role
from laydown.services.passes import Tokens
from tests.api.old_system import LONG_AGO, OLD_KEY, PDF
from tests.api.talk import talking

FIELDS = {"id", "projectId", "filename", "mime", "size", "uploadedBy", "createdAt", "url"}


class OldClient:
    """What a client of the old API does."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def get(self, path: str, *, key: str | None = OLD_KEY, **more: Any) -> tuple[int, Any]:
        """Return a status and JSON, or bytes when redirects were followed."""
        headers = {} if key is None else {"X-Api-Key": key}
        async with self._session.get(self._url + path, headers=headers, **more) as answer:
            if answer.content_type == "application/json":
                return answer.status, await answer.json()
            return answer.status, await answer.read()

    async def send(
        self,
        content: bytes,
        *,
        name: str = "plan.pdf",
        project: object = 7,
        is_file_first: bool = False,
        key: str = OLD_KEY,
    ) -> tuple[int, Any]:
        """Send a file as a form."""
        form = aiohttp.FormData(quote_fields=False)
        if not is_file_first:
            form.add_field("projectId", str(project))
        form.add_field("file", content, filename=name, content_type="application/pdf")
        if is_file_first:
            form.add_field("projectId", str(project))
        async with self._session.post(
            f"{self._url}/documents", data=form, headers={"X-Api-Key": key}
        ) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def client(old, beside) -> AsyncIterator[OldClient]:
    """Speak to a laydown with the door open and a worker at work."""
    await old.map(tower=7, writes_back=True)
    timeout = aiohttp.ClientTimeout(total=30)
    async with beside.working(), aiohttp.ClientSession(timeout=timeout) as session:
        yield OldClient(session, beside.url)


async def test_an_upload_is_a_row_that_old_readers_see(old, client):
    """The answer has the old fields and the next id, and the old system can read all of it."""
    first = await old.keep(b"there before")
    status, document = await client.send(PDF, name="Überblick A-101.pdf")
    assert status == 201
    assert document.keys() == FIELDS
    assert document["id"] == first + 1
    assert document["filename"] == "Überblick A-101.pdf"
    assert (document["projectId"], document["size"]) == (7, len(PDF))
    assert document["uploadedBy"] == "old app"
    assert await old.content(document["id"]) == PDF
    assert await client.get(f"/documents/{document['id']}") == (200, document)
    assert await client.get(document["url"]) == (200, PDF)


async def test_the_project_may_come_after_the_file(client):
    """Forms were taken in any order, and are."""
    status, document = await client.send(PDF, is_file_first=True)
    assert (status, document["projectId"]) == (201, 7)


async def test_the_same_file_twice_is_two_documents(old, client):
    """Each upload gets its own id, as before; the bytes are kept once."""
    ids = [(await client.send(PDF, name=f"{n}.pdf"))[1]["id"] for n in range(3)]
    assert len(set(ids)) == 3
    for id_ in ids:
        assert await client.get(f"/documents/{id_}/download") == (200, PDF)
        assert await old.content(id_) == PDF


async def test_what_the_old_bucket_has_is_linked_there(old, client, beside):
    """An upload of bytes that were imported gets a row that names the old object."""
    first = await old.keep(PDF)
    await old.bring_in(beside)
    _, document = await client.send(PDF, name="again.pdf")
    rows = {row[0]: row[4] for row in await old.rows()}
    assert rows[document["id"]] == rows[first]
    assert await client.get(document["url"]) == (200, PDF)


async def test_uploads_side_by_side_get_each_their_own_id(old, client):
    """Many at once: every acknowledged id reads back as what was sent, in both systems."""
    sent = {n: PDF + str(n).encode() for n in range(12)}
    answers = await asyncio.gather(*(client.send(each) for each in sent.values()))
    ids = {
        document["id"]: content
        for (_, document), content in zip(answers, sent.values(), strict=True)
    }
    assert len(ids) == 12
    for id_, content in ids.items():
        assert await client.get(f"/documents/{id_}/download") == (200, content)
        assert await old.content(id_) == content


async def test_an_old_document_is_given_out_before_it_was_imported(old, client, beside):
    """Whoever asks first has it read and proven; the answer leads to the old object."""
    id_ = await old.keep(PDF, name="A.pdf")
    status, document = await client.get(f"/documents/{id_}")
    assert status == 200
    assert document["createdAt"] == LONG_AGO.isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    assert await client.get(f"/documents/{id_}/download") == (200, PDF)
    assert await beside.ask("SELECT origin::text FROM legacy_documents") == [("old",)]
    assert (await old.bring_in(beside)).declared == 0


async def test_a_download_is_a_redirect_that_keeps_ranges_and_names(old, client):
    """302 to a URL of minutes, never to be kept; its bytes have the name the row has."""
    id_ = await old.keep(PDF, name="A b.pdf")
    url = f"{client._url}/documents/{id_}/download"
    async with client._session.get(
        url, headers={"X-Api-Key": OLD_KEY}, allow_redirects=False
    ) as answer:
        assert answer.status == 302
        assert answer.headers["Cache-Control"] == "no-store"
        location = answer.headers["Location"]
    async with client._session.get(location, headers={"Range": "bytes=2-5"}) as part:
        assert (part.status, await part.read()) == (206, PDF[2:6])
        assert 'filename="A b.pdf"' in part.headers["Content-Disposition"]
    async with client._session.head(url, headers={"X-Api-Key": OLD_KEY}) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(PDF)))


async def test_errors_are_as_the_old_api_told_them(old, client):
    """A missing key, id, file, field or object, and a file that isn't taken: a JSON sentence."""
    gone = await old.row("uploads/never", size=3)
    unmapped = await old.keep(PDF, project=9)
    assert await client.get("/documents/1", key=None) == (401, {"error": "Unauthorized"})
    assert await client.get("/documents/1", key="wrong") == (401, {"error": "Unauthorized"})
    for path in ("99999", str(unmapped), f"{gone}/download", "9" * 40):
        assert await client.get(f"/documents/{path}") == (404, {"error": "Not found"}), path
    for digits in (19, 20, 5_000):  # Postgres counts to 19 of them, Python reads 4,300
        for path in ("/documents/{}", "/documents/{}/download"):
            assert (await client.get(path.format("9" * digits)))[0] == 404
        assert (await client.get(f"/projects/{'9' * digits}/documents"))[0] == 404
    assert (await client.send(PDF, project=9))[0] == 404
    assert (await client.send(PDF, project="x"))[0] == 400
    status, told = await client.send(b"MZ" + b"\0" * 90, name="setup.exe")
    assert (status, told.keys()) == (400, {"error"})
    assert (await client.get("/documents/99999"))[0] == 404


@pytest.mark.parametrize(
    ("field", "name", "mime"),
    [
        (b"a\0b", b'filename="a.pdf"', b"application/pdf"),
        (b"anna", b"filename*=utf-8''a%00b.pdf", b"application/pdf"),
        (b"anna", b'filename="a.pdf"', b"application/p\0df"),
    ],
    ids=["field", "name", "type"],
)
async def test_what_no_table_can_keep_is_marked(client, field, name, mime):
    """A NUL in any text of a form costs that character, and no upload."""
    disposition = b"Content-Disposition: form-data; name="
    body = b"\r\n".join(
        [
            *(b"--B", disposition + b"projectId", b"", b"7"),
            *(b"--B", disposition + b"uploadedBy", b"", field),
            *(b"--B", disposition + b"file; " + name, b"Content-Type: " + mime, b"", PDF),
            *(b"--B--", b""),
        ]
    )
    headers = {"X-Api-Key": OLD_KEY, "Content-Type": "multipart/form-data; boundary=B"}
    async with client._session.post(
        f"{client._url}/documents", data=body, headers=headers
    ) as answer:
        assert answer.status == 201
        document = await answer.json()
    told = "".join(document[each] for each in ("uploadedBy", "filename", "mime"))
    assert told.count("\N{REPLACEMENT CHARACTER}") == 1
    assert await client.get(document["url"]) == (200, PDF)


async def test_no_upload_is_taken_that_old_readers_would_not_see(old, client):
    """Where the old table isn't written to, the door says so and keeps nothing."""
    await old.map(tower=7, writes_back=False)
    status, told = await client.send(PDF)
    assert status == 503
    assert "write-back" in told["error"]
    assert await old.rows() == []


async def test_a_projects_list_has_documents_of_both(old, client):
    """What the old system took and what we took are one list, by id; unknown ones are empty."""
    first = await old.keep(PDF, name="old.pdf")
    _, second = await client.send(b"%PDF-1.4 new")
    third = await old.keep(PDF, name="again.pdf")
    status, found = await client.get("/projects/7/documents")
    assert (status, [each["id"] for each in found]) == (200, [first, second["id"], third])
    assert all(each.keys() == FIELDS for each in found)
    assert await client.get("/projects/9/documents") == (200, [])


async def test_what_comes_by_the_native_api_is_seen_by_old_readers(old, client, beside):
    """A version delivered by /v1 has a row in the old table in the moment it is ready."""
    async with talking(beside.url, await beside.token("ours")) as ours:
        [project] = (await ours.get("/v1/projects"))["items"]
        batch, _ = await ours.lay(project["id"], {"Plans/A.txt": b"first"})
        await ours.settled(batch)
        batch, _ = await ours.lay(project["id"], {"Plans/A.txt": b"second"}, reference="two")
        await ours.settled(batch)
    rows = await old.rows()
    assert [(row[1], row[2], row[3]) for row in rows] == [(7, "A.txt", 5), (7, "A.txt", 6)]
    assert [await old.content(row[0]) for row in rows] == [b"first", b"second"]
    for row, content in zip(rows, (b"first", b"second"), strict=True):
        assert await client.get(f"/documents/{row[0]}/download") == (200, content)
    async with old.tools() as tools:
        assert [each async for each in tools.verifying.compared(share=1.0) if each.difference] == []


async def test_an_old_key_opens_the_old_routes_and_no_other(old, client, beside):
    """It is no bearer of the native API, it is good for its organization, and it can be revoked."""
    id_ = await old.keep(PDF)
    async with client._session.get(
        f"{beside.url}/v1/projects", headers={"Authorization": f"Bearer {OLD_KEY}"}
    ) as answer:
        assert answer.status == 401
    assert (await client.get(f"/documents/{id_}"))[0] == 200
    await beside.ask("UPDATE tokens SET revoked_at = now() WHERE name = 'old app'")
    assert (await client.get(f"/documents/{id_}"))[0] == 401


async def test_another_organization_sees_none_of_it(old, client, beside):
    """With a token of somebody else every old id is unknown, and no upload gets in."""
    id_ = await old.keep(PDF)
    headers = {"Authorization": f"Bearer {await beside.token('theirs')}"}
    for path in (f"/documents/{id_}", f"/documents/{id_}/download"):
        async with client._session.get(beside.url + path, headers=headers) as answer:
            assert answer.status == 404
    async with client._session.get(f"{beside.url}/projects/7/documents", headers=headers) as answer:
        assert await answer.json() == []
    form = aiohttp.FormData({"projectId": "7"})
    form.add_field("file", PDF, filename="a.pdf")
    async with client._session.post(
        f"{beside.url}/documents", data=form, headers=headers
    ) as answer:
        assert answer.status == 404


async def test_a_project_that_is_mapped_anew_opens_no_other(old, client, beside):
    """Who may only read what an old project is now gets nothing out of what it was."""
    id_ = await old.keep(PDF)
    await old.bring_in(beside)
    async with old.tools() as tools:
        owner = await tools.matchmaking.owner("ours")
        await tools.matchmaking.projects(owner, {7: "bridge"}, prefix=tools.in_common or "")
        bridge = (await tools.matchmaking.table.mapped())[7].project
        _, token = await Tokens(ledger=tools.matchmaking.ledger).make(
            owner, name="bridge", member=None, most=Role.VIEWER, only=bridge, expires_at=None
        )
    url = f"{beside.url}/documents/{id_}/download"
    for secret, status in ((token, 404), (await beside.token("ours"), 200)):
        headers = {"Authorization": f"Bearer {secret}"}
        async with client._session.get(url, headers=headers) as answer:
            assert answer.status == status


async def test_without_the_setting_there_is_no_door(ours):
    """Where nothing is taken over from, the old routes don't exist."""
    for method, path in (("POST", "/documents"), ("GET", "/documents/1/download")):
        answer = await ours.ask(method, path)
        assert answer.status in (404, 405)

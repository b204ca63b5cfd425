"""`Idempotency-Key`: done once, answered alike, and readable by nobody but the caller."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.api.talk import PATIENCE, entry, talking

pytestmark = pytest.mark.embedded  # where bytes are kept plays no part

NOTHING = "00000000-0000-0000-0000-000000000000"


async def keyed(talk, key, path="/v1/tokens", body=None, *, method="POST"):
    """Ask with a key; make a token unless told otherwise."""
    sent = {"name": "laptop"} if body is None else body
    return await talk.ask(method, path, sent, headers={"Idempotency-Key": key})


def alike(*answers):
    """Say whether answers have the same status, content type and body."""
    return (
        len({(each.status, each.headers.get("Content-Type"), each.body) for each in answers}) == 1
    )


async def count(server, table):
    [(found,)] = await server.ask(f"SELECT count(*) FROM {table}")
    return found


async def test_a_repeated_request_is_done_once(server, ours):
    """The second answer is the first one, secret included, and there is one token more."""
    before = await count(server, "tokens")
    first, second = [await keyed(ours, "k") for _ in range(2)]
    assert first.status == 201
    assert first.json["secret"].startswith("ldn_")
    assert alike(first, second)
    assert await count(server, "tokens") == before + 1
    assert "laydown_repeated_answers_total 1.0" in (
        (await ours.ask("GET", "/metrics")).body.decode()
    )


async def test_without_a_key_everything_is_done_again(server, ours):
    """Two requests without a key make two tokens, as do two keys."""
    before = await count(server, "tokens")
    for headers in ({}, {}, {"Idempotency-Key": "a"}, {"Idempotency-Key": "b"}):
        await ours.ask("POST", "/v1/tokens", {"name": "x"}, headers=headers, expect=201)
    assert await count(server, "tokens") == before + 4
    assert await count(server, "replies") == 2


async def test_a_refusal_is_an_answer_too(server, ours):
    """What was refused is refused alike, even if it would work by now."""
    path, body = f"/v1/projects/{NOTHING}/batches", {"reference": "r"}
    missing = await keyed(ours, "k", path, body)
    assert (missing.status, missing.code) == (404, "not_found")
    assert alike(missing, await keyed(ours, "k", path, body))
    project = await ours.project("tower")
    taken = await keyed(ours, "other", "/v1/projects", {"code": "tower"})
    assert (taken.status, taken.code) == (409, "project_exists")
    await server.ask("DELETE FROM projects WHERE id = %s", project)
    assert alike(taken, await keyed(ours, "other", "/v1/projects", {"code": "tower"}))


async def test_an_answer_without_a_body(ours):
    """204 is repeated as 204."""
    token = (await keyed(ours, "k")).json["token"]["id"]
    answers = [
        await ours.ask("DELETE", f"/v1/tokens/{token}", headers={"Idempotency-Key": "gone"})
        for _ in range(2)
    ]
    assert [(each.status, each.body) for each in answers] == [(204, b"")] * 2


async def test_a_declaration_is_answered_as_it_was(ours, project):
    """Verdicts of a repeated declaration are those of then, not today's."""
    body = {"reference": "r", "entries": [entry("a.txt", b"a")]}
    path = f"/v1/projects/{project}/batches"
    first = await keyed(ours, "k", path, body)
    [verdict] = first.json["verdicts"]
    await ours.send(first.json["batch"]["id"], verdict["upload_id"], b"a")
    assert first.status == 201
    assert alike(first, await keyed(ours, "k", path, body))
    assert (await keyed(ours, "other", path, body)).status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/tokens", {"name": "phone"}),
        ("/v1/members", {"name": "laptop"}),
        ("/v1/tokens?x", None),
    ],
)
async def test_a_key_is_for_one_request(ours, path, body):
    """With another body, path or query the key is refused, and nothing is done."""
    await keyed(ours, "k")
    answer = await keyed(ours, "k", path, body)
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")


async def test_a_key_is_for_one_caller(server, ours):
    """Another token of the organization does not get what the first one was answered."""
    made = await keyed(ours, "k")
    async with talking(server.url, made.json["secret"]) as other:
        answer = await keyed(other, "k")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert made.json["secret"].encode() not in answer.body


async def test_organizations_don_t_meet_over_a_key(server, ours, theirs):
    """Another organization's same key is a request of its own."""
    first, second = await keyed(ours, "k"), await keyed(theirs, "k")
    assert (first.status, second.status) == (201, 201)
    assert first.json["secret"] != second.json["secret"]
    assert await count(server, "replies") == 2


async def test_of_many_at_once_one_is_done(server, ours):
    """Twenty equal requests at once make one token; each is answered so, or told to come back."""
    before = await count(server, "tokens")
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(keyed(ours, "k")) for _ in range(20)]
    answers = [each.result() for each in asked]
    done = [each for each in answers if each.status == 201]
    others = [each for each in answers if each.status != 201]
    assert alike(*done)
    assert {each.code for each in others} <= {"idempotency_in_progress"}
    assert all(each.status == 409 and each.headers["Retry-After"] == "1" for each in others)
    assert await count(server, "tokens") == before + 1
    assert alike(done[0], await keyed(ours, "k"))


async def test_one_in_progress_is_not_done_beside_it(server, ours, project):
    """While the first is held up in the database, the second is told to come back."""
    async with asyncio.timeout(PATIENCE), held_up(server):
        first = asyncio.create_task(keyed(ours, "k", f"/v1/projects/{project}", method="PATCH"))
        while not await count(server, "replies"):  # noqa: ASYNC110 - the ledger sets no event
            await asyncio.sleep(0.01)
        second = await keyed(ours, "k", f"/v1/projects/{project}", method="PATCH")
        other = await keyed(ours, "k", "/v1/projects", {"code": "x"})
        assert not first.done()
    assert (second.status, second.code) == (409, "idempotency_in_progress")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert (await first).status == 200


@asynccontextmanager
async def held_up(server):
    """Let nobody touch a project while the block lasts."""
    async with await psycopg.AsyncConnection.connect(server.settings.database) as connection:
        await connection.execute("LOCK TABLE projects")
        yield


async def test_what_broke_is_not_kept(server, ours):
    """After a 500 the key is free: the request is done by the next try."""
    await server.ask("ALTER TABLE projects RENAME TO gone")
    broken = await keyed(ours, "k", "/v1/projects", {"code": "x"})
    await server.ask("ALTER TABLE gone RENAME TO projects")
    assert broken.status == 500
    assert await count(server, "replies") == 0
    assert (await keyed(ours, "k", "/v1/projects", {"code": "x"})).status == 201


async def test_nobody_reads_what_is_kept(server, ours):
    """The table has neither key nor body, asked or answered; equal answers don't look equal."""
    key = str(uuid4())
    made = await keyed(ours, key, body={"name": "a very telling name"})
    await keyed(ours, f"{key}-2", body={"name": "a very telling name"})
    rows = await server.ask("SELECT key_sha256, fingerprint, sealed FROM replies")
    kept = b"".join(bytes(cell) for row in rows for cell in row)
    for secret in (made.json["secret"], key, "a very telling name", "ldn_", "application/json"):
        assert secret.encode() not in kept
        assert secret.encode().hex().encode() not in kept
    assert len(rows) == 2
    assert len({bytes(sealed)[:12] for _, _, sealed in rows}) == 2
    [(dump,)] = await server.ask("SELECT json_agg(replies)::text FROM replies")
    assert key not in dump


async def test_after_a_day_a_key_is_new(server, ours):
    """Once its time is over, the answer is forgotten and the key may be used again."""
    first = await keyed(ours, "k")
    await server.ask("UPDATE replies SET forget_at = forget_at - interval '23 hours 55 minutes'")
    assert alike(first, await keyed(ours, "k"))
    await server.ask("UPDATE replies SET forget_at = forget_at - interval '10 minutes'")
    second = await keyed(ours, "k", body={"name": "phone"})
    assert (second.status, second.json["token"]["name"]) == (201, "phone")


@pytest.mark.knobs(answers_kept=timedelta(hours=1))
async def test_the_sweeper_forgets_answers(server, ours):
    """Sweeping deletes what is past its time, which is a setting, and nothing else."""
    await keyed(ours, "old")
    await server.ask("UPDATE replies SET forget_at = forget_at - interval '61 minutes'")
    await keyed(ours, "new")
    await server.sweeping(silence=timedelta(days=1)).tidy()
    assert await count(server, "replies") == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "naïve", "a\tb"])
async def test_a_key_that_is_none(server, ours, key):
    """Nothing, too much and what isn't printable ASCII is 400, before anything is done."""
    before = await count(server, "tokens")
    answer = await keyed(ours, key)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert await count(server, "tokens") == before


@pytest.mark.parametrize("key", ["x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b"])
async def test_any_other_text_is_a_key(ours, key):
    """UUIDs, quoted or not, and whatever else people count with."""
    assert alike(await keyed(ours, key), await keyed(ours, key))


async def test_who_may_not_come_in_learns_nothing(ours):
    """Without a valid token a known key answers 401."""
    await keyed(ours, "k")
    answer = await ours.ask(
        "POST",
        "/v1/tokens",
        {"name": "laptop"},
        headers={"Idempotency-Key": "k", "Authorization": "Bearer ldn_nonsense"},
    )
    assert answer.status == 401


async def test_reading_heeds_no_key(server, ours):
    """A GET with a key is answered as without."""
    await ours.ask("GET", "/v1/me", headers={"Idempotency-Key": "k"}, expect=200)
    assert await count(server, "replies") == 0


async def test_a_body_too_large_is_refused_before_it_is_kept(server, ours):
    """The limit of a body holds for requests with a key too."""
    body = json.dumps({"name": "x" * (9 << 20)}).encode()
    answer = await keyed(ours, "k", body=body)
    assert (answer.status, answer.code) == (413, "request_too_large")
    assert await count(server, "replies") == 0

"""Nobody learns of what is not theirs: no token, a bad one, another's ids, unknown ids."""

from uuid import uuid4

import pytest

from tests.api.talk import entry, talking

# Every route with an id: what it needs the id of.
ROUTES = [
    ("GET", "/v1/projects/{project}", None),
    ("PATCH", "/v1/projects/{project}", {"name": "mine now"}),
    ("POST", "/v1/projects/{project}/batches", {"reference": "r", "entries": []}),
    ("GET", "/v1/projects/{project}/documents", None),
    ("GET", "/v1/batches/{batch}", None),
    ("GET", "/v1/batches/{batch}/uploads", None),
    ("GET", "/v1/batches/{batch}/events", None),
    ("GET", "/v1/batches/{batch}/receipt", None),
    ("GET", "/v1/batches/{batch}/receipt.csv", None),
    ("POST", "/v1/batches/{batch}/entries", {"entries": []}),
    ("POST", "/v1/batches/{batch}/grants", {}),
    ("POST", "/v1/batches/{batch}/progress", {"uploads": []}),
    ("POST", "/v1/batches/{batch}/completions", {"uploads": []}),
    ("POST", "/v1/batches/{batch}/close", None),
    ("POST", "/v1/batches/{batch}/cancel", None),
    ("POST", "/v1/batches/{batch}/retry", None),
    ("GET", "/v1/uploads/{upload}", None),
    ("GET", "/v1/uploads/{upload}/timeline", None),
    ("DELETE", "/v1/uploads/{upload}", None),
    ("GET", "/v1/documents/{document}", None),
    ("GET", "/v1/documents/{document}/versions", None),
    ("GET", "/v1/versions/{version}", None),
    ("GET", "/v1/versions/{version}/content", None),
    ("POST", "/v1/operations/jobs/{job}/replay", None),
    ("DELETE", "/v1/operations/jobs/{job}", None),
]


async def ids_of(server, talk, project):
    """Return an id of every kind, all of them real."""
    batch, uploads = await talk.lay(project, {"a.txt": b"a"})
    await server.run_until_quiet()
    document = await talk.document(project, "a.txt")
    open_batch = await talk.declare(project, entry("b.txt", b"b"), reference="open")
    await server.ask(
        "INSERT INTO jobs (id, organization_id, kind, upload_id, dead_at) "
        "SELECT gen_random_uuid(), organization_id, 'prove', id, now() FROM uploads LIMIT 1"
    )
    jobs = await talk.get("/v1/operations/jobs?state=dead")
    return {
        "project": project,
        "batch": open_batch["batch"]["id"],
        "upload": open_batch["verdicts"][0]["upload_id"],
        "document": document["id"],
        "version": document["current"]["id"],
        "job": jobs["items"][0]["id"],
    } | {"settled": batch, "ready": uploads["a.txt"]}


def told(answer, identifier):
    """Return what an answer tells, without what was asked."""
    return {key: str(value).replace(identifier, "?") for key, value in answer.json.items()}


async def test_a_foreign_id_answers_as_one_that_does_not_exist(server, ours, theirs, project):
    """On every route another's id and a made-up one get the same 404, to the letter."""
    ids = await ids_of(server, ours, project)
    before = await server.ask("SELECT state, count(*) FROM uploads GROUP BY 1 ORDER BY 1")
    for method, path, body in ROUTES:
        [kind] = [kind for kind in ids if f"{{{kind}}}" in path]
        made_up = str(uuid4())
        foreign = await theirs.ask(method, path.format(**ids), body)
        unknown = await theirs.ask(method, path.format(**{**ids, kind: made_up}), body)
        assert (foreign.status, foreign.code) == (404, "not_found"), path
        assert told(foreign, ids[kind]) == told(unknown, made_up), path
        assert foreign.headers.keys() == unknown.headers.keys()
    assert await server.ask("SELECT state, count(*) FROM uploads GROUP BY 1 ORDER BY 1") == before
    assert (await theirs.get("/v1/projects"))["items"] == []
    assert (await theirs.get("/v1/batches"))["items"] == []
    assert (await theirs.get("/v1/operations/jobs"))["items"] == []


async def test_every_route_needs_a_token(server, ours, project):
    """Without a token, or with one that isn't good, every route but health answers 401."""
    ids = await ids_of(server, ours, project)
    alien = f"ldn_{uuid4().hex}_{'A' * 43}"
    for token in ("", "rubbish", alien, ours.token[:-1], ours.token[:-1] + "\u00e9"):
        async with talking(server.url, token) as nobody:
            for method, path, body in [*ROUTES, ("GET", "/v1/projects", None)]:
                answer = await nobody.ask(method, path.format(**ids), body)
                assert (answer.status, answer.code) == (401, "unauthenticated"), path
                assert answer.headers["WWW-Authenticate"] == 'Bearer realm="laydown"'
                if token:
                    assert token not in answer.body.decode()


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
async def test_a_token_that_ended_is_no_token(server, ours, project, column):
    """From the moment it is revoked or has expired, a token answers 401."""
    await ours.get(f"/v1/projects/{project}")
    await server.ask(f"UPDATE tokens SET {column} = now()")
    answer = await ours.ask("GET", f"/v1/projects/{project}")
    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_an_id_that_is_none_names_nothing(ours):
    """What can't be an id answers 404, never 500."""
    for identifier in ("1", "..", "%2e%2e", "%00", "x" * 2_000, "'--", "%ff"):
        for kind in ("projects", "batches", "uploads", "documents", "versions"):
            answer = await ours.ask("GET", f"/v1/{kind}/{identifier}")
            assert (answer.status, answer.code) == (404, "not_found"), identifier


CURSORS = ["rubbish!", "x" * 5_000, "", "MA", "LTE", "OTk5OTk5OTk5OTk5", "w6k", "AAAA"]


async def test_a_cursor_we_never_gave_is_refused_or_harmless(server, ours, project):
    """A bad cursor answers 400, or where it reads as one of ours a page; never 500."""
    ids = await ids_of(server, ours, project)
    for path in (
        "/v1/projects",
        "/v1/batches",
        "/v1/operations/jobs",
        "/v1/batches/{settled}/uploads",
        "/v1/projects/{project}/documents",
        "/v1/documents/{document}/versions",
    ):
        for cursor in CURSORS:
            answer = await ours.ask("GET", f"{path.format(**ids)}?cursor={cursor}")
            assert answer.status == 200 or answer.code == "invalid_request", (path, cursor)


async def test_uploads_of_another_batch_are_not_found_in_this_one(server, ours, project):
    """Granting and completing look only at uploads of the batch that is named."""
    ids = await ids_of(server, ours, project)
    other = (await ours.declare(project, reference="other"))["batch"]["id"]
    [granted] = await ours.grants(other, ids["upload"])
    assert (granted["code"], granted["parts"]) == ("not_found", [])
    [completed] = await ours.complete(other, ids["upload"])
    assert (completed["code"], completed["state"]) == ("not_found", None)


async def test_fields_that_are_ours_to_fill_are_not_taken(ours, project):
    """What a client says of state, organization or proof changes nothing (mass assignment)."""
    forged = entry("a.txt", b"a") | {
        "state": "ready",
        "organization_id": str(uuid4()),
        "upload_id": str(uuid4()),
        "attempt": 9,
    }
    declared = await ours.declare(project, forged, state="closed", id=str(uuid4()))
    [verdict] = declared["verdicts"]
    assert (verdict["verdict"], verdict["state"]) == ("send", "declared")
    assert declared["batch"]["state"] == "open"
    upload = await ours.get(f"/v1/uploads/{verdict['upload_id']}")
    assert upload["attempt"] == 1


async def test_unknown_paths_and_methods(ours):
    """An unknown path answers 404, a wrong method 405 with what is allowed."""
    assert (await ours.ask("GET", "/v1/nothing")).code == "not_found"
    answer = await ours.ask("PUT", "/v1/projects")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST"

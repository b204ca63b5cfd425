"""Who did what, when, from where: written with the deed, and read by who may."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.talk import entry

pytestmark = pytest.mark.embedded  # where bytes are kept plays no part


async def deeds(talk, query=""):
    """Return the deeds of the audit, oldest first."""
    return [line["deed"] for line in reversed((await talk.get(f"/v1/audit{query}"))["items"])]


async def test_what_is_done_is_written_with_who_and_from_where(server, ours, project):
    """A delivery, a download and the making of a token leave a line each, in their order."""
    batch, _ = await ours.lay(project, {"a.txt": b"audited"})
    await server.run_until_quiet()
    version = (await ours.document(project, "a.txt"))["current"]["id"]
    await ours.content(version)
    made = (await ours.ask("POST", "/v1/tokens", {"name": "laptop"}, expect=201)).json
    lines = (await ours.get("/v1/audit"))["items"]
    assert [line["deed"] for line in reversed(lines)] == [
        "project.made",
        "batch.declared",
        "batch.closed",
        "version.fetched",
        "token.made",
    ]
    me = await ours.get("/v1/me")
    assert {line["principal_id"] for line in lines} == {me["id"]}
    assert {line["address"] for line in lines} == {"127.0.0.1"}
    assert all(line["request"] for line in lines)
    assert lines[0]["subject_id"] == made["token"]["id"]
    assert lines[0]["detail"] == {"name": "laptop", "member": "owner"}
    assert lines[3]["subject_id"] == batch
    assert made["secret"] not in str(lines)


async def test_what_is_refused_or_undone_leaves_no_line(ours, project):
    """A deed that didn't happen is not in the audit."""
    before = await deeds(ours)
    await ours.ask("POST", "/v1/projects", {"code": "tower"}, expect=409)
    await ours.ask("POST", "/v1/tokens", {"name": ""}, expect=400)
    body = {"reference": "r", "entries": []}
    await ours.ask("POST", f"/v1/projects/{project}/batches", body, expect=201)
    assert await deeds(ours) == before


async def test_lines_are_found_by_what_is_asked(ours, theirs, project):
    """Filters narrow, pages join up, and another organization's lines are in none."""
    batch = (await ours.declare(project, entry("a.txt", b"a")))["batch"]["id"]
    await ours.ask("POST", f"/v1/batches/{batch}/cancel", expect=200)
    for query, wanted in (
        ("?deed=batch.declared", ["batch.declared"]),
        (f"?subject={batch}", ["batch.declared", "batch.cancelled"]),
        (f"?project={project}", ["project.made", "batch.declared", "batch.cancelled"]),
        ("?since=2999-01-01T00:00:00Z", []),
        ("?until=2020-01-01T00:00:00Z", []),
    ):
        assert await deeds(ours, query) == wanted, query
        assert await deeds(theirs, query) == []
    first = await ours.get("/v1/audit?limit=2")
    rest = await ours.get(f"/v1/audit?limit=2&cursor={first['next_cursor']}")
    assert len(first["items"] + rest["items"]) == 3
    assert rest["next_cursor"] is None
    at = datetime.fromisoformat(first["items"][0]["at"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)


async def test_a_spreadsheet_runs_nothing_of_it(ours):
    """As CSV there is a row for each line, and a name that is a formula is defused."""
    await ours.ask("POST", "/v1/members", {"name": "=1+1", "role": "viewer"}, expect=201)
    made = await ours.ask("POST", "/v1/members", {"name": "@SUM(A1)", "role": "owner"}, expect=201)
    body = {"name": "t", "member_id": made.json["id"]}
    await ours.ask("POST", "/v1/tokens", body, expect=201)
    table = await ours.ask("GET", "/v1/audit.csv", expect=200)
    assert table.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.body.decode("utf-8-sig"), newline="")))
    assert [row["deed"] for row in rows] == ["token.made", "member.added", "member.added"]
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]

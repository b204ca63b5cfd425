"""Lists: what a project holds, page by page; and what machines ask."""

import pytest

from tests.api.talk import entry

PATHS = ["A.txt", "Plans/B.txt", "Plans/Ground/C.txt", "Plans-old/D.txt", "Plansar.txt", "z.txt"]


async def pages(talk, path, limit):
    """Return every item of a list, asked for page by page."""
    found, cursor = [], ""
    while True:
        sign = "&" if "?" in path else "?"
        page = await talk.get(f"{path}{sign}limit={limit}{cursor}")
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.fixture
async def filled(server, ours, project):
    """Return a project with a document at each of the paths."""
    await ours.lay(project, {path: path.encode() for path in PATHS})
    await server.run_until_quiet()
    return project


FOUND = [
    ("", sorted(PATHS, key=str.casefold)),
    ("?path=Plans", ["Plans/B.txt", "Plans/Ground/C.txt"]),
    ("?path=PLANS/", ["Plans/B.txt", "Plans/Ground/C.txt"]),
    ("?path=plans/ground", ["Plans/Ground/C.txt"]),
    ("?path=a.txt", ["A.txt"]),
    ("?path=Plan", []),
    ("?q=PLANS", ["Plans-old/D.txt", "Plans/B.txt", "Plans/Ground/C.txt", "Plansar.txt"]),
    ("?q=%25", []),
    ("?kind=text", sorted(PATHS, key=str.casefold)),
    ("?kind=pdf", []),
]


async def test_documents_are_found_by_folder_text_and_kind(ours, filled):
    """Each filter finds exactly what it names, in order of path, whatever the page's size."""
    for query, found in FOUND:
        for limit in (1, 2, 100):
            items = await pages(ours, f"/v1/projects/{filled}/documents{query}", limit)
            assert [item["path"] for item in items] == found, query


CHILDREN = [
    ("", ["A.txt", "Plans-old/", "Plans/", "Plansar.txt", "z.txt"]),
    ("?path=plans", ["Plans/B.txt", "Plans/Ground/"]),
    ("?path=/Plans/Ground/", ["Plans/Ground/C.txt"]),
    ("?path=Plan", []),
    ("?path=A.txt", []),
]


async def test_a_folder_lists_what_lies_directly_in_it(ours, filled):
    """Folders are listed once, with nothing of what is below them, whatever the page's size."""
    for query, found in CHILDREN:
        for limit in (1, 2, 100):
            items = await pages(ours, f"/v1/projects/{filled}/folder{query}", limit)
            shown = [item["path"] + ("" if item["document"] else "/") for item in items]
            assert shown == found, (query, limit)
            assert all(item["path"].endswith(item["name"]) for item in items)


async def test_uploads_of_a_batch_page_by_page(ours, project):
    """Pages have each upload once, in order; state and reason filter them."""
    entries = [entry(f"{n}.txt", b"%d" % n) for n in range(10)] + [entry(".DS_Store", b"x")]
    batch = (await ours.declare(project, *entries))["batch"]["id"]
    path = f"/v1/batches/{batch}/uploads"
    for limit in (1, 3, 11, 1_000):
        found = await pages(ours, path, limit)
        assert [upload["key"] for upload in found] == [each["key"] for each in entries]
    skipped = await pages(ours, f"{path}?state=skipped&reason=system_junk", 5)
    assert [upload["key"] for upload in skipped] == [".DS_Store"]
    assert [upload["key"] for upload in await pages(ours, f"{path}?q=7.TXT", 5)] == ["7.txt"]
    assert (await ours.ask("GET", f"{path}?state=nonsense")).code == "invalid_request"


async def test_batches_and_projects_page_by_page(ours):
    """Projects come by code, batches newest first, each once, also those of one project."""
    projects = [await ours.project(code) for code in ("beta", "Alpha", "gamma")]
    found = await pages(ours, "/v1/projects", 1)
    assert [each["code"] for each in found] == ["Alpha", "beta", "gamma"]
    assert [each["code"] for each in await pages(ours, "/v1/projects?code=ALPHA", 5)] == ["Alpha"]
    made = []
    for number in range(3):
        for project in projects[:2]:
            declared = await ours.declare(project, reference=str(number))
            made.append((project, declared["batch"]["id"]))
    found = await pages(ours, "/v1/batches", 2)
    assert {each["id"] for each in found} == {batch for _, batch in made}
    assert len(found) == 6
    times = [each["created_at"] for each in found]
    assert times == sorted(times, reverse=True)
    of_one = await pages(ours, f"/v1/batches?project={projects[0]}", 2)
    assert {each["id"] for each in of_one} == {batch for each, batch in made if each == projects[0]}


async def test_a_project_is_made_once_and_changed(ours):
    """A code is taken in any case; a change keeps what it doesn't name; nonsense is refused."""
    project = await ours.project("Tower-B")
    again = await ours.ask("POST", "/v1/projects", {"code": "TOWER-b"})
    assert (again.status, again.code) == (409, "project_exists")
    place = {"latitude": 47.4, "longitude": 8.5}
    for change in ({"name": "Tower B"}, {"time_zone": "Europe/Zurich"}, {"position": place}):
        await ours.ask("PATCH", f"/v1/projects/{project}", change, expect=200)
    found = await ours.get(f"/v1/projects/{project}")
    assert (found["code"], found["name"]) == ("Tower-B", "Tower B")
    assert (found["time_zone"], found["position"]) == ("Europe/Zurich", place)
    for body in ({"code": ""}, {"code": "a b"}, {"code": "x" * 65}, {}, {"code": "\u0000"}):
        refused = await ours.ask("POST", "/v1/projects", body)
        assert (refused.status, refused.code) == (400, "invalid_request")
    for change in ({"time_zone": "Mars"}, {"position": {"latitude": 91, "longitude": 0}}):
        refused = await ours.ask("PATCH", f"/v1/projects/{project}", change)
        assert (refused.status, refused.code) == (400, "invalid_request")


async def test_health_needs_no_token(ours):
    """`/livez` and `/readyz` say that all is well, and look at the database and the store."""
    ours.token = "none"
    assert (await ours.get("/livez"))["ok"] is True
    ready = await ours.get("/readyz")
    assert (ready["ok"], {check["name"] for check in ready["checks"]}) == (
        True,
        {"database", "store"},
    )


async def test_metrics_count_what_happened(ours, project):
    """Requests are counted by route template; no id is ever a label."""
    batch, uploads = await ours.lay(project, {"a.txt": b"12345"})
    text = (await ours.ask("GET", "/metrics", expect=200)).body.decode()
    assert 'route="/v1/projects/{project_id}/batches"' in text
    for identifier in (batch, project, *uploads.values(), ours.token):
        assert identifier not in text


@pytest.mark.embedded
async def test_metrics_count_bytes_that_come_through_us(ours, project):
    """Bytes are counted as they come, and a disk that takes them is healthy."""
    await ours.lay(project, {"a.txt": b"12345"})
    text = (await ours.ask("GET", "/metrics", expect=200)).body.decode()
    assert "laydown_received_bytes_total 5.0" in text
    assert "laydown_store_healthy 1.0" in text

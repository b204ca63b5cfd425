"""Every route, asked by everybody: who is let in, who is refused, who learns nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from laydown.domain.access import LINK_MAY, MAY, Act, Role
from laydown.http.app import document
from tests.api.access_table import RULES, Route, Rule
from tests.api.installation import Installation
from tests.api.talk import Answer, Talk, entry, talking

pytestmark = pytest.mark.embedded  # a caller is refused before any byte moves

LET_IN = frozenset({200, 201, 202, 204, 302, 303, 400, 409, 416, 422})
"""What follows once somebody is let in: it was done, or said to be wrong for another reason."""

_fresh = count()


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project with something of everything in it, by the names that routes give their ids."""

    ids: Mapping[str, str]
    owner: Talk
    documents: Mapping[str, str] = field(default_factory=dict)


async def furnished(server: Installation, owner: Talk, code: str) -> Place:
    """Make a project in which one file is published and another one waits for its bytes."""
    project = await owner.project(code)
    data = f"what {code} holds".encode()
    declared = await owner.declare(project, entry("a.txt", data), entry("b.txt", b"never sent"))
    batch = declared["batch"]["id"]
    sent, waiting = (verdict["upload_id"] for verdict in declared["verdicts"])
    await owner.send(batch, sent, data)
    await server.run_until_quiet()
    [held] = (await owner.get(f"/v1/projects/{project}/documents"))["items"]
    link = await owner.ask("POST", f"/v1/projects/{project}/links", {"label": "x"}, expect=201)
    return Place(
        owner=owner,
        ids={
            "project_id": project,
            "batch_id": batch,
            "upload_id": waiting,
            "document_id": held["id"],
            "version_id": held["current"]["id"],
            "link_id": link.json["link"]["id"],
            "job_id": str(uuid4()),
        },
    )


async def newcomer(owner: Talk, *, role: Role | None = None, project: str = "") -> tuple[str, str]:
    """Make a member with a role everywhere, or in one project; return their id and a token."""
    everywhere = None if project or role is None else role.value
    made = await owner.ask("POST", "/v1/members", {"name": "n", "role": everywhere}, expect=201)
    member = made.json["id"]
    if project and role is not None:
        path = f"/v1/projects/{project}/members/{member}"
        await owner.ask("PUT", path, {"role": role.value}, expect=200)
    body = {"name": "t", "member_id": member}
    return member, (await owner.ask("POST", "/v1/tokens", body, expect=201)).json["secret"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Two projects of ours, one of theirs, and everybody who may ask."""

    url: str
    ours: Place
    beside: Place  # another project of ours
    theirs: Place
    everywhere: Mapping[Role, Talk]  # by their role in the organization
    within: Mapping[Role, Talk]  # by their role in our first project
    link: Talk  # a drop link into our first project
    nobody: Talk  # a member without any role

    async def ask(self, who: Talk, route: Route, rule: Rule, place: Place) -> Answer:
        """Ask a route about what is in a place; what it may destroy is made anew each time."""
        method, path = route
        ids = dict(place.ids)
        if "{member_id}" in path:
            ids["member_id"], _ = await newcomer(place.owner)
        if "{token_id}" in path:
            made = await place.owner.ask("POST", "/v1/tokens", {"name": "t"}, expect=201)
            ids["token_id"] = made.json["token"]["id"]
        body = rule.body
        if isinstance(body, dict):
            body = {key: _filled(value) for key, value in body.items()}
        return await quick(who, method, path.format(**ids), body, rule.media_type)


def _filled(value: Any) -> Any:
    return f"fresh-{next(_fresh)}" if value == "{fresh}" else value


async def quick(
    who: Talk, method: str, path: str, body: Any, media_type: str | None = None
) -> Answer:
    """Ask; of a stream of events only the beginning is read."""
    if path.endswith("/events"):
        return await who.glimpse(path)
    headers = {} if media_type is None else {"Content-Type": media_type}
    return await who.ask(method, path, body, headers=headers)


@pytest.fixture
async def scene(server: Installation, ours: Talk, theirs: Talk) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:

        async def as_(token: str) -> Talk:
            return await stack.enter_async_context(talking(server.url, token))

        first = await furnished(server, ours, "one")
        project = first.ids["project_id"]
        made = await ours.ask(
            "POST", f"/v1/projects/{project}/links", {"label": "roofer"}, expect=201
        )
        yield Scene(
            url=server.url,
            ours=first,
            beside=await furnished(server, ours, "two"),
            theirs=await furnished(server, theirs, "one"),
            everywhere={role: await as_((await newcomer(ours, role=role))[1]) for role in Role},
            within={
                role: await as_((await newcomer(ours, role=role, project=project))[1])
                for role in Role
            },
            link=await as_(made.json["secret"]),
            nobody=await as_((await newcomer(ours))[1]),
        )


def expected(
    rule: Rule, path: str, *, everywhere: frozenset[Act], here: frozenset[Act]
) -> frozenset[int] | int:
    """Return the statuses that a rule means for somebody who may do this, everywhere or here."""
    if rule.act is None:
        return LET_IN | {403}
    acts = everywhere if rule.is_everywhere else everywhere | here
    if rule.is_others and rule.sees not in acts:
        return 404
    if rule.act in acts:
        return LET_IN | ({404} if "{job_id}" in path else frozenset())
    names_something = "{" in path and "{job_id}" not in path
    return 403 if not names_something or rule.sees in acts else 404


def test_every_route_has_its_rule():
    """The table has a line for each operation of the API, and for nothing else."""
    operations = {
        (method.upper(), path)
        for path, methods in document()["paths"].items()
        for method in methods
    }
    assert operations == RULES.keys() - {("HEAD", "/v1/versions/{version_id}/content")}


async def test_each_role_does_what_the_table_says(scene: Scene):
    """In their project, beside it and elsewhere, everybody is let in, refused or told nothing."""
    nothing: frozenset[Act] = frozenset()
    callers = [
        *(
            (f"{role} everywhere", who, MAY[role], MAY[role])
            for role, who in scene.everywhere.items()
        ),
        *((f"{role} in one", who, nothing, MAY[role]) for role, who in scene.within.items()),
        ("a drop link", scene.link, nothing, LINK_MAY),
        ("nobody", scene.nobody, nothing, nothing),
    ]
    wrong = []
    for route, rule in RULES.items():
        if rule.is_open:
            continue
        for name, who, everywhere, within in callers:
            for place, here in (
                (scene.ours, within),
                (scene.beside, everywhere),
            ):
                wanted = expected(rule, route[1], everywhere=everywhere, here=here)
                answer = await scene.ask(who, route, rule, place)
                allowed = {wanted} if isinstance(wanted, int) else wanted
                if answer.status not in allowed:
                    wrong.append((name, *route, place is scene.ours, answer.status, wanted))
    assert wrong == [], "\n".join(map(str, wrong))


async def test_who_can_t_see_everything_sees_what_they_brought(scene: Scene):
    """Uploaders and links deliver, see that delivery, and neither each other's nor anybody's."""
    project = scene.ours.ids["project_id"]
    deliverers = [scene.within[Role.UPLOADER], scene.everywhere[Role.UPLOADER], scene.link]
    batches = []
    for index, who in enumerate(deliverers):
        batch, _ = await who.lay(project, {f"{index}.txt": b"%d" % index}, reference="same")
        batches.append(batch)
    for own, who in zip(batches, deliverers, strict=True):
        assert [each["id"] for each in (await who.get("/v1/batches"))["items"]] == [own]
        for batch in batches:
            status = 200 if batch == own else 404
            for what in ("", "/uploads", "/receipt", "/receipt.csv"):
                assert (await who.ask("GET", f"/v1/batches/{batch}{what}")).status == status
    assert len((await scene.ours.owner.get("/v1/batches"))["items"]) == 2 + len(batches)


async def test_a_digest_alone_gives_nobody_the_bytes(scene: Scene):
    """Only who may read everything, or brought it, is told that content is here already."""
    project, held = scene.ours.ids["project_id"], b"what one holds"
    for who, wanted in (
        (scene.everywhere[Role.CONTRIBUTOR], "duplicate"),
        (scene.within[Role.CONTRIBUTOR], "send"),
        (scene.everywhere[Role.UPLOADER], "send"),
        (scene.link, "send"),
    ):
        declared = await who.declare(project, entry("copy.txt", held), reference="probe")
        assert declared["verdicts"][0]["verdict"] == wanted


async def test_a_link_puts_everything_below_its_folder(scene: Scene, server: Installation):
    """What comes through a link with a folder is a document there, and nowhere else."""
    project = scene.ours.ids["project_id"]
    body = {"label": "roofer", "folder": "Incoming/Roofer"}
    made = await scene.ours.owner.ask("POST", f"/v1/projects/{project}/links", body, expect=201)
    async with talking(server.url, made.json["secret"]) as roofer:
        batch, _ = await roofer.lay(project, {"a/b.txt": b"slates"})
        await server.run_until_quiet()
        assert {each["path"] for each in (await roofer.uploads(batch)).values()} == {
            "Incoming/Roofer/a/b.txt"
        }
    found = await scene.ours.owner.documents(project, "&path=Incoming")
    assert [each["path"] for each in found] == ["Incoming/Roofer/a/b.txt"]


async def test_a_link_takes_no_more_than_it_says(scene: Scene, server: Installation):
    """Past a link's files and bytes entries are refused singly; what is taken back makes room."""
    project = scene.ours.ids["project_id"]
    body = {"label": "roofer", "max_files": 3, "max_bytes": 10}
    made = await scene.ours.owner.ask("POST", f"/v1/projects/{project}/links", body, expect=201)
    async with talking(server.url, made.json["secret"]) as roofer:
        entries = [entry(f"{size}.txt", b"%d" % size * size) for size in (6, 5, 3, 1, 1)]
        entries[-1]["key"] = entries[-1]["path"] = "other.txt"
        declared = await roofer.declare(project, *entries)
        said = [(each["verdict"], each["reason"]) for each in declared["verdicts"]]
        assert said == [
            ("send", None),
            ("rejected", "quota_exceeded"),
            ("send", None),
            ("send", None),
            ("rejected", "quota_exceeded"),
        ]
        assert "the link has a quota of 10 bytes" in declared["verdicts"][1]["detail"]
        assert "the link has a quota of 3 files" in declared["verdicts"][4]["detail"]
        first = declared["verdicts"][0]["upload_id"]
        await roofer.ask("DELETE", f"/v1/uploads/{first}", expect=200)
        again = await roofer.declare(project, *entries[1:])
        assert [each["verdict"] for each in again["verdicts"]] == [
            "send",
            "send",
            "send",
            "rejected",
        ]


async def test_another_organization_learns_nothing(scene: Scene):
    """An owner elsewhere gets for our ids, to the letter, what unknown ids get."""
    stranger = scene.theirs.owner
    for route, rule in RULES.items():
        if rule.is_open or "{" not in route[1]:
            continue
        foreign = await scene.ask(stranger, route, rule, scene.ours)
        method, path = route
        names = [*scene.ours.ids, "member_id", "token_id"]
        unknown = await quick(
            stranger,
            method,
            path.format(**{name: str(uuid4()) for name in names}),
            rule.body,
            rule.media_type,
        )
        assert foreign.status == unknown.status == 404, route
        if method != "HEAD":
            assert foreign.code == unknown.code == "not_found"
            assert foreign.json.keys() == unknown.json.keys()


async def test_who_shows_nothing_good_is_told_nothing(scene: Scene, server: Installation):
    """Without a token, with a wrong, an expired or a revoked one, every route answers 401."""
    owner = scene.ours.owner
    late = (await owner.ask("POST", "/v1/tokens", {"name": "late"}, expect=201)).json
    await server.ask("UPDATE tokens SET expires_at = now() WHERE id = %s", late["token"]["id"])
    made = (await owner.ask("POST", "/v1/tokens", {"name": "t"}, expect=201)).json
    await owner.ask("DELETE", f"/v1/tokens/{made['token']['id']}", expect=204)
    member, leaver = await newcomer(owner, role=Role.OWNER)
    await owner.ask("DELETE", f"/v1/members/{member}", expect=204)
    for token in ("", "ldn_x", late["secret"], made["secret"], leaver):
        async with talking(scene.url, token) as who:
            for route, rule in RULES.items():
                if not rule.is_open:
                    method, path = route
                    filled = path.format(**scene.ours.ids, member_id=member, token_id=member)
                    answer = await quick(who, method, filled, rule.body, rule.media_type)
                    assert answer.status == 401, (token[:4], route)


async def test_what_is_revoked_in_the_middle_goes_no_further(scene: Scene, server: Installation):
    """A link revoked between its grant and its bytes gets nothing in, and its batch says why."""
    made = await scene.ours.owner.ask(
        "POST", f"/v1/projects/{scene.ours.ids['project_id']}/links", {"label": "late"}, expect=201
    )
    async with talking(server.url, made.json["secret"]) as late:
        declared = await late.declare(scene.ours.ids["project_id"], entry("late.txt", b"late"))
        batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
        [grant] = await late.grants(batch, upload)
        await scene.ours.owner.ask("DELETE", f"/v1/links/{made.json['link']['id']}", expect=204)
        put = await late.put(grant["parts"][0], b"late")
        assert put.status == 409 or server.is_direct
        assert (await late.ask("GET", f"/v1/batches/{batch}")).status == 401
    await server.run_until_quiet()
    seen = await scene.ours.owner.get(f"/v1/uploads/{upload}")
    assert (seen["state"], seen["reason"]) == ("cancelled", "no_permission")


@pytest.mark.knobs(token_recheck=timedelta(seconds=0.2))
async def test_a_stream_ends_with_the_right_to_see_it(scene: Scene, server: Installation):
    """Taking a viewer's role ends the stream they follow."""
    project, batch = scene.ours.ids["project_id"], scene.ours.ids["batch_id"]
    member, token = await newcomer(scene.ours.owner, role=Role.VIEWER, project=project)
    path = f"/v1/projects/{project}/members/{member}"
    async with (
        asyncio.timeout(30),
        talking(server.url, token) as viewer,
        viewer.watch(batch) as events,
    ):
        assert (await anext(events)).name == "snapshot"
        await scene.ours.owner.ask("DELETE", path, expect=200)
        assert [event.name async for event in events if event.name == "change"] == []

"""An identity provider's word lets members in, as far as they may and for as long as it holds."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from laydown.settings import Settings
from tests.api.installation import Installation
from tests.api.talk import Answer, Talk, entry, talking
from tests.api.test_strangers import ROUTES, ids_of
from tests.engines.issuer import CLIENT, DISCOVERY, SECRET, Issuer

pytestmark = pytest.mark.embedded  # where bytes are kept plays no part

SOON = timedelta(milliseconds=20)


@pytest.fixture
def settings(settings: Settings, issuer: Issuer) -> Settings:
    """Trust the session's issuer."""
    return replace(
        settings, oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_client_secret=SECRET
    )


async def invite(talk: Talk, *, role: str | None = "viewer", **member: Any) -> str:
    """Make Ann a member, unless another one is given; return the id."""
    described = {"name": "Ann", "email": "Ann@Example.com", "role": role, **member}
    answer = await talk.ask("POST", "/v1/members", described, expect=201)
    return str(answer.json["id"])


async def came(server: Installation, token: str, **headers: str) -> Answer:
    """Ask the server who somebody is."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with talking(server.url, token) as talk:
        return await talk.ask("GET", "/v1/me", headers=named)


async def test_nobodys_member_is_let_in_nowhere(server: Installation, issuer: Issuer, ours: Talk):
    """A good token of somebody whom nobody invited is refused, with what to do about it."""
    await invite(ours, email="bob@example.com")
    answer = await came(server, issuer.token())
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "ask an owner or a manager" in answer.json["detail"]


async def test_whoever_was_invited_is_that_member(server: Installation, issuer: Issuer, ours: Talk):
    """The first time it is the verified address that says so, whatever its letters' case."""
    member = await invite(ours)
    assert (await ours.get(f"/v1/members/{member}"))["signs_in"] is False

    me = (await came(server, issuer.token())).json

    assert (me["id"], me["name"], me["kind"]) == (member, "Ann", "member")
    assert "read_documents" in me["may"]
    assert "deliver" not in me["may"]
    assert (await ours.get(f"/v1/members/{member}"))["signs_in"] is True


async def test_from_then_on_it_is_the_subject(server: Installation, issuer: Issuer, ours: Talk):
    """The address may change and be lost; another subject with the same address is nobody."""
    member = await invite(ours)
    await came(server, issuer.token())
    for claims in (
        {"email": "new@example.com"},
        {"email": None},
        {"email_verified": False},
        {"name": "Eve"},
    ):
        assert (await came(server, issuer.token(**claims))).json["id"] == member
    assert (await came(server, issuer.token(sub="eve"))).status == 403


@pytest.mark.parametrize("verified", [False, None, "true"])
async def test_an_address_that_is_only_claimed_binds_nobody(
    server: Installation, issuer: Issuer, ours: Talk, verified: object
):
    """Whoever says that they are Ann, and hasn't shown it, is not."""
    await invite(ours)
    assert (await came(server, issuer.token(sub="eve", email_verified=verified))).status == 403
    assert (await came(server, issuer.token())).status == 200


async def test_an_address_that_another_member_gets_changes_nothing(
    server: Installation, issuer: Issuer, ours: Talk
):
    """Who is bound to one member is not bound to a second one of the same organization."""
    member = await invite(ours)
    await came(server, issuer.token())
    await ours.ask("PATCH", f"/v1/members/{member}", {"email": "old@example.com"}, expect=200)
    await invite(ours, name="Another")
    assert (await came(server, issuer.token())).json["id"] == member


async def test_what_a_member_may_do_is_what_their_role_allows(
    server: Installation, issuer: Issuer, ours: Talk, project: str
):
    """A viewer reads and delivers nothing; once they contribute, they do."""
    member = await invite(ours)
    body = {"reference": "r", "entries": [entry("a.txt", b"a")]}
    async with talking(server.url, issuer.token()) as ann:
        await ann.ask("GET", f"/v1/projects/{project}", expect=200)
        refused = await ann.ask("POST", f"/v1/projects/{project}/batches", body)
        await ours.ask("PATCH", f"/v1/members/{member}", {"role": "contributor"}, expect=200)
        made = await ann.ask("POST", f"/v1/projects/{project}/batches", body)
    assert (refused.status, refused.code) == (403, "forbidden")
    assert made.status == 201


async def test_every_route_refuses_a_token_that_does_not_count(
    server: Installation, issuer: Issuer, ours: Talk, project: str
):
    """Expired, for others, unsigned, signed by others or nonsense: 401, whatever is asked for."""
    await invite(ours, role="owner")
    ids = await ids_of(server, ours, project)
    tokens = [
        issuer.token(exp=int(time.time()) - 3600),
        issuer.token(aud="other"),
        issuer.token(iss="https://example.com"),
        issuer.token(nbf=int(time.time()) + 3600),
        issuer.token(signed="by another key"),
        issuer.token(signed="by an unknown key"),
        issuer.token(signed="with the public key"),
        f"{issuer.token(signed='not')}AAAA",
        "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
        "e.e.e",
    ]
    for token in tokens:
        async with talking(server.url, token) as talk:
            for method, path, body in ROUTES:
                answer = await talk.ask(method, path.format(**ids), body)
                assert (answer.status, answer.code) == (401, "unauthenticated"), (method, path)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_every_route_of_others_is_not_there(
    server: Installation, issuer: Issuer, ours: Talk, theirs: Talk, project: str
):
    """Somebody else's owner, by the same provider's word, gets the 404 of what doesn't exist."""
    await invite(theirs, role="owner")
    ids = await ids_of(server, ours, project)
    async with talking(server.url, issuer.token()) as ann:
        await ann.ask("GET", "/v1/me", expect=200)
        for method, path, body in ROUTES:
            answer = await ann.ask(method, path.format(**ids), body)
            assert (answer.status, answer.code) == (404, "not_found"), (method, path)


async def test_a_member_that_is_removed_is_out_at_once(
    server: Installation, issuer: Issuer, ours: Talk, project: str
):
    """The provider still vouches for them, and it is of no use; invited again they are anew."""
    member = await invite(ours)
    token = issuer.token()
    async with talking(server.url, token) as ann:
        await ann.ask("GET", f"/v1/projects/{project}", expect=200)
        await ours.ask("DELETE", f"/v1/members/{member}", expect=204)
        gone = await ann.ask("GET", f"/v1/projects/{project}")
        again = await invite(ours)
        back = await ann.ask("GET", "/v1/me")
    assert (gone.status, gone.code) == (403, "forbidden")
    assert back.json["id"] == again != member


@pytest.mark.knobs(token_recheck=SOON)
async def test_a_stream_ends_with_the_membership(
    server: Installation, issuer: Issuer, ours: Talk, project: str
):
    """Who watches a delivery and is removed meanwhile sees no more of it."""
    member = await invite(ours)
    batch = (await ours.declare(project, entry("a.txt", b"a")))["batch"]["id"]
    async with talking(server.url, issuer.token()) as ann, ann.watch(batch) as events:
        async for event in events:
            if event.name == "snapshot":
                await ours.ask("DELETE", f"/v1/members/{member}", expect=204)
            assert event.name != "closed"


@pytest.mark.knobs(token_recheck=SOON)
async def test_a_stream_ends_with_the_word(
    server: Installation, issuer: Issuer, ours: Talk, project: str
):
    """A token that expires while its stream is open ends it, for all that clocks may differ."""
    await invite(ours)
    batch = (await ours.declare(project, entry("a.txt", b"a")))["batch"]["id"]
    token = issuer.token(exp=int(time.time()) - 10)
    async with talking(server.url, token) as ann, ann.watch(batch) as events:
        names = [event.name async for event in events]
    assert "snapshot" in names
    assert "closed" not in names


async def test_a_member_of_several_organizations_names_one(
    server: Installation, issuer: Issuer, ours: Talk, theirs: Talk
):
    """Without a name it is refused, with the names to choose from; another one's is of no use."""
    members = {
        (await talk.get("/v1/me"))["organization_id"]: await invite(talk) for talk in (ours, theirs)
    }
    token = issuer.token()
    for _ in range(2):  # invited by several, and then a member of several
        unnamed = await came(server, token)
        assert (unnamed.status, unnamed.code) == (403, "forbidden")
        for organization, member in members.items():
            assert organization in unnamed.json["detail"]
            me = (await came(server, token, Laydown_Organization=organization)).json
            assert (me["organization_id"], me["id"]) == (organization, member)
    other = await came(server, token, Laydown_Organization=str(uuid4()))
    assert (other.status, other.code) == (403, "forbidden")
    assert (await came(server, token, Laydown_Organization="ours")).status == 400


async def test_an_invitation_changes_nothing_for_a_member(
    server: Installation, issuer: Issuer, ours: Talk, theirs: Talk
):
    """Whom another organization invites, asked or not, goes on as what they are; or joins it."""
    member = await invite(ours)
    token = issuer.token()
    assert (await came(server, token)).json["id"] == member
    invited = await invite(theirs, role="owner")
    assert (await came(server, token)).json["id"] == member
    assert (await theirs.get(f"/v1/members/{invited}"))["signs_in"] is False

    named = (await theirs.get("/v1/me"))["organization_id"]
    assert (await came(server, token, Laydown_Organization=named)).json["id"] == invited
    assert (await theirs.get(f"/v1/members/{invited}"))["signs_in"] is True


async def test_the_first_requests_at_once_are_one_member(
    server: Installation, issuer: Issuer, ours: Talk
):
    """However many come at the same time, each is let in, as the one who was invited."""
    member = await invite(ours)
    token = issuer.token()
    answers = await asyncio.gather(*(came(server, token) for _ in range(10)))
    assert {(answer.status, answer.json["id"]) for answer in answers} == {(200, member)}


async def test_an_issuer_that_is_away_keeps_out_nobody_else(
    server: Installation, issuer: Issuer, ours: Talk
):
    """Its people are told to come back; whoever has a token of ours notices nothing."""
    await invite(ours)
    token = issuer.token()
    issuer.behave(DISCOVERY, "fails")
    answer = await came(server, token)
    assert (answer.status, answer.code) == (503, "issuer_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await ours.ask("GET", "/v1/me")).status == 200
    ready = await ours.ask("GET", "/readyz", expect=200)
    [check] = [each for each in ready.json["checks"] if each["name"] == "issuer"]
    assert check["ok"]
    assert "answered with status 500" in check["detail"]

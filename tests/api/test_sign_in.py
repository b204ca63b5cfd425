"""Browsers sign in at the identity provider and come back with a session of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from laydown.settings import Settings
from tests.api.installation import Installation
from tests.api.talk import Answer, Talk
from tests.api.test_oidc import invite
from tests.engines.issuer import CLIENT, DISCOVERY, SECRET, Issuer

pytestmark = pytest.mark.embedded  # where bytes are kept plays no part


@pytest.fixture
def settings(settings: Settings, issuer: Issuer) -> Settings:
    """Trust the session's issuer."""
    return replace(
        settings, oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_client_secret=SECRET
    )


class Browser:
    """Keeps cookies, and goes where it is sent when it is told to."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page, of our server unless it is elsewhere."""
        url = path if path.startswith("http") else self._url + path
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            body = await response.read()
        return Answer(status=response.status, headers=response.headers, body=body)

    async def to_provider(self, query: str = "") -> str:
        """Begin to sign in; return where the provider sends the browser back to."""
        there = await self.get(f"/signin/provider{query}")
        assert there.status == 303, there.body
        back = await self.get(there.headers["Location"])
        return str(back.headers["Location"])

    async def landing(self, path: str) -> str:
        """Return where somebody lands whose browser is refused and shows pages."""
        answer = await self.get(path, Accept="text/html,*/*;q=0.8")
        assert answer.status == 303, answer.body
        return str(answer.headers["Location"])


@asynccontextmanager
async def browsing(server: Installation) -> AsyncIterator[Browser]:
    """Open a browser."""
    jar = aiohttp.CookieJar(unsafe=True)  # of hosts without a name, too
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(session, server.url)


def changed(url: str, **query: str | None) -> str:
    """Return a URL with another query; None takes a part of it away."""
    parts = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    kept = {name: value for name, value in {**parts, **query}.items() if value is not None}
    return f"{url.partition('?')[0]}?{urlencode(kept)}"


async def test_a_browser_comes_back_with_a_session(server: Installation, ours: Talk):
    """Whoever signs in there is the member, until they sign out; the audit says so."""
    member = await invite(ours)
    async with browsing(server) as browser:
        assert (await browser.get("/v1/me")).status == 401
        home = await browser.get(await browser.to_provider())
        me = await browser.get("/v1/me")

    assert (home.status, home.headers["Location"]) == (303, "/")
    assert (me.json["id"], me.json["name"]) == (member, "Ann")
    assert me.json["csrf"]
    newest = (await ours.get("/v1/audit"))["items"][0]
    assert (newest["deed"], newest["principal_id"]) == ("session.opened", member)


async def test_what_is_kept_is_out_of_reach_of_scripts(server: Installation, ours: Talk):
    """The cookie of a sign-in goes to the one page that needs it, and is dropped there."""
    await invite(ours)
    async with browsing(server) as browser:
        there = await browser.get("/signin/provider")
        kept = SimpleCookie(there.headers["Set-Cookie"])["laydown_signin"]
        assert (kept["path"], kept["samesite"]) == ("/signin/return", "lax")
        assert kept["httponly"]
        assert 0 < int(kept["max-age"]) <= 600
        back = await browser.get((await browser.get(there.headers["Location"])).headers["Location"])
    dropped = [each for each in back.headers.getall("Set-Cookie") if "laydown_signin" in each]
    assert ["Max-Age=0" in each for each in dropped] == [True]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "A" * 43},
        {"state": None},
        {"code": "guessed"},
        {"code": None},
        {"error": "access_denied"},
        {"iss": "https://example.com"},
    ],
)
async def test_what_comes_back_must_be_the_answer(
    server: Installation, ours: Talk, query: dict[str, str | None]
):
    """Another answer than the one to this browser's question opens no session."""
    await invite(ours)
    async with browsing(server) as browser:
        answer = await browser.get(changed(await browser.to_provider(), **query))
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert (await browser.get("/v1/me")).status == 401
        again = changed(await browser.to_provider(), **query)
        assert await browser.landing(again) == "/welcome?problem=provider"
        assert (await browser.get("/v1/me")).status == 401


async def test_another_browser_cannot_finish_it(server: Installation, ours: Talk):
    """A link that brings somebody else's answer along signs nobody in, with a cookie or without."""
    await invite(ours)
    async with browsing(server) as ann, browsing(server) as eve:
        link = await ann.to_provider()
        assert (await eve.get(link)).status == 401
        await eve.to_provider()
        assert (await eve.get(link)).status == 401
        assert (await ann.get(link)).status == 303
        assert (await ann.get(link)).status == 401  # nor a second time


async def test_nobodys_member_gets_no_session(server: Installation, ours: Talk):
    """The provider vouches for them, and that is all; the answer says what to do."""
    assert (await ours.get("/v1/me"))["kind"] == "member"
    async with browsing(server) as browser:
        answer = await browser.get(await browser.to_provider())
        assert (answer.status, answer.code) == (403, "forbidden")
        landing = await browser.landing(await browser.to_provider())
        assert landing == "/welcome?problem=stranger"
        assert (await browser.get("/v1/me")).status == 401


async def test_a_member_of_several_organizations_names_one(
    server: Installation, ours: Talk, theirs: Talk
):
    """The session is of the organization that was named before the browser was sent away.

    Without one the page for signing in is told among which ones to choose.
    """
    for talk in (ours, theirs):
        await invite(talk)
    known = {(await talk.get("/v1/me"))["organization_id"] for talk in (ours, theirs)}
    async with browsing(server) as browser:
        assert (await browser.get(await browser.to_provider())).status == 403
        landing = urlsplit(await browser.landing(await browser.to_provider()))
    told = parse_qs(landing.query)
    assert (landing.path, told["problem"]) == ("/welcome", ["several"])
    assert {*told["organization"]} == known
    for organization in known:
        async with browsing(server) as browser:
            await browser.get(await browser.to_provider(f"?organization={organization}"))
            assert (await browser.get("/v1/me")).json["organization_id"] == organization


async def test_while_the_issuer_is_away_nobody_signs_in(server: Installation, issuer: Issuer):
    """Before it can be asked, and while it is, the answer is to come back later."""
    async with browsing(server) as browser:
        link = await browser.to_provider()
        issuer.behave("/token", "fails")
        away = await browser.get(link)
        assert (away.status, away.code) == (503, "issuer_unavailable")
        assert await browser.landing(link) == "/welcome?problem=away"


async def test_an_issuer_that_never_answered_sends_nobody(server: Installation, issuer: Issuer):
    """Where people sign in is not known, so there is nowhere to go."""
    issuer.behave(DISCOVERY, "is no JSON")
    async with browsing(server) as browser:
        answer = await browser.get("/signin/provider")
        assert (answer.status, answer.code) == (503, "issuer_unavailable")
        assert await browser.landing("/signin/provider") == "/welcome?problem=away"


async def test_anybody_is_told_that_there_is_a_provider(server: Installation):
    """Without a credential one learns that people sign in there, or by a link."""
    async with browsing(server) as browser:
        ways = await browser.get("/v1/sessions/ways")
        assert (ways.status, ways.json) == (200, {"link": True, "provider": True})


class TestWithoutAProvider:
    """A server that trusts nobody's word."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """Trust nobody."""
        return replace(settings, oidc_issuer=None, oidc_client_id=None, oidc_client_secret=None)

    async def test_nobody_signs_in(self, server: Installation):
        """There is nowhere to go, and nothing to come back from."""
        async with browsing(server) as browser:
            for path in ("/signin/provider", "/signin/return?state=a&code=b"):
                answer = await browser.get(path)
                assert (answer.status, answer.code) == (401, "unauthenticated")
                assert await browser.landing(path) == "/welcome?problem=provider"

    async def test_no_token_of_others_is_taken(self, server: Installation, issuer: Issuer):
        """A good token of an issuer that nobody named is a sentence, and 401."""
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {issuer.token()}"}
            async with session.get(f"{server.url}/v1/me", headers=headers) as response:
                assert response.status == 401
                assert "no identity provider's tokens" in (await response.json())["detail"]

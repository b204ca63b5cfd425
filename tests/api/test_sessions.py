"""A browser comes in by a one-time link, stays by a cookie, and is ours only."""

import asyncio
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest

from laydown.services.identity import Identity
from tests.api.installation import Installation
from tests.api.talk import Answer, Talk, talking

pytestmark = pytest.mark.embedded  # where bytes are kept plays no part

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
"""What a browser sends when somebody follows a link."""


@pytest.fixture
async def browser(server: Installation) -> AsyncIterator[Talk]:
    """Talk without a token."""
    async with talking(server.url, "") as talk:
        yield talk


async def offered(server: Installation, organization: str = "ours") -> str:
    """Return a fresh one-time code."""
    identity = Identity(keyring=server.database.keyring)
    return await identity.offer_sign_in(organization=organization)


def cookie_of(answer: Answer) -> str:
    """Return the session that an answer has the browser keep."""
    [(name, morsel)] = SimpleCookie(answer.headers["Set-Cookie"]).items()
    return f"{name}={morsel.value}"


async def signed_in(server: Installation, browser: Talk) -> dict[str, str]:
    """Sign in; return the headers that a page of ours sends."""
    answer = await browser.anonymous("POST", "/v1/sessions", {"code": await offered(server)})
    assert answer.status == 201
    return {"Cookie": cookie_of(answer), "X-CSRF-Token": answer.json["csrf"]}


async def test_a_code_opens_one_session(server, browser):
    """Of twenty that try one code at once, one gets in; later nobody does."""
    code = await offered(server)
    answers = await asyncio.gather(
        *(browser.anonymous("POST", "/v1/sessions", {"code": code}) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [201, *[401] * 19]
    assert (await browser.anonymous("GET", f"/signin?code={code}")).status == 401


async def test_a_link_leads_in(server, browser):
    """Following the link sets a cookie that scripts and other sites can't use, and goes on."""
    answer = await browser.anonymous("GET", f"/signin?code={await offered(server)}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    [morsel] = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert morsel["httponly"]
    assert morsel["samesite"] == "lax"
    assert not morsel["secure"]  # there is no TLS here
    me = await browser.anonymous("GET", "/v1/me", headers={"Cookie": cookie_of(answer)})
    assert (me.json["name"], me.json["organization"]) == ("owner", "ours")
    assert len(me.json["csrf"]) == 64


async def test_a_browser_with_a_bad_link_is_led_to_where_it_says_so(server, browser):
    """A link that is used up or wrong shows a person the page for signing in, and no session."""
    code = await offered(server)
    await browser.anonymous("GET", f"/signin?code={code}", headers=PERSON)
    for bad in (code, "guessed", ""):
        answer = await browser.anonymous("GET", f"/signin?code={bad}", headers=PERSON)
        assert (answer.status, answer.headers["Location"]) == (303, "/welcome?problem=link")
        assert "Set-Cookie" not in answer.headers
        program = await browser.anonymous("GET", f"/signin?code={bad}")
        assert (program.status, program.code) == (401, "unauthenticated")


async def test_anybody_is_told_how_to_sign_in(browser):
    """Without a credential one learns that links open sessions here, and no provider does."""
    answer = await browser.anonymous("GET", "/v1/sessions/ways")
    assert (answer.status, answer.json) == (200, {"link": True, "provider": False})


async def test_only_our_own_page_changes_anything(server, browser):
    """With the cookie alone, or from another site, everything may be read and nothing changed."""
    page = await signed_in(server, browser)
    new = {"code": "tower"}
    for headers, status in (
        ({"Cookie": page["Cookie"]}, 403),
        ({**page, "X-CSRF-Token": "0" * 64}, 403),
        ({**page, "Origin": "https://evil.example"}, 403),
        ({**page, "Origin": server.url}, 201),
    ):
        answer = await browser.anonymous("POST", "/v1/projects", new, headers=headers)
        assert answer.status == status, headers
    seen = await browser.anonymous("GET", "/v1/projects", headers={"Cookie": page["Cookie"]})
    assert [each["code"] for each in seen.json["items"]] == ["tower"]


async def test_signing_out_is_at_once(server, browser):
    """After signing out the cookie is worth nothing, and the browser is told to drop it."""
    page = await signed_in(server, browser)
    answer = await browser.anonymous("DELETE", "/v1/sessions/current", headers=page)
    assert answer.status == 204
    [morsel] = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert (morsel.value, morsel["max-age"]) == ("", "0")
    assert (await browser.anonymous("GET", "/v1/me", headers=page)).status == 401


async def test_a_session_is_no_token_and_a_token_is_no_session(server, browser, ours):
    """What a cookie holds opens nothing as a bearer token, nor the other way round."""
    page = await signed_in(server, browser)
    session = page["Cookie"].partition("=")[2]
    async with talking(server.url, session) as talk:
        assert (await talk.ask("GET", "/v1/me")).status == 401
    cookie = {"Cookie": f"laydown_session={ours.token}"}
    assert (await browser.anonymous("GET", "/v1/me", headers=cookie)).status == 401


async def test_a_removed_member_is_signed_out(server, browser):
    """Ending a membership ends its sessions."""
    page = await signed_in(server, browser)
    me = (await browser.anonymous("GET", "/v1/me", headers=page)).json
    made = await browser.anonymous(
        "POST", "/v1/members", {"name": "next", "role": "owner"}, headers=page
    )
    assert made.status == 201
    gone = await browser.anonymous("DELETE", f"/v1/members/{me['id']}", headers=page)
    assert gone.status == 204
    assert (await browser.anonymous("GET", "/v1/me", headers=page)).status == 401


async def test_the_last_owner_stays(server, browser):
    """An organization can't lose its only owner, by removal or by another role."""
    page = await signed_in(server, browser)
    me = (await browser.anonymous("GET", "/v1/me", headers=page)).json
    path = f"/v1/members/{me['id']}"
    for method, body in (("DELETE", None), ("PATCH", {"role": "viewer"})):
        answer = await browser.anonymous(method, path, body, headers=page)
        assert (answer.status, answer.code) == (409, "last_owner")


@pytest.mark.parametrize("code", ["", "ldc", "ldn_x", "ldc_" + "0" * 32 + "_" + "s" * 43])
async def test_a_bad_code_is_told_what_to_do(browser, code):
    """Codes that are none, or unknown, are refused with a sentence."""
    answer = await browser.anonymous("POST", "/v1/sessions", {"code": code})
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert "get a new one" in answer.json["detail"]

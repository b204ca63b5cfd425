"""Signing in at the identity provider: the code flow, bound to one browser and used once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from laydown.domain.errors import IssuerUnavailable, Unauthenticated
from laydown.oidc.provider import OidcProvider
from laydown.ports import Returned, SignIn
from tests.engines.issuer import CONDUCT, DISCOVERY, Issuer
from tests.oidc_support import provider_at

HOME = "https://laydown.example.com/sign-in/return"


@pytest.fixture
async def provider(issuer: Issuer) -> AsyncIterator[OidcProvider]:
    """Trust the session's issuer."""
    async with provider_at(issuer, patience=1.0) as opened:
        yield opened


async def browse(begun: SignIn) -> Returned:
    """Do what a browser does: go to the issuer, and come back with what it says."""
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(begun.url, allow_redirects=False) as response,
    ):
        assert response.status == 302, await response.text()
        home = urlsplit(response.headers["Location"])
    assert f"{home.scheme}://{home.netloc}{home.path}" == HOME
    query = {name: values[0] for name, values in parse_qs(home.query).items()}
    return Returned(state=query["state"], code=query["code"], issuer=query["iss"])


async def test_a_browser_comes_back_as_somebody(issuer: Issuer, provider: OidcProvider) -> None:
    """Whoever signs in there is who its ID token says; nobody else need be asked."""
    begun = await provider.begin_sign_in(HOME)
    stranger = await provider.finish_sign_in(begun, await browse(begun))

    assert (stranger.issuer, stranger.subject) == (issuer.url, "ann")
    assert (stranger.email, stranger.name) == ("ann@example.com", "Ann Example")
    assert "/userinfo" not in issuer.asked()


async def test_a_public_client_needs_no_secret(issuer: Issuer) -> None:
    """Without a secret the verifier alone proves that it was us who began."""
    issuer.make_public()
    async with provider_at(issuer, client_secret=None) as provider:
        begun = await provider.begin_sign_in(HOME)
        assert (await provider.finish_sign_in(begun, await browse(begun))).subject == "ann"


async def test_no_two_sign_ins_share_anything(provider: OidcProvider) -> None:
    """State, nonce and verifier are new each time, and long; what is secret isn't in the URL."""
    one, other = [await provider.begin_sign_in(HOME) for _ in range(2)]
    secrets = {one.state, one.nonce, one.verifier, other.state, other.nonce, other.verifier}
    assert len(secrets) == 6
    assert min(map(len, secrets)) >= 43  # 256 bits; RFC 7636 asks for 43 to 128 characters
    assert one.verifier not in one.url
    for secret in secrets:
        assert secret not in repr(one)
        assert secret not in repr(other)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": None}, "begun in this browser"),
        ({"state": ""}, "begun in this browser"),
        ({"state": "é\ud800"}, "begun in this browser"),
        ({"issuer": "https://example.com"}, "another issuer"),
        ({"error": "access_denied"}, "let nobody in"),
        ({"code": None}, "without a code"),
        ({"code": ""}, "without a code"),
        ({"code": "a\nb"}, "without a code"),
        ({"code": "c" * 5000}, "without a code"),
        ({"code": "guessed"}, "too old, or was used before"),
    ],
)
async def test_what_comes_back_must_be_the_answer(
    provider: OidcProvider, changes: dict[str, Any], sentence: str
) -> None:
    """Another state, another issuer, a refusal, no code or a wrong one let nobody in."""
    begun = await provider.begin_sign_in(HOME)
    returned = await browse(begun)
    with pytest.raises(Unauthenticated, match=sentence):
        await provider.finish_sign_in(begun, replace(returned, **changes))


async def test_a_code_cannot_be_slipped_into_another_browser(provider: OidcProvider) -> None:
    """A code of somebody else's sign-in is worth nothing, whatever state it comes with."""
    mine, theirs = [await provider.begin_sign_in(HOME) for _ in range(2)]
    stolen = await browse(theirs)
    with pytest.raises(Unauthenticated, match="begun in this browser"):
        await provider.finish_sign_in(mine, stolen)
    with pytest.raises(Unauthenticated, match="too old, or was used before"):
        await provider.finish_sign_in(mine, replace(stolen, state=mine.state))


async def test_a_code_is_used_once(provider: OidcProvider) -> None:
    """Who comes back a second time with the same answer has to begin anew."""
    begun = await provider.begin_sign_in(HOME)
    returned = await browse(begun)
    await provider.finish_sign_in(begun, returned)
    with pytest.raises(Unauthenticated, match="too old, or was used before"):
        await provider.finish_sign_in(begun, returned)


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"nonce": None}, "another sign-in"),
        ({"nonce": "other"}, "another sign-in"),
        ({"nonce": ["other"]}, "another sign-in"),
        ({"iss": "https://example.com"}, "of another issuer"),
        ({"aud": "other"}, "for somebody else"),
        ({"azp": "other"}, "another client"),
        ({"exp": 0}, "has expired"),
        ({"sub": None}, "whose it is"),
    ],
)
async def test_an_id_token_must_answer_this_sign_in(
    issuer: Issuer, provider: OidcProvider, claims: dict[str, Any], sentence: str
) -> None:
    """Though it comes from the issuer itself, it is proven like any other."""
    issuer.change(**claims)
    begun = await provider.begin_sign_in(HOME)
    with pytest.raises(Unauthenticated, match=sentence):
        await provider.finish_sign_in(begun, await browse(begun))


async def test_an_id_token_is_never_an_access_token(issuer: Issuer, provider: OidcProvider) -> None:
    """What says that it is for an API is no word of who signed in."""
    issuer.say("/token", {"id_token": issuer.token(header={"typ": "at+jwt"})})
    begun = await provider.begin_sign_in(HOME)
    with pytest.raises(Unauthenticated, match="another type"):
        await provider.finish_sign_in(begun, await browse(begun))


async def test_an_id_token_is_for_the_client(issuer: Issuer) -> None:
    """Where the API has an audience of its own, ID tokens are for the client all the same."""
    async with provider_at(issuer, audience="https://api.example.com") as provider:
        begun = await provider.begin_sign_in(HOME)
        assert (await provider.finish_sign_in(begun, await browse(begun))).subject == "ann"


async def test_an_address_that_is_left_out_is_asked_for(
    issuer: Issuer, provider: OidcProvider
) -> None:
    """An ID token without it is completed by what the issuer says of the same subject."""
    issuer.change(email=None, email_verified=None)
    begun = await provider.begin_sign_in(HOME)
    stranger = await provider.finish_sign_in(begun, await browse(begun))
    assert (stranger.subject, stranger.email) == ("ann", "ann@example.com")


@pytest.mark.parametrize(
    "said",
    [
        {"sub": "bob", "email": "ann@example.com", "email_verified": True},
        {"email": "ann@example.com", "email_verified": True},
        {"sub": "ann", "email": "ann@example.com"},
        {"sub": "ann"},
    ],
)
async def test_an_address_of_somebody_else_is_not_believed(
    issuer: Issuer, provider: OidcProvider, said: dict[str, Any]
) -> None:
    """What is said of another subject, or not verified, is as good as nothing."""
    issuer.change(email=None)
    issuer.say("/userinfo", said)
    begun = await provider.begin_sign_in(HOME)
    assert (await provider.finish_sign_in(begun, await browse(begun))).email is None


@pytest.mark.parametrize("how", CONDUCT)
@pytest.mark.parametrize("path", ["/token", "/userinfo"])
async def test_whatever_the_issuer_answers_is_no_error_of_ours(
    issuer: Issuer, provider: OidcProvider, path: str, how: str
) -> None:
    """Instead of tokens anything may come: then nobody is let in, for now."""
    issuer.change(email=None)
    begun = await provider.begin_sign_in(HOME)
    returned = await browse(begun)
    issuer.behave(path, how)
    with pytest.raises(IssuerUnavailable):
        await provider.finish_sign_in(begun, returned)
    assert "/elsewhere" not in issuer.asked()


async def test_a_client_that_the_issuer_refuses_is_ours_to_mend(issuer: Issuer) -> None:
    """With a wrong secret nobody is let in, and that isn't the fault of who signs in."""
    async with provider_at(issuer, client_secret="wr0ng") as provider:
        begun = await provider.begin_sign_in(HOME)
        with pytest.raises(IssuerUnavailable, match="invalid_client") as caught:
            await provider.finish_sign_in(begun, await browse(begun))
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("answer", [{}, {"id_token": None}, {"id_token": ["a.b.c"]}])
async def test_an_answer_without_an_id_token_is_none(
    issuer: Issuer, provider: OidcProvider, answer: dict[str, Any]
) -> None:
    """A provider that speaks OAuth alone says nothing of who somebody is."""
    begun = await provider.begin_sign_in(HOME)
    returned = await browse(begun)
    issuer.say("/token", answer)
    with pytest.raises(IssuerUnavailable, match="no ID token"):
        await provider.finish_sign_in(begun, returned)


async def test_where_nobody_can_sign_in_none_is_sent(issuer: Issuer) -> None:
    """An issuer that publishes keys alone vouches for bearers, and takes no browsers."""
    issuer.say(DISCOVERY, {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/jwks"})
    async with provider_at(issuer) as provider:
        assert (await provider.stranger(issuer.token())).subject == "ann"
        with pytest.raises(IssuerUnavailable, match="where people sign in"):
            await provider.begin_sign_in(HOME)

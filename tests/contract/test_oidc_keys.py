"""The identity provider's keys: as fresh as they must be, and asked for seldom."""

import asyncio
import base64
from contextlib import suppress
from typing import Any

import pytest

from laydown.domain.errors import IssuerUnavailable, Unauthenticated
from tests.engines.issuer import CONDUCT, DISCOVERY, Issuer
from tests.oidc_support import FRESHNESS, Clock, provider_at

ONCE = {DISCOVERY: 1, "/jwks": 1}
TWICE = {DISCOVERY: 2, "/jwks": 2}


async def test_keys_are_asked_for_once(issuer: Issuer) -> None:
    """A hundred tokens at once cost the issuer one question, and so does the next hundred."""
    token = issuer.token()
    async with provider_at(issuer) as provider:
        await asyncio.gather(*(provider.stranger(token) for _ in range(100)))
        await asyncio.gather(*(provider.stranger(token) for _ in range(100)))
    assert issuer.asked() == ONCE


async def test_nobody_is_asked_before_there_is_need(issuer: Issuer) -> None:
    """To open a provider that is away is no error."""
    issuer.behave(DISCOVERY, "fails")
    async with provider_at(issuer):
        pass
    assert issuer.asked() == {}


@pytest.mark.parametrize("keep", [True, False])
async def test_a_new_key_is_found(issuer: Issuer, keep: bool) -> None:  # noqa: FBT001 - a parameter
    """A token with a new key has the keys asked for; the old one counts while it is there."""
    clock = Clock()
    async with provider_at(issuer, elapsed=clock) as provider:
        old = issuer.token()
        await provider.stranger(old)
        issuer.rotate(keep=keep)
        clock.pass_by(FRESHNESS.pause)

        assert (await provider.stranger(issuer.token())).subject == "ann"

        assert issuer.asked() == TWICE
        if keep:
            assert (await provider.stranger(old)).subject == "ann"
        else:
            with pytest.raises(Unauthenticated, match="a key that its issuer does not have"):
                await provider.stranger(old)


async def test_strangers_cannot_make_us_hammer_the_issuer(issuer: Issuer) -> None:
    """However many unknown keys are named, the issuer is asked once a pause."""
    clock = Clock()
    async with provider_at(issuer, elapsed=clock) as provider:
        await provider.stranger(issuer.token())
        for turn in range(1, 4):
            clock.pass_by(FRESHNESS.pause)
            for number in range(20):
                with pytest.raises(Unauthenticated):
                    await provider.stranger(issuer.token(header={"kid": f"{turn}-{number}"}))
            assert issuer.asked() == {DISCOVERY: turn + 1, "/jwks": turn + 1}


async def test_a_withdrawn_key_works_no_longer_than_it_is_fresh(issuer: Issuer) -> None:
    """Without anybody naming a new key, the old one is gone once the keys are asked for again."""
    clock = Clock()
    async with provider_at(issuer, elapsed=clock) as provider:
        old = issuer.token()
        await provider.stranger(old)
        issuer.rotate(keep=False)
        clock.pass_by(FRESHNESS.fresh - 1)
        await provider.stranger(old)
        clock.pass_by(1)
        with pytest.raises(Unauthenticated, match="a key that its issuer does not have"):
            await provider.stranger(old)


async def test_keys_are_kept_while_the_issuer_is_away(issuer: Issuer) -> None:
    """For an hour after its last word nobody notices; then nobody is let in; then it is back."""
    clock = Clock()
    async with provider_at(issuer, elapsed=clock) as provider:
        token = issuer.token()
        await provider.stranger(token)
        issuer.behave("/jwks", "fails")

        clock.pass_by(FRESHNESS.kept - 1)
        await provider.stranger(token)
        asked = issuer.asked()
        await provider.stranger(token)
        assert issuer.asked() == asked  # not again so soon

        clock.pass_by(1)
        with pytest.raises(IssuerUnavailable):
            await provider.stranger(token)
        clock.pass_by(FRESHNESS.pause)
        issuer.reset()
        await provider.stranger(token)


async def test_an_issuer_that_is_gone_is_unavailable_until_it_is_back(issuer: Issuer) -> None:
    """Nobody listens: that is no reason to call a token wrong."""
    clock = Clock()
    async with provider_at(issuer, elapsed=clock) as provider:
        token = issuer.token()
        issuer.kill()
        try:
            with pytest.raises(IssuerUnavailable, match="did not answer"):
                await provider.stranger(token)
        finally:
            await issuer.start_again()
        with pytest.raises(IssuerUnavailable):  # as it was found a moment ago
            await provider.stranger(token)
        clock.pass_by(FRESHNESS.pause)
        assert (await provider.stranger(issuer.token())).subject == "ann"


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks"])
@pytest.mark.parametrize("how", [*CONDUCT, "refuses", "is packed"])
async def test_whatever_the_issuer_answers_is_no_error_of_ours(
    issuer: Issuer, path: str, how: str
) -> None:
    """Whatever comes instead of a document, the issuer is unavailable; it leads us nowhere."""
    token = issuer.token()
    issuer.behave(path, how)
    patience = 1.0 if how == "drips" else 5.0
    async with provider_at(issuer, patience=patience) as provider:
        with pytest.raises(IssuerUnavailable, match=path):
            await provider.stranger(token)
    assert issuer.asked()[path] == 1
    assert "/elsewhere" not in issuer.asked()


async def test_a_paused_issuer_is_given_up_in_time(issuer: Issuer) -> None:
    """Connections that are taken and never answered cost no more than the patience."""
    token = issuer.token()
    issuer.process.pause()
    try:
        async with provider_at(issuer, patience=0.2) as provider:
            with pytest.raises(IssuerUnavailable, match="did not answer in"):
                await provider.stranger(token)
    finally:
        issuer.process.resume()


async def test_an_issuer_without_a_certificate_is_not_believed(issuer: Issuer) -> None:
    """What should be https and is none is no issuer, whatever it says."""
    name = issuer.url.replace("http://", "https://")
    async with provider_at(issuer, issuer=name) as provider:
        with pytest.raises(IssuerUnavailable, match="did not answer"):
            await provider.stranger(issuer.token(iss=name))


async def test_who_waits_may_go_away(issuer: Issuer) -> None:
    """A request that is given up does not spoil the answer for the others, nor for the next."""
    token = issuer.token()
    async with provider_at(issuer) as provider:
        first = asyncio.create_task(provider.stranger(token))
        second = asyncio.create_task(provider.stranger(token))
        await asyncio.sleep(0)  # both wait now
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        assert (await second).subject == "ann"
    assert issuer.asked() == ONCE


async def test_a_provider_closes_while_it_asks(issuer: Issuer) -> None:
    """To stop is not to wait for an issuer that does not answer."""
    issuer.behave(DISCOVERY, "drips")
    async with provider_at(issuer) as provider:
        asking = asyncio.create_task(provider.stranger(issuer.token()))
        await asyncio.sleep(0)  # it waits now
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"issuer": "https://example.com"}, "of another issuer"),
        ({"issuer": None}, "of another issuer"),
        ({"jwks_uri": None}, "where its keys are"),
        ({"jwks_uri": "http://example.com/jwks"}, "jwks_uri can't be used"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri can't be used"),
        ({"jwks_uri": ["https://example.com"]}, "jwks_uri can't be used"),
        ({"jwks_uri": "https://"}, "jwks_uri can't be used"),
        ({"jwks_uri": "https://a:b@example.com/"}, "jwks_uri can't be used"),
        ({"jwks_uri": "https://exa mple.com/"}, "jwks_uri can't be used"),
        ({"token_endpoint": "http://example.com/"}, "token_endpoint can't be used"),
    ],
)
async def test_a_configuration_that_leads_astray_is_not_followed(
    issuer: Issuer, changes: dict[str, Any], sentence: str
) -> None:
    """The issuer must name itself, and nothing that others could answer for."""
    good = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/jwks"}
    token = issuer.token()
    issuer.say(DISCOVERY, {**good, **changes})
    async with provider_at(issuer) as provider:
        with pytest.raises(IssuerUnavailable, match=sentence):
            await provider.stranger(token)
    assert issuer.asked() == {DISCOVERY: 1}


async def test_an_issuer_may_have_a_path(issuer: Issuer) -> None:
    """Its configuration is below its own path, with a slash at the end of it or none."""
    for name in ("/tenant", "/tenant/"):
        issuer.say(
            f"/tenant{DISCOVERY}", {"issuer": issuer.url + name, "jwks_uri": f"{issuer.url}/jwks"}
        )
        async with provider_at(issuer, issuer=issuer.url + name) as provider:
            assert await provider.stranger(issuer.token(iss=issuer.url + name))


async def test_keys_that_cannot_be_used_are_left_out(issuer: Issuer) -> None:
    """Weak, private, symmetric, malformed and foreign keys in a set don't spoil the good one."""
    good = issuer.keys()[1]
    weak = base64.urlsafe_b64encode(b"\xff" * 128).decode().rstrip("=")
    huge = base64.urlsafe_b64encode(b"\xff" * 1025).decode().rstrip("=")
    unusable: list[Any] = [
        {**good, "use": "enc"},
        {**good, "key_ops": ["sign"]},
        {**good, "key_ops": 7},
        {**good, "alg": "HS256"},
        {**good, "alg": ["RS256"]},
        {**good, "d": "AQAB"},
        {**good, "n": weak},
        {**good, "n": huge},
        {**good, "n": 7},
        {**good, "n": "é"},
        {**good, "e": "AA"},
        {**good, "e": None},
        {**good, "kid": 7},
        {"kty": "oct", "kid": good["kid"], "k": "AAAA"},
        {"kty": "EC", "kid": good["kid"], "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": good["kid"], "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": good["kid"], "crv": ["P-256"], "x": "AA", "y": "AA"},
        {"kty": "RSA"},
        {},
        None,
        "key",
    ]
    issuer.say("/jwks", {"keys": [*unusable, good]})
    async with provider_at(issuer) as provider:
        assert (await provider.stranger(issuer.token())).subject == "ann"
    issuer.say("/jwks", {"keys": unusable})
    async with provider_at(issuer) as provider:
        with pytest.raises(Unauthenticated, match="a key that its issuer does not have"):
            await provider.stranger(issuer.token())
        with pytest.raises(IssuerUnavailable, match="no key that could be used"):
            await provider.check()


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": [{}] * 101}])
async def test_a_key_set_that_is_none_is_unavailable(issuer: Issuer, document: object) -> None:
    """What has no list of keys, or more than any issuer has, isn't taken for an empty set."""
    token = issuer.token()
    issuer.say("/jwks", document)
    async with provider_at(issuer) as provider:
        with pytest.raises(IssuerUnavailable, match="is no key set"):
            await provider.stranger(token)


async def test_a_look_at_the_issuer_says_how_many_keys_it_has(issuer: Issuer) -> None:
    """Only those count that go with an algorithm that is allowed."""
    async with provider_at(issuer) as provider:
        assert await provider.check() == f"{issuer.url} answers, with 4 usable keys"
    async with provider_at(issuer, algorithms=("ES256",)) as provider:
        assert await provider.check() == f"{issuer.url} answers, with 1 usable key"
    issuer.say(DISCOVERY, {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/jwks"})
    async with provider_at(issuer) as provider:
        assert "nobody can sign in there" in await provider.check()

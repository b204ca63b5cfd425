"""The port of an identity provider: whose tokens are taken, and which never are."""

import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from laydown.domain.errors import Unauthenticated
from laydown.oidc import tokens
from laydown.oidc.keys import keys_of
from laydown.oidc.provider import OidcProvider
from tests.engines.issuer import CLIENT, Issuer
from tests.oidc_support import SKEW, provider_at


@pytest.fixture
async def provider(issuer: Issuer) -> AsyncIterator[OidcProvider]:
    """Trust the session's issuer."""
    async with provider_at(issuer) as opened:
        yield opened


def encoded(document: object) -> str:
    """Return a document as a part of a token."""
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_token_of_the_issuer_names_somebody(issuer: Issuer, provider: OidcProvider) -> None:
    """Issuer, subject, verified address, name and end are what the token says."""
    expires = int(time.time()) + 100

    stranger = await provider.stranger(issuer.token(exp=expires))

    assert (stranger.issuer, stranger.subject) == (issuer.url, "ann")
    assert (stranger.email, stranger.name) == ("ann@example.com", "Ann Example")
    assert stranger.until == datetime.fromtimestamp(expires, UTC)


@pytest.mark.parametrize(
    "alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
)
async def test_every_asymmetric_algorithm_is_proven(
    issuer: Issuer, provider: OidcProvider, alg: str
) -> None:
    """Each algorithm that may be allowed is taken, and refused of another key."""
    assert (await provider.stranger(issuer.token(alg=alg))).subject == "ann"
    head, claims, signature = issuer.token(alg=alg).split(".")
    other = f"{head}.{encoded({'iss': issuer.url, 'sub': 'bob', 'aud': CLIENT})}.{signature}"
    with pytest.raises(Unauthenticated, match="signature is wrong"):
        await provider.stranger(other)
    with pytest.raises(Unauthenticated, match="signature is wrong"):
        await provider.stranger(f"{head}.{claims}.{'A' * len(signature)}")


async def test_an_algorithm_that_is_not_allowed_is_refused(issuer: Issuer) -> None:
    """A good signature by an algorithm that the settings leave out lets nobody in."""
    async with provider_at(issuer, algorithms=("ES256",)) as provider:
        assert (await provider.stranger(issuer.token(alg="ES256"))).subject == "ann"
        with pytest.raises(Unauthenticated, match="a way that is not taken"):
            await provider.stranger(issuer.token(alg="RS256"))


@pytest.mark.parametrize(
    ("signed", "sentence"),
    [
        ("not", "three parts|a way that is not taken"),
        ("with the public key", "a way that is not taken"),
        ("by an unknown key", "a key that its issuer does not have"),
        ("by another key", "signature is wrong"),
        ("by its own key", "signature is wrong"),
    ],
)
async def test_what_the_issuer_did_not_sign_is_refused(
    issuer: Issuer, provider: OidcProvider, signed: str, sentence: str
) -> None:
    """No algorithm, a public key taken for a secret, a key that the token brings: none works."""
    with pytest.raises(Unauthenticated, match=sentence):
        await provider.stranger(issuer.token(signed=signed))


async def test_none_is_refused_however_it_is_spelt(issuer: Issuer, provider: OidcProvider) -> None:
    """An unsigned token with a signature that is nonsense is unsigned all the same."""
    claims = issuer.token().split(".")[1]
    for name in ("none", "None", "NONE", "nOnE", "", None, 1, ["RS256"]):
        with pytest.raises(Unauthenticated, match="a way that is not taken"):
            await provider.stranger(f"{encoded({'alg': name})}.{claims}.AAAA")


@pytest.mark.parametrize(
    ("alg", "said"), [("RS256", "ES256"), ("ES256", "RS256"), ("ES256", "ES384")]
)
async def test_a_key_goes_with_its_own_kind_of_algorithm(
    issuer: Issuer, provider: OidcProvider, alg: str, said: str
) -> None:
    """A token that says another algorithm than its key has is signed by no key we know."""
    with pytest.raises(Unauthenticated, match="a key that its issuer does not have"):
        await provider.stranger(issuer.token(alg=alg, header={"alg": said}))


async def test_a_key_may_be_bound_to_one_algorithm(issuer: Issuer) -> None:
    """A key that is published for RS512 proves nothing that is signed by RS256."""
    issuer.say("/jwks", {"keys": [{**key, "alg": "RS512"} for key in issuer.keys()[1:2]]})
    async with provider_at(issuer) as provider:
        assert (await provider.stranger(issuer.token(alg="RS512"))).subject == "ann"
        with pytest.raises(Unauthenticated, match="a key that its issuer does not have"):
            await provider.stranger(issuer.token(alg="RS256"))


async def test_a_key_that_does_not_suit_proves_nothing(issuer: Issuer) -> None:
    """Even the very key that signed proves no signature of an algorithm it isn't for."""
    document = issuer.keys()[1]
    signed = tokens.read(issuer.token(), algorithms={"RS256"}, types=tokens.ACCESS)
    [bound] = keys_of({"keys": [{**document, "alg": "RS512"}]})
    [free] = keys_of({"keys": [document]})
    assert not tokens.is_proven(signed, bound)
    assert tokens.is_proven(signed, free)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"crit": ["exp"], "exp": 1}, r"\(crit\)"),
        ({"crit": []}, r"\(crit\)"),
        ({"b64": False, "crit": ["b64"]}, r"\(b64\)"),
        ({"b64": True}, r"\(b64\)"),
        ({"cty": "JWT"}, r"\(cty\)"),
        ({"enc": "A128GCM"}, r"\(enc\)"),
        ({"typ": "logout+jwt"}, "another type"),
        ({"typ": "secevent+jwt"}, "another type"),
        ({"typ": ""}, "another type"),
        ({"typ": 7}, "another type"),
        ({"kid": 7}, "names its key"),
        ({"kid": ""}, "names its key"),
        ({"kid": "k" * 257}, "names its key"),
        ({"x5c": ["A" * 4000]}, "header is too long"),
    ],
)
async def test_a_special_token_is_refused(
    issuer: Issuer, provider: OidcProvider, header: dict[str, Any], sentence: str
) -> None:
    """What would mean another thing than it seems is refused, though its signature is good."""
    with pytest.raises(Unauthenticated, match=sentence):
        await provider.stranger(issuer.token(header=header))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": "application/at+jwt"},
        {"typ": "jwt"},
        {"typ": None},
        {"x5c": ["A" * 2000], "x5t": "AA", "x5u": "https://elsewhere", "nonce": "unheard of"},
        {"jku": "http://127.0.0.1:1/jwks"},
    ],
)
async def test_what_changes_nothing_is_passed_over(
    issuer: Issuer, provider: OidcProvider, header: dict[str, Any]
) -> None:
    """Access tokens say so or not; certificates and unknown names in a header mean nothing."""
    assert (await provider.stranger(issuer.token(header=header))).subject == "ann"


async def test_a_token_may_leave_out_its_key_if_there_is_only_one(issuer: Issuer) -> None:
    """Of several keys that could be meant none is tried."""
    issuer.rotate(keep=True)
    async with provider_at(issuer) as provider:
        found = await provider.stranger(issuer.token(alg="ES256", header={"kid": None}))
        assert found.subject == "ann"
        with pytest.raises(Unauthenticated, match="a key that its issuer does not have"):
            await provider.stranger(issuer.token(alg="RS256", header={"kid": None}))


async def test_what_is_no_token_is_refused(issuer: Issuer, provider: OidcProvider) -> None:
    """Whatever is written there, the answer is a sentence, and the issuer isn't asked."""
    head, claims, signature = issuer.token().split(".")
    heads = [b"", b"A", b"[]", b"[" * 3000, b'{"alg":"RS256","alg":"none"}']
    contents = [
        b'{"sub":"a","sub":"b"}',
        b"[" * 9000,
        b'{"exp":NaN}',
        b'{"exp":' + b"9" * 5000 + b"}",
        b"\xff\xfe",
    ]
    wrong = [
        "",
        "...",
        "a.b",
        f"{head}.{claims}.{signature}.{signature}",
        f"{head}.{claims}.{signature}\n",
        f"{head}.{claims}.{signature[:-2]}==",
        f"{head}.{claims}. {signature}",
        f"{head}.{claims}.é",
        f"{head}.{claims}.{'A' * (16 << 10)}",
        *(f"{encoded(each)}.{claims}.{signature}" for each in heads),
        *(f"{head}.{encoded(each)}.{signature}" for each in contents),
    ]
    for bearer in wrong:
        with pytest.raises(Unauthenticated, match=r"this (is no signed )?token"):
            await provider.stranger(bearer)
    with pytest.raises(Unauthenticated, match="is encrypted"):
        await provider.stranger(f"{head}.AA.AA.{claims}.{signature}")
    assert issuer.asked() == {}


async def test_another_issuers_token_is_refused(issuer: Issuer, provider: OidcProvider) -> None:
    """The issuer's name is compared to the letter, and before anybody is asked for a key."""
    for name in (None, "https://example.com", f"{issuer.url}/", issuer.url.upper(), [issuer.url]):
        with pytest.raises(Unauthenticated, match="of another issuer"):
            await provider.stranger(issuer.token(iss=name))
    assert issuer.asked() == {}


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"aud": "other"}, "for somebody else"),
        ({"aud": None}, "for somebody else"),
        ({"aud": []}, "for somebody else"),
        ({"aud": {CLIENT: 1}}, "for somebody else"),
        ({"aud": ["other"]}, "for somebody else"),
        ({"aud": f"{CLIENT} other"}, "for somebody else"),
        ({"aud": CLIENT, "azp": "other"}, "another client"),
        ({"aud": [CLIENT, "other"]}, "for several"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "another client"),
        ({"sub": None}, "whose it is"),
        ({"sub": ""}, "whose it is"),
        ({"sub": 7}, "whose it is"),
        ({"sub": "s" * 256}, "whose it is"),
        ({"sub": "an\0n"}, "in letters"),
        ({"sub": "änn"}, "in letters"),
        ({"sub": "\ud800"}, "in letters"),
        ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "an event"),
    ],
)
async def test_a_token_for_others_is_refused(
    issuer: Issuer, provider: OidcProvider, claims: dict[str, Any], sentence: str
) -> None:
    """It must be for us, issued to us, and say of whom it is."""
    with pytest.raises(Unauthenticated, match=sentence):
        await provider.stranger(issuer.token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT]},
        {"aud": CLIENT, "azp": CLIENT},
        {"aud": ["other", CLIENT], "azp": CLIENT},
        {"sub": "s" * 255},
    ],
)
async def test_a_token_for_several_is_taken_if_it_is_ours(
    issuer: Issuer, provider: OidcProvider, claims: dict[str, Any]
) -> None:
    """The audience may be a list, and the client that asked for it is us."""
    assert await provider.stranger(issuer.token(**claims))


async def test_an_audience_of_its_own_is_for_every_client(issuer: Issuer) -> None:
    """Where the API has an audience beside the client, any client's token for it is taken."""
    async with provider_at(issuer, audience="https://api.example.com") as provider:
        for party in (None, "their-cli", CLIENT):
            token = issuer.token(aud=["https://api.example.com", "other"], azp=party)
            assert (await provider.stranger(token)).subject == "ann"
        with pytest.raises(Unauthenticated, match="for somebody else"):
            await provider.stranger(issuer.token())


async def test_a_token_counts_for_its_time(issuer: Issuer, provider: OidcProvider) -> None:
    """Before and after it is refused, but for what two clocks may be apart."""
    now, near, far = int(time.time()), SKEW - 20, SKEW + 20
    for times in ({"exp": now - near}, {"nbf": now + near}, {"iat": now + near}):
        assert await provider.stranger(issuer.token(**times))
    for times, sentence in (
        ({"exp": now - far}, "has expired"),
        ({"exp": 0}, "has expired"),
        ({"exp": None}, "never expires"),
        ({"nbf": now + far}, "not valid yet"),
        ({"iat": now + far}, "in the future"),
        ({"exp": str(now + 300)}, "no time"),
        ({"exp": True}, "no time"),
        ({"exp": 10**400}, "no time"),
        ({"nbf": [now]}, "no time"),
        ({"iat": "now"}, "no time"),
    ):
        with pytest.raises(Unauthenticated, match=sentence):
            await provider.stranger(issuer.token(**times))


async def test_a_token_may_last_for_ever_nearly(issuer: Issuer, provider: OidcProvider) -> None:
    """A time after the last that we can write down is that one."""
    found = await provider.stranger(issuer.token(exp=10**18, iat=None))
    assert found.until.year == 9999


@pytest.mark.parametrize("ahead", [SKEW - 20, 20 - SKEW])
async def test_clocks_may_be_apart(issuer: Issuer, provider: OidcProvider, ahead: float) -> None:
    """An issuer whose clock is a little wrong is trusted."""
    issuer.set_clock(ahead=ahead)
    assert await provider.stranger(issuer.token())


@pytest.mark.parametrize(("ahead", "sentence"), [(3600, "in the future"), (-3600, "has expired")])
async def test_clocks_must_not_be_far_apart(
    issuer: Issuer, provider: OidcProvider, ahead: float, sentence: str
) -> None:
    """An issuer whose clock is an hour wrong lets nobody in, and the sentence says why."""
    issuer.set_clock(ahead=ahead)
    with pytest.raises(Unauthenticated, match=sentence):
        await provider.stranger(issuer.token())


async def test_the_skew_can_be_set(issuer: Issuer) -> None:
    """With a skew of a second, a token that expired some seconds ago has expired."""
    async with provider_at(issuer, skew=timedelta(seconds=1)) as provider:
        with pytest.raises(Unauthenticated, match="has expired"):
            await provider.stranger(issuer.token(exp=int(time.time()) - 10))


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email": None},
        {"email": "nobody"},
        {"email": "@example.com"},
        {"email": "ann@"},
        {"email": "ann @example.com"},
        {"email": "ann\0@example.com"},
        {"email": "ann@straße.example"},
        {"email": "a" * 250 + "@example.com"},
        {"email": ["ann@example.com"]},
    ],
)
async def test_only_a_verified_address_is_believed(
    issuer: Issuer, provider: OidcProvider, claims: dict[str, Any]
) -> None:
    """Whoever can claim any address is known by their subject alone."""
    stranger = await provider.stranger(issuer.token(**claims))
    assert (stranger.subject, stranger.email) == ("ann", None)


@pytest.mark.parametrize("name", [None, 7, "", " ", "a\x1b[31m", "\ud800", "n" * 201])
async def test_a_name_that_cannot_be_shown_is_left_out(
    issuer: Issuer, provider: OidcProvider, name: object
) -> None:
    """Nobody is refused for their name, and nothing unprintable passes for one."""
    assert (await provider.stranger(issuer.token(name=name))).name is None

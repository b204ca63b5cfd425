"""Whatever strangers and issuers write is understood, or refused in our words; nothing else."""

import base64
import json
import time
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.bearers import is_from_issuer
from laydown.domain.errors import Unauthenticated
from laydown.oidc import tokens
from laydown.oidc.claims import Expected, check, stranger_of
from laydown.oidc.documents import parse_object
from laydown.oidc.keys import keys_of
from laydown.oidc.registration import ALGORITHMS

NOW = time.time()
EXPECTED = Expected(issuer="https://i", audience="us", client="us", skew=60.0, nonce="n")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, -(10**400), 2.0**1023, "\ud800", "\0", "us", "https://i", NOW])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        name: VALUES | st.sampled_from(["RS256", "ES256", "JWT", "at+jwt", "k"])
        for name in ("alg", "kid", "typ", "crit", "b64", "x5c", "jwk")
    },
)
GOOD = {
    "iss": "https://i",
    "aud": "us",
    "exp": NOW + 100,
    "sub": "ann",
    "nonce": "n",
    "email": "ann@example.com",
    "email_verified": True,
    "name": "Ann",
}
CLAIMS = st.dictionaries(
    st.sampled_from([*GOOD, "azp", "nbf", "iat"]),
    VALUES | st.sampled_from(["us", "https://i", NOW + 100, NOW - 100, True]),
    max_size=3,
).map(lambda changes: {**GOOD, **changes})


def encoded(document: Any) -> str:
    """Return a document as a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){0,5}", fullmatch=True))
def test_any_text_is_no_token(text: str) -> None:
    """A bearer of any letters is refused as one that is not good; it is ours or theirs."""
    is_from_issuer(text)
    try:
        found = tokens.read(text, algorithms=ALGORITHMS.keys(), types=tokens.ACCESS)
    except Unauthenticated:
        return
    assert found.algorithm in ALGORITHMS


@given(HEADERS, CLAIMS)
def test_any_header_and_claims_are_read_or_refused(
    header: dict[str, Any], claims: dict[str, Any]
) -> None:
    """What is read has an algorithm that is allowed, and nothing critical."""
    text = f"{encoded(header)}.{encoded(claims)}.AAAA"
    with suppress(Unauthenticated):
        found = tokens.read(text, algorithms=ALGORITHMS.keys(), types=tokens.ACCESS)
        assert found.algorithm == header["alg"]
        assert "crit" not in header


@given(CLAIMS)
def test_any_claims_name_somebody_or_are_refused(claims: dict[str, Any]) -> None:
    """Whoever is named can be written down: as a subject, an address, a name and a moment."""
    with suppress(Unauthenticated):
        check(claims, EXPECTED, now=NOW)
        found = stranger_of(claims, issuer="https://i")
        assert found.subject.isascii()
        assert found.until.timestamp() > NOW - EXPECTED.skew - 1
        for text in (found.email, found.name):
            assert text is None or (text.isprintable() and text.encode())
        assert found.email is None or claims["email_verified"] is True


@given(
    st.lists(
        st.fixed_dictionaries(
            {"kty": st.sampled_from(["RSA", "EC", "oct", "OKP"]) | VALUES},
            optional={
                name: VALUES | st.sampled_from(["sig", "P-256", "AQAB", "AA", "RS256", ["verify"]])
                for name in ("kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y", "d")
            },
        )
        | VALUES
    )
)
def test_any_key_set_is_read(listed: list[Any]) -> None:
    """What is no key of ours is left out, however it is malformed."""
    assert keys_of({"keys": listed}) == []


@given(st.binary() | st.text().map(str.encode) | VALUES.map(lambda each: json.dumps(each).encode()))
def test_any_bytes_are_an_object_or_an_error_of_value(raw: bytes) -> None:
    """Nothing else than `ValueError` comes of bytes that are no JSON object."""
    with suppress(ValueError):
        assert isinstance(parse_object(raw), dict)

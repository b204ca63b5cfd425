"""A signed token (JWS, compact): read, and proven with a key (RFC 7515, RFC 8725)."""

import base64
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from laydown.domain.errors import Unauthenticated
from laydown.oidc.documents import parse_object
from laydown.oidc.keys import PublicKey

_LONGEST: Final = 16 << 10  # characters
_LONGEST_HEADER: Final = 4 << 10  # characters; a chain of certificates may be in it
_LONGEST_ID: Final = 256  # characters
_PART: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SIGNED, _ENCRYPTED = 3, 5  # parts of a JWS and of a JWE

PLAIN: Final = frozenset({"jwt"})
"""The type an ID token may say, if it says one."""

ACCESS: Final = PLAIN | {"at+jwt"}
"""The types a token may say that comes as a bearer (RFC 9068)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A token as it says it is: nothing of it is true before a key has proven it."""

    algorithm: str
    key: str | None  # the id of the one that signed it
    claims: Mapping[str, Any] = field(repr=False)
    text: str = field(repr=False)


class _Registry(jws.JWSRegistry):
    """The library's bounds, as wide as ours, which were applied before."""

    max_header_length = _LONGEST_HEADER
    max_payload_length = _LONGEST


def read(text: str, *, algorithms: AbstractSet[str], types: AbstractSet[str]) -> Signed:
    """Return a token's parts; raise `Unauthenticated` for one that could never be good."""
    if len(text) > _LONGEST:
        raise Unauthenticated(f"this token is longer than {_LONGEST:,} characters")
    parts = text.split(".")
    if len(parts) == _ENCRYPTED:
        raise Unauthenticated("this token is encrypted; only signed ones are taken")
    if len(parts) != _SIGNED or not all(map(_PART.fullmatch, parts)):
        raise Unauthenticated("this is no signed token: it has not three parts of base64url")
    if len(parts[0]) > _LONGEST_HEADER:
        raise Unauthenticated("this token's header is too long")
    header = _object(parts[0], "header")
    algorithm, key = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Unauthenticated("this token is signed in a way that is not taken")
    if key is not None and (not isinstance(key, str) or not 0 < len(key) <= _LONGEST_ID):
        raise Unauthenticated("this token names its key in no way that is known")
    _refuse_special(header, types)
    return Signed(algorithm=algorithm, key=key, claims=_object(parts[1], "content"), text=text)


def is_proven(token: Signed, key: PublicKey) -> bool:
    """Say whether *key* signed the token, by the token's algorithm, which must suit the key."""
    if not key.suits(token.algorithm):
        return False
    registry = _Registry(algorithms=[token.algorithm], strict_check_header=False)
    try:
        jws.deserialize_compact(token.text, key.key, registry=registry)
    except (JoseError, ValueError):
        return False
    return True


def _refuse_special(header: Mapping[str, Any], types: AbstractSet[str]) -> None:
    """Raise for a header that changes what a token means, whether we knew how or not."""
    type_ = header.get("typ", "jwt")
    if not isinstance(type_, str) or type_.lower().removeprefix("application/") not in types:
        raise Unauthenticated("this is a token of another type than is taken here")
    if special := header.keys() & {"crit", "b64", "cty", "enc", "zip"}:
        name = min(special)
        raise Unauthenticated(f"this token is of a special kind ({name}) that is not taken")


def _object(part: str, what: str) -> Mapping[str, Any]:
    try:
        return parse_object(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError as error:
        raise Unauthenticated(f"this token's {what} can't be read") from error

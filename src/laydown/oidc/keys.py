"""The keys an identity provider publishes, as far as they can be used (RFC 7517)."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from laydown.oidc.registration import ALGORITHMS

_FEWEST_BITS, _MOST_BITS = 2048, 8192  # of an RSA key; RFC 7518, 3.3 asks for the first
_MOST_KEYS: Final = 100  # in a set
_LONGEST_ID: Final = 256  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that proves signatures."""

    id: str | None
    kind: str  # `RSA`, or a curve
    algorithm: str | None  # the only one it goes with; None: any of its kind
    key: RSAKey | ECKey = field(repr=False)

    def suits(self, algorithm: str) -> bool:
        """Say whether signatures of *algorithm* can be this key's."""
        return ALGORITHMS.get(algorithm) == self.kind and self.algorithm in (None, algorithm)


def keys_of(document: Mapping[str, Any]) -> Sequence[PublicKey]:
    """Return the usable keys of a key set; raise `ValueError` for what is none.

    A key that is malformed, weak, private, symmetric or for something else is left out: a set may
    hold keys for others.
    """
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("no list of keys")  # noqa: TRY004 - one error for all that is malformed
    if len(listed) > _MOST_KEYS:
        raise ValueError(f"more than {_MOST_KEYS} keys")
    found = (_key(each) for each in listed if isinstance(each, dict))
    return [key for key in found if key is not None]


def chosen(keys: Sequence[PublicKey], *, id_: str | None, algorithm: str) -> PublicKey | None:
    """Return the key that a token names; None when there is none, or it could be several.

    A token that names none is of the only key there is for its algorithm (OpenID Connect Core,
    10.1).
    """
    suiting = [key for key in keys if key.suits(algorithm) and id_ in (None, key.id)]
    return suiting[0] if len(suiting) == 1 else None


def _key(given: Mapping[str, Any]) -> PublicKey | None:
    try:
        return _usable(given)
    except (ValueError, TypeError, KeyError, JoseError):  # each in its own way no key
        return None


def _usable(given: Mapping[str, Any]) -> PublicKey | None:
    """Return a key of a set, if it may prove signatures; raises for what is malformed."""
    id_, algorithm = given.get("kid"), given.get("alg")
    is_for_this = (
        given.get("use") in (None, "sig")
        and "verify" in given.get("key_ops", ["verify"])
        and "d" not in given  # a private key that is published is everybody's
        and (algorithm is None or algorithm in ALGORITHMS)
        and (id_ is None or (isinstance(id_, str) and len(id_) <= _LONGEST_ID))
    )
    if not is_for_this:
        return None
    match given.get("kty"):
        case "RSA" if _FEWEST_BITS <= _bits(given["n"]) <= _MOST_BITS:
            rsa = RSAKey.import_key({"kty": "RSA", "n": given["n"], "e": given["e"]})
            return PublicKey(id=id_, kind="RSA", algorithm=algorithm, key=rsa)
        case "EC" if given["crv"] in ALGORITHMS.values():
            point = {"kty": "EC", "crv": given["crv"], "x": given["x"], "y": given["y"]}
            curve = ECKey.import_key(point)
            return PublicKey(id=id_, kind=given["crv"], algorithm=algorithm, key=curve)
        case _:
            return None


def _bits(number: str) -> int:
    raw = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return int.from_bytes(raw).bit_length()

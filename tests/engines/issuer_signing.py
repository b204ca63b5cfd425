"""Signs tokens for the identity provider of the tests: well, and in every wrong way."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

SYMMETRIC = "HS256"


class Signer:
    """The keys of a provider. A key's id is its kind and the number of its generation."""

    def __init__(self) -> None:
        self._rsa = [RSAKey.generate_key(2048, private=True) for _ in range(2)]
        self._curves = {
            name: ECKey.generate_key(crv, private=True)
            for name, crv in (("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521"))
        }
        self.foreign = RSAKey.generate_key(2048, private=True)
        self.reset()

    def reset(self) -> None:
        """Have the first generation of keys, and the right time."""
        self.offset = 0.0
        self._generation = 0
        self._kept: list[int] = []

    def now(self) -> int:
        """Return what the provider takes for the time, in seconds since 1970."""
        return int(time.time() + self.offset)

    def rotate(self, *, keep: bool) -> None:
        """Sign with the other RSA key from now on, and *keep* publishing the one before or not."""
        self._kept = [self._generation] if keep else []
        self._generation += 1

    def published(self) -> dict[str, Any]:
        """Return the key set, with keys in it that are none of anybody's business here."""
        generations = [*self._kept, self._generation]
        keys = [
            {"kid": f"rsa-{each}", "use": "sig", **self._rsa[each % 2].as_dict(private=False)}
            for each in generations
        ]
        keys += [{"kid": name, **key.as_dict()} for name, key in self._curves.items()]
        return {"keys": [{"kty": "OKP", "kid": "other"}, *keys, {"kty": "RSA", "use": "enc"}]}

    def mint(self, claims: dict[str, Any], header: dict[str, Any], *, signed: str, alg: str) -> str:
        """Return a token, *signed* well or in a wrong way."""
        kid = alg if alg in self._curves else f"rsa-{self._generation}"
        head: dict[str, Any] = {"alg": alg, "typ": "JWT", "kid": kid}
        match signed:
            case "well":
                key = self._curves.get(alg, self._rsa[self._generation % 2])
            case "by an unknown key":
                head["kid"] = "unknown"
                key = self.foreign
            case "by another key":
                key = self.foreign
            case "by its own key":
                head["jwk"] = self.foreign.as_dict(private=False)
                key = self.foreign
            case "not":
                head["alg"], key = "none", None
            case "with the public key":
                head["alg"], key = SYMMETRIC, self._rsa[self._generation % 2]
            case _:
                raise ValueError(signed)
        head = {name: value for name, value in (head | header).items() if value is not None}
        message = f"{_encoded(head)}.{_encoded(claims)}"
        return f"{message}.{_base64(_signature(message.encode(), head['alg'], key, alg))}"


def _signature(message: bytes, said: str, key: Any, alg: str) -> bytes:
    if key is None:
        return b""
    if said == SYMMETRIC:
        return hmac.digest(key.as_pem(private=False), message, hashlib.sha256)
    return JWSRegistry.algorithms[alg].sign(message, key)


def _encoded(document: dict[str, Any]) -> str:
    return _base64(json.dumps(document).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""Signature Version 4: requests and URLs that prove who made them.

"Signature Version 4 signing process", Amazon S3 API reference. What the signatures of a moment have
in common is computed once, so that one more costs two hashes of short texts.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_LAST_OF_OURS: Final = "X-Amz-SignedHeaders"
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~-]*")  # RFC 3986; nothing else stands for itself
_PATH: Final = re.compile(r"[A-Za-z0-9_.~/-]*")

UNSIGNED: Final = "UNSIGNED-PAYLOAD"
"""Stands for the hash of a body that is not known when a URL is signed."""

EMPTY: Final = hashlib.sha256(b"").hexdigest()
"""The hash of no body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """Who signs, and until when that is believed."""

    id: str
    secret: str
    token: str | None = None  # of a session
    expires_at: float | None = None  # seconds since 1970; None: until it is revoked

    def __repr__(self) -> str:
        """Show nothing that signs."""
        return f"AccessKey(id={self.id!r})"


class Signable(NamedTuple):  # made thousands of times in a row, in half of a dataclass's time
    """A request as it is signed: everything in it but the body, whose hash stands for it."""

    method: str
    host: str
    path: str  # as it goes over the wire, percent-encoded
    query: Mapping[str, str]  # decoded
    headers: Mapping[str, str]  # names in lower case, without `host`


class Signer:
    """Signs for one region with one access key."""

    def __init__(self, key: AccessKey, *, region: str, service: str = "s3") -> None:
        self.key = key
        self.region = region
        self._service = service
        self._second = -1  # of the frame
        self._frame = _Frame(stamp="", scope="", signing_key=b"")

    def headers(
        self, request: Signable, *, at: float, payload_sha256: str = EMPTY
    ) -> dict[str, str]:
        """Return the headers to send with a request made at *at*, its own included."""
        frame = self._framed(int(at))
        headers = {
            **request.headers,
            "x-amz-date": frame.stamp,
            "x-amz-content-sha256": payload_sha256,
        }
        if self.key.token is not None:
            headers["x-amz-security-token"] = self.key.token
        names, lines = _canonical({**headers, "host": request.host})
        query = _joined(_pairs(request.query))
        signature = frame.signature(
            f"{request.method}\n{request.path}\n{query}\n{lines}\n{names}\n{payload_sha256}"
        )
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={self.key.id}/{frame.scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def url(
        self,
        request: Signable,
        *,
        scheme: str,
        at: float,
        life: int,
        payload_sha256: str = UNSIGNED,
    ) -> str:
        """Return a URL that permits exactly this request for *life* seconds from *at*.

        The request's headers must be sent with it.
        """
        frame = self._framed(int(at))
        names, lines = _canonical({**request.headers, "host": request.host})
        terms = frame.terms.get((life, names))
        if terms is None:
            terms = frame.terms[life, names] = self._terms(frame, life, names)
        pairs = _pairs(request.query)
        if pairs and pairs[0][0] < _LAST_OF_OURS:  # the rare name that doesn't come after ours
            query = _joined(sorted([*(_split(term) for term in terms.split("&")), *pairs]))
        else:
            query = f"{terms}&{_joined(pairs)}" if pairs else terms
        signature = frame.signature(
            f"{request.method}\n{request.path}\n{query}\n{lines}\n{names}\n{payload_sha256}"
        )
        return f"{scheme}://{request.host}{request.path}?{query}&X-Amz-Signature={signature}"

    def _terms(self, frame: "_Frame", life: int, names: str) -> str:
        """Return what all URLs of a second with one life and these headers say of themselves."""
        terms = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.key.id}/{frame.scope}",
            "X-Amz-Date": frame.stamp,
            "X-Amz-Expires": str(life),
            _LAST_OF_OURS: names,
        }
        if self.key.token is not None:
            terms["X-Amz-Security-Token"] = self.key.token
        return _joined(_pairs(terms))

    def _framed(self, second: int) -> "_Frame":
        if second != self._second:
            stamp = datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
            scope = f"{stamp[:8]}/{self.region}/{self._service}/aws4_request"
            if scope == self._frame.scope:
                key = self._frame.signing_key
            else:
                key = f"AWS4{self.key.secret}".encode()
                for text in scope.split("/"):
                    key = hmac.digest(key, text.encode(), "sha256")
            self._frame = _Frame(stamp=stamp, scope=scope, signing_key=key)
            self._second = second
        return self._frame


class _Frame:
    """What the signatures of one second have in common."""

    __slots__ = ("_head", "scope", "signing_key", "stamp", "terms")

    def __init__(self, *, stamp: str, scope: str, signing_key: bytes) -> None:
        self.stamp = stamp
        self.scope = scope
        self.signing_key = signing_key
        self.terms: dict[tuple[int, str], str] = {}
        self._head = f"{_ALGORITHM}\n{stamp}\n{scope}\n"

    def signature(self, canonical_request: str) -> str:
        digest = hashlib.sha256(canonical_request.encode()).hexdigest()
        return hmac.digest(self.signing_key, (self._head + digest).encode(), "sha256").hex()


def encoded(text: str) -> str:
    """Return a name or value percent-encoded as signatures have it."""
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="-_.~")


def encoded_path(text: str) -> str:
    """Return a path percent-encoded as signatures have it, its slashes as they are."""
    return text if _PATH.fullmatch(text) else quote(text, safe="/-_.~")


def encoded_query(query: Mapping[str, str]) -> str:
    """Return parameters as they are signed, in the order in which they are signed."""
    return _joined(_pairs(query))


def _pairs(query: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted([(encoded(name), encoded(value)) for name, value in query.items()])


def _joined(pairs: list[tuple[str, str]]) -> str:
    return "&".join([f"{name}={value}" for name, value in pairs])


def _split(term: str) -> tuple[str, str]:
    name, _, value = term.partition("=")
    return name, value


def _canonical(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the names that are signed, and the lines they sign, each with its line's end."""
    ordered, names = _order(tuple(headers))
    return names, "".join([f"{name}:{_plain(headers[name])}\n" for name in ordered])


@lru_cache(maxsize=256)
def _order(names: tuple[str, ...]) -> tuple[list[str], str]:
    ordered = sorted(names)
    return ordered, ";".join(ordered)


def _plain(value: str) -> str:
    """Return a header's value as it is signed: trimmed, and with one space for several."""
    return value if " " not in value and value.isprintable() else " ".join(value.split())

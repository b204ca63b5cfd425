"""What holds between us and the world: the headers of every answer, whoever gives it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from laydown.http.cors import Cors
from laydown.http.origin import FORWARDED_PROTO, Proxies

# The policy is for JSON: nothing in it is to be run, shown in a frame, or kept by a cache.
SAFE: Sequence[tuple[bytes, bytes]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""What an answer says unless it says something else itself."""

# A year, what browsers' lists ask for. Names below ours are not ours to speak for.
_BY_TLS = (b"strict-transport-security", b"max-age=31536000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """Whose word we believe on where requests come from, and whose pages may call us."""

    proxies: Proxies = field(default_factory=Proxies)
    cors: Cors = field(default_factory=Cors)

    def headers(self, *, is_secure: bool, page: bytes | None) -> list[tuple[bytes, bytes]]:
        """Return the headers of an answer; *page* is the request's `Origin`."""
        found = [*SAFE, *self.cors.headers(page)]
        if is_secure:
            found.append(_BY_TLS)
        return found

    def headers_for(
        self, peer: str | None, scheme: str, request: Mapping[bytes, bytes]
    ) -> list[tuple[bytes, bytes]]:
        """Return the headers of the answer to a request whose own are *request*."""
        said = self.proxies.scheme(peer, scheme, request.get(FORWARDED_PROTO, b""))
        return self.headers(is_secure=said == "https", page=request.get(b"origin"))

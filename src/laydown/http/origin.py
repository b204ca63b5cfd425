"""Where a request comes from: the client's address, and how it reached us, as far as we believe it.

A proxy tells in `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` for whom it speaks.
Anybody can send these headers, so they count only when the connection comes from a proxy that is
configured; from everybody else they are as if they were not there. `Forwarded` (RFC 7239) is never
read: of two spellings of one fact, a proxy overwrites one and lets a forged other one through.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.types import Scope

FORWARDED_FOR = b"x-forwarded-for"
FORWARDED_PROTO = b"x-forwarded-proto"
FORWARDED_HOST = b"x-forwarded-host"

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"\[(.*)\](?::[0-9]*)?|([0-9.]*):[0-9]*")  # some proxies add it
_PEERS = 1_024  # whose trust is remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Who asks, and at which address of ours."""

    address: str | None  # of the client; None when it went before we could look
    scheme: str  # http or https
    host: str  # with its port, as the client wrote it; anybody can write anything

    @property
    def is_secure(self) -> bool:
        """Say whether the client came by TLS."""
        return self.scheme == "https"

    def put_into(self, scope: Scope) -> None:
        """Have an ASGI request say this of itself, so that whoever reads it need not know more."""
        scope["client"] = None if self.address is None else (self.address, 0)
        scope["scheme"] = self.scheme
        others = [header for header in scope["headers"] if header[0] != b"host"]
        scope["headers"] = [(b"host", self.host.encode()), *others]


class Proxies:
    """The networks whose word on a request's origin is believed; none, unless they are given."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        """Raise `ValueError` for what is no network, such as `10.0.0.0/8`, and no address."""
        self._networks = [ip_network(network) for network in networks]
        self.trusts = lru_cache(_PEERS)(self._trusts)

    def arrival(self, scope: Scope) -> Arrival:
        """Return where an ASGI request comes from, and how."""
        client = scope.get("client")
        peer = _address(client[0]) if client else None
        scheme, host, address = scope["scheme"], _said(scope, b"host"), peer
        if self.trusts(peer):
            scheme = self.scheme(peer, scheme, _said(scope, FORWARDED_PROTO).encode())
            forwarded = _last(_said(scope, FORWARDED_HOST))
            host = forwarded if _HOST.fullmatch(forwarded) else host
            address = self._client(_said(scope, FORWARDED_FOR), peer)
        if not _HOST.fullmatch(host):
            host = _own(scope)
        return Arrival(address=address, scheme=scheme, host=host)

    def scheme(self, peer: str | None, given: str, forwarded: bytes) -> str:
        """Return how a client came, from what *peer* says in `X-Forwarded-Proto`."""
        if forwarded and self.trusts(peer):
            said = _last(forwarded.decode("latin-1")).lower()
            return said if said in ("http", "https") else given
        return given

    def _trusts(self, peer: str | None) -> bool:
        """Say whether *peer* is one of the proxies."""
        if not self._networks or peer is None:
            return False
        found = _parsed(peer)
        return found is not None and any(found in network for network in self._networks)

    def _client(self, forwarded: str, peer: str | None) -> str | None:
        """Return the last address that no proxy of ours has.

        Each proxy adds whom it spoke with at the end, so from there on we know who wrote what;
        what stands before the first stranger is his own word, or noise.
        """
        address = peer
        for each in _backwards(forwarded):
            found = _address(each)
            if found is None:
                return address
            address = found
            if not self.trusts(found):
                return address
        return address


def _said(scope: Scope, name: bytes) -> str:
    """Return a header's lines as the one list that they are (RFC 9110, 5.3)."""
    return ", ".join(value.decode("latin-1") for found, value in scope["headers"] if found == name)


def _last(values: str) -> str:
    """Return the value that the nearest proxy wrote."""
    return values.rpartition(",")[2].strip()


def _backwards(values: str) -> Iterator[str]:
    while values:
        values, _, last = values.rpartition(",")
        yield last.strip()


def _address(text: str) -> str | None:
    """Return an address in its usual spelling, without a port; None for what is none."""
    found = _parsed(text)
    if found is None and (with_port := _WITH_PORT.fullmatch(text)):
        found = _parsed(with_port[1] or with_port[2] or "")
    return None if found is None else str(found)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _own(scope: Scope) -> str:
    """Return the address that the connection came to."""
    host, port = scope.get("server") or ("localhost", None)
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if port else name

"""What an identity provider and we agreed on: who it is, who we are to it, what is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, urlsplit

ALGORITHMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RS256": "RSA",
        "RS384": "RSA",
        "RS512": "RSA",
        "PS256": "RSA",
        "PS384": "RSA",
        "PS512": "RSA",
        "ES256": "P-256",
        "ES384": "P-384",
        "ES512": "P-521",
    }
)
"""The signatures that can be proven (RFC 7518, 3.1), each with the only kind of key it goes with.

None of them is symmetric: who can prove must not be able to sign.
"""

_LONGEST: Final = 2000  # characters of a URL; more is none that anybody configured


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An identity provider as the settings have it; made by `registration`."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)  # None: a public client, bound by PKCE alone
    audience: str  # whom tokens that come as bearers must be for
    algorithms: frozenset[str]
    skew: timedelta  # how far its clock and ours may be apart


def registration(
    *,
    issuer: str,
    client_id: str,
    client_secret: str | None,
    audience: str | None,
    algorithms: Sequence[str],
    skew: timedelta,
) -> Registration:
    """Return what settings say; raise `ValueError`, with a sentence, for what can't work."""
    split = secured(issuer)
    if split.query or split.fragment:
        raise ValueError(f"{issuer!r} is no issuer: it has no query and no fragment")
    if unknown := sorted(set(algorithms) - ALGORITHMS.keys()):
        known = ", ".join(ALGORITHMS)
        raise ValueError(f"{', '.join(unknown)}: no algorithm that is taken; these are: {known}")
    if not algorithms:
        raise ValueError("no algorithm is allowed, so no token could be taken")
    return Registration(
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        audience=audience or client_id,
        algorithms=frozenset(algorithms),
        skew=skew,
    )


def secured(url: str) -> SplitResult:
    """Return the parts of a URL that nobody in between can answer for.

    That is https, or http on this machine; raises `ValueError`, with a sentence, for others.
    """
    if len(url) > _LONGEST or not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError(f"{url[:60]!r} is no URL")
    try:
        split = urlsplit(url)
        host, _ = split.hostname, split.port  # which raises for what is no port
    except ValueError:
        raise ValueError(f"{url!r} is no URL") from None
    if not host or split.username is not None or split.password is not None:
        raise ValueError("this is no URL that has a host, and no user name or password")
    if split.scheme != "https" and not (split.scheme == "http" and _is_here(host)):
        raise ValueError(f"{url!r} does not begin with https://")
    return split


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

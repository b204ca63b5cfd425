"""What a proven token claims: that it is for us, now, and of whom (RFC 7519, OpenID Connect)."""

import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from laydown.domain.errors import Unauthenticated
from laydown.ports import Stranger

_LONGEST_SUBJECT: Final = 255  # ASCII characters (OpenID Connect Core, 2)
_LONGEST_EMAIL: Final = 254  # characters (RFC 5321, 4.5.3.1.3, without its brackets)
_LONGEST_NAME: Final = 200  # characters
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must claim to be taken."""

    issuer: str
    audience: str
    client: str | None  # the only party it may have been issued to; None: any
    skew: float  # seconds that the issuer's clock and ours may be apart
    nonce: str | None = field(default=None, repr=False)  # of the sign-in it answers


def check_issuer(claims: Mapping[str, Any], issuer: str) -> None:
    """Raise `Unauthenticated` unless the token says that it is of *issuer*, to the letter."""
    if claims.get("iss") != issuer:
        raise Unauthenticated("this token is of another issuer than the one that is trusted here")


def check(claims: Mapping[str, Any], expected: Expected, *, now: float) -> None:
    """Raise `Unauthenticated` unless a token is for us, and counts *now* (seconds since 1970)."""
    check_issuer(claims, expected.issuer)
    if "events" in claims:  # RFC 8417, and the logout tokens of OpenID Connect
        raise Unauthenticated("this token tells of an event; it lets nobody in")
    _check_audience(claims, expected)
    _check_times(claims, expected.skew, now)
    if expected.nonce is not None and not _is_same(claims.get("nonce"), expected.nonce):
        raise Unauthenticated("this token answers another sign-in; begin anew")


def stranger_of(claims: Mapping[str, Any], *, issuer: str) -> Stranger:
    """Return whom checked claims are of; raise `Unauthenticated` when they name nobody."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise Unauthenticated("this token does not say whose it is")
    if not (subject.isascii() and subject.isprintable()):
        raise Unauthenticated("this token says whose it is in letters that no issuer may use")
    return Stranger(
        issuer=issuer,
        subject=subject,
        email=verified_email(claims),
        name=_shown(claims.get("name"), _LONGEST_NAME),
        until=_moment(claims["exp"]),
    )


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return the e-mail address that the issuer says it has verified, or None.

    One with letters beyond ASCII is left out: folded to compare, it may equal another one's.
    """
    if claims.get("email_verified") is not True:
        return None
    email = _shown(claims.get("email"), _LONGEST_EMAIL)
    if email is None or not email.isascii() or " " in email:
        return None
    local, _, domain = email.rpartition("@")
    return email if local and domain else None


def _check_audience(claims: Mapping[str, Any], expected: Expected) -> None:
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or expected.audience not in named:
        raise Unauthenticated("this token is for somebody else than this server")
    party = claims.get("azp")
    if expected.client is None:
        return
    if party is None and len(named) > 1:
        raise Unauthenticated("this token is for several, and does not say who asked for it")
    if party not in (None, expected.client):
        raise Unauthenticated("this token was issued to another client than this server")


def _check_times(claims: Mapping[str, Any], skew: float, now: float) -> None:
    expires = _time(claims, "exp")
    if expires is None:
        raise Unauthenticated("this token never expires; only those are taken that do")
    if now >= expires + skew:
        raise Unauthenticated("this token has expired; get a new one")
    begins = _time(claims, "nbf")
    if begins is not None and now < begins - skew:
        raise Unauthenticated("this token is not valid yet; is a clock wrong?")
    issued = _time(claims, "iat")
    if issued is not None and now < issued - skew:
        raise Unauthenticated("this token was issued in the future; is a clock wrong?")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time in seconds since 1970, or None when it isn't there."""
    value = claims.get(name)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        found = float(value) if is_number else math.nan
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise Unauthenticated(f"this token's time {name} is no time")
    return found


def _moment(seconds: float) -> datetime:
    return _LAST if seconds >= _LAST.timestamp() else datetime.fromtimestamp(seconds, UTC)


def _shown(value: object, longest: int) -> str | None:
    """Return a text that people can read, or None for anything else."""
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        return None
    return value.strip() or None


def _is_same(given: object, kept: str) -> bool:
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), kept.encode())

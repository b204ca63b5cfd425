"""How connections to Postgres are opened: with a password, or with a token of AWS's IAM."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from laydown.objects.credentials import Credentials
from laydown.objects.sigv4 import EMPTY, Signable
from laydown.postgres.pool import Password, check_address, parts_of
from laydown.settings import BadSettings, Settings

_LIFE: Final = 900
"""Seconds that a token is good for: RDS takes no other number ("IAM database authentication")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where Postgres is, and what it wants of whoever connects."""

    conninfo: str
    password: Password | None  # asked for each connection; None: what conninfo says


def login_of(settings: Settings) -> Login:
    """Return how to connect; raise `BadSettings` for what can't work."""
    conninfo = settings.database or ""
    try:
        check_address(conninfo)
    except ValueError as error:
        raise BadSettings(f"LAYDOWN_DATABASE is no Postgres address: {error}") from None
    if settings.database_iam is not None:
        return Login(conninfo=conninfo, password=_token(conninfo, settings.database_iam))
    if settings.database_password is not None:
        return Login(conninfo=conninfo, password=_always(settings.database_password))
    return Login(conninfo=conninfo, password=None)


def _always(password: str) -> Password:
    async def told() -> str:
        return password

    return told


def _token(conninfo: str, region: str) -> Password:
    parts = parts_of(conninfo)
    host, user = parts.get("host"), parts.get("user")
    if not host or not user:
        raise BadSettings("LAYDOWN_DATABASE_IAM needs `host` and `user` in LAYDOWN_DATABASE")
    if parts.get("sslmode") != "verify-full":  # whoever sees a token may be us for its life
        raise BadSettings("LAYDOWN_DATABASE_IAM needs `sslmode=verify-full` in LAYDOWN_DATABASE")
    credentials = Credentials(region=region, service="rds-db", purpose="the database")
    return token_of(credentials, place=f"{host}:{parts.get('port') or 5432}", user=user)


def token_of(
    credentials: Credentials, *, place: str, user: str, now: Callable[[], float] = time.time
) -> Callable[[], Awaitable[str]]:
    """Return what makes a new token for each connection of *user* to *place* (`HOST:PORT`)."""

    async def signed() -> str:
        signer = await credentials.signer()
        wish = Signable("GET", place, "/", {"Action": "connect", "DBUser": user}, {})
        url = signer.url(wish, scheme="https", at=now(), life=_LIFE, payload_sha256=EMPTY)
        return url.removeprefix("https://")

    return signed

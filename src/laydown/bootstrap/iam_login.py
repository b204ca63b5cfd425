"""Logging in to Postgres with tokens of AWS's IAM, each good for a quarter of an hour."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from laydown.objects.credentials import Credentials
from laydown.objects.sigv4 import EMPTY, Signable
from laydown.postgres.pool import Password, parts_of
from laydown.settings import BadSettings

_LIFE: Final = 900
"""Seconds that a token is good for: RDS takes no other number ("IAM database authentication")."""


def password_of(conninfo: str, region: str) -> Password:
    """Return what makes a token for each connection; raise `BadSettings` for what can't work."""
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

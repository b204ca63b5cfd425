"""How connections to Postgres are opened: with a password, or with a token of AWS's IAM."""

from dataclasses import dataclass

from laydown.postgres.pool import Password, check_address
from laydown.settings import BadSettings, Settings


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
        # Only who logs in so loads what AWS's credentials take: a third of a second.
        from laydown.bootstrap.iam_login import password_of  # noqa: PLC0415

        return Login(conninfo=conninfo, password=password_of(conninfo, settings.database_iam))
    if settings.database_password is not None:
        return Login(conninfo=conninfo, password=_always(settings.database_password))
    return Login(conninfo=conninfo, password=None)


def _always(password: str) -> Password:
    async def told() -> str:
        return password

    return told

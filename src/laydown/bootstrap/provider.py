"""The identity provider whose people are let in, as the settings say."""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING

from laydown.settings import PREFIX, BadSettings, Settings

if TYPE_CHECKING:
    from laydown.oidc.provider import OidcProvider
    from laydown.oidc.registration import Registration


def provider_of(settings: Settings) -> "AbstractAsyncContextManager[OidcProvider | None]":
    """Return what opens the provider, and closes it after; it gives None where there is none.

    Nobody is asked yet: a provider that is away keeps no server from starting. Raises
    `BadSettings` for settings that can't work.
    """
    agreed = registration_of(settings)
    if agreed is None:
        return nullcontext()
    from laydown.oidc.provider import open_provider  # noqa: PLC0415 - only who has one loads it

    return open_provider(agreed)


def registration_of(settings: Settings) -> "Registration | None":
    """Return what the settings say of a provider, or None; raises `BadSettings`."""
    if settings.oidc_issuer is None:
        for name in ("oidc_client_id", "oidc_client_secret", "oidc_audience"):
            if getattr(settings, name) is not None:
                raise BadSettings(
                    f"{PREFIX}{name.upper()} is set, but no {PREFIX}OIDC_ISSUER that it is for"
                )
        return None
    if settings.oidc_client_id is None:
        raise BadSettings(f"{PREFIX}OIDC_ISSUER is set: say {PREFIX}OIDC_CLIENT_ID, too")
    from laydown.oidc.registration import registration  # noqa: PLC0415 - as above

    try:
        return registration(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            audience=settings.oidc_audience,
            algorithms=settings.oidc_algorithms,
            skew=settings.oidc_skew,
        )
    except ValueError as error:
        raise BadSettings(f"{PREFIX}OIDC_ISSUER: {error}") from None

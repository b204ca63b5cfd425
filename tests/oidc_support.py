"""What the suites of the identity provider share."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from laydown.oidc.provider import OidcProvider, open_provider
from laydown.oidc.publication import Freshness
from laydown.oidc.registration import ALGORITHMS, registration
from tests.engines.issuer import CLIENT, SECRET, Issuer

FRESHNESS = Freshness()
SKEW = 60  # seconds


class Clock:
    """A clock that goes when it is told to, in seconds."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        """Return what it shows."""
        return self.time

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds


def provider_at(
    server: Issuer,
    *,
    patience: float = 5.0,
    elapsed: Clock | None = None,
    **agreed: Any,
) -> AbstractAsyncContextManager[OidcProvider]:
    """Open a provider for an issuer; what is *agreed* with it may differ from the usual."""
    usual: dict[str, Any] = {
        "issuer": server.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "audience": None,
        "algorithms": tuple(ALGORITHMS),
        "skew": timedelta(seconds=SKEW),
    }
    return open_provider(
        registration(**(usual | agreed)),
        patience=patience,
        freshness=FRESHNESS,
        elapsed=elapsed or Clock(),
    )

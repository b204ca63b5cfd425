"""Who says who somebody is: an identity provider (OpenID Connect)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody an identity provider vouches for, who may be nobody's member yet.

    Issuer and subject together name them for ever. Everything else may change, and an address
    that the issuer hasn't verified is left out: anybody can claim one.
    """

    issuer: str
    subject: str  # 1 to 255 printable ASCII characters
    email: str | None  # verified by the issuer
    name: str | None
    until: datetime  # when the issuer's word ends


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in under way: where the browser goes, and what is kept for it until it returns.

    What is kept belongs to that one browser, and is used once.
    """

    url: str = field(repr=False)  # tells state and nonce, too
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a browser brings back from an identity provider, as its query says it."""

    state: str | None
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    issuer: str | None = None  # RFC 9207's `iss`


class IdentityProvider(Protocol):
    """Says who somebody is.

    Raises `Unauthenticated`, with a sentence for whoever asks, for what doesn't prove it, and
    `IssuerUnavailable` when that can't be found out now.
    """

    async def stranger(self, bearer: str) -> Stranger:
        """Return who a token of the provider speaks for."""
        ...

    async def begin_sign_in(self, redirect_uri: str) -> SignIn:
        """Return where to send a browser that shall come back to *redirect_uri*."""
        ...

    async def finish_sign_in(self, begun: SignIn, returned: Returned) -> Stranger:
        """Return who came back from a sign-in that was begun."""
        ...

"""What an identity provider publishes: where to ask, and its keys; asked for seldom."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from laydown.domain.errors import IssuerUnavailable
from laydown.oidc.conversation import Conversation
from laydown.oidc.keys import PublicKey, chosen, keys_of
from laydown.oidc.registration import secured

_WELL_KNOWN: Final = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long, in seconds, what was published counts."""

    fresh: float = 300.0  # nobody asks again; a key that was withdrawn works for so long
    kept: float = 3600.0  # it is still used while the provider is away
    pause: float = 15.0  # the least between two times we ask, whatever strangers show us


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published at one moment."""

    keys: Sequence[PublicKey]
    authorization: str | None  # where browsers sign in
    token: str | None  # where a code becomes tokens
    userinfo: str | None  # where an access token becomes claims
    at: float  # by the clock of `Publication`


class Publication:
    """The provider's configuration and keys, as fresh as they have to be.

    Asked for at most once a `pause`, by one request at a time for all who wait. While the provider
    is away what it said last is used, for `kept` seconds.
    """

    def __init__(
        self,
        issuer: str,
        conversation: Conversation,
        *,
        freshness: Freshness,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._conversation = conversation
        self._freshness = freshness
        self._elapsed = elapsed
        self._held: Published | None = None
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._why = "nobody has asked yet"

    async def current(self) -> Published:
        """Return what is published; raise `IssuerUnavailable` when that isn't known."""
        if (held := self._younger_than(self._freshness.fresh)) is not None:
            return held
        spare = self._younger_than(self._freshness.kept)
        if spare is not None and self._is_asking:
            return spare
        await self._renew()
        if (found := self._younger_than(self._freshness.kept)) is None:
            raise IssuerUnavailable(self._why)
        return found

    async def key(self, id_: str | None, algorithm: str) -> PublicKey | None:
        """Return the key that a token names, or None; raises as `current` does.

        One that isn't known may be new, so the provider is asked once more, if that wasn't done a
        moment ago.
        """
        found = chosen((await self.current()).keys, id_=id_, algorithm=algorithm)
        if found is not None:
            return found
        await self._renew()
        return chosen((await self.current()).keys, id_=id_, algorithm=algorithm)

    def known(self) -> str:
        """Return how it answered when it was asked last, in words."""
        return self._why

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    def _younger_than(self, age: float) -> Published | None:
        held = self._held
        return held if held is not None and self._elapsed() - held.at < age else None

    @property
    def _is_asking(self) -> bool:
        return self._asking is not None and not self._asking.done()

    async def _renew(self) -> None:
        """Ask, unless that was done a moment ago; wait for whoever is asking already."""
        if not self._is_asking:
            if self._elapsed() - self._asked_at < self._freshness.pause:
                return
            self._asked_at = self._elapsed()
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None:
            # Who waits may go away; what is asked is for everybody.
            await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            self._held = await self._published()
        except IssuerUnavailable as error:
            self._why = str(error)
        else:
            self._why = "answers"

    async def _published(self) -> Published:
        at = self._elapsed()
        where = self._issuer.removesuffix("/") + _WELL_KNOWN
        configuration = await self._document(where)
        if configuration.get("issuer") != self._issuer:
            raise IssuerUnavailable(
                f"{where} is of another issuer: it says {str(configuration.get('issuer'))[:200]!r}"
            )
        authorization, token, userinfo, jwks = (
            _place(configuration, name)
            for name in (
                "authorization_endpoint",
                "token_endpoint",
                "userinfo_endpoint",
                "jwks_uri",
            )
        )
        if jwks is None:
            raise IssuerUnavailable(f"{where} does not say where its keys are")
        try:
            keys = keys_of(await self._document(jwks))
        except ValueError as error:
            raise IssuerUnavailable(f"{jwks} is no key set: {error}") from error
        return Published(
            keys=keys, authorization=authorization, token=token, userinfo=userinfo, at=at
        )

    async def _document(self, url: str) -> Mapping[str, Any]:
        answer = await self._conversation.get(url)
        if not answer.is_granted:
            raise IssuerUnavailable(f"{url} is refused to us")
        return answer.said


@asynccontextmanager
async def publication(
    issuer: str,
    conversation: Conversation,
    *,
    freshness: Freshness,
    elapsed: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Publication]:
    """Follow what an issuer publishes, for as long as the block runs."""
    followed = Publication(issuer, conversation, freshness=freshness, elapsed=elapsed)
    try:
        yield followed
    finally:
        await followed.close()


def _place(configuration: Mapping[str, Any], name: str) -> str | None:
    """Return an address of the configuration; raise `IssuerUnavailable` for what is unsafe."""
    url = configuration.get(name)
    if url is None:
        return None
    try:
        secured(url if isinstance(url, str) else repr(url))
    except ValueError as error:
        raise IssuerUnavailable(f"the issuer's {name} can't be used: {error}") from error
    return str(url)

"""The `IdentityProvider` that speaks OpenID Connect: bearers, and the code flow with PKCE."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from laydown.domain.errors import IssuerUnavailable, Unauthenticated
from laydown.oidc import tokens
from laydown.oidc.claims import Expected, check, check_issuer, stranger_of, verified_email
from laydown.oidc.conversation import Conversation, conversing
from laydown.oidc.publication import Freshness, Publication, publication
from laydown.oidc.registration import Registration
from laydown.ports import Returned, SignIn, Stranger

PATIENCE: Final = 5.0
"""Seconds that a provider may take for an answer."""

_SCOPE: Final = "openid email profile"
_LONGEST_CODE: Final = 4096  # characters


class OidcProvider:
    """Says who somebody is, by the word of one issuer. Opened by `open_provider`."""

    def __init__(
        self,
        registration: Registration,
        conversation: Conversation,
        publication: Publication,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._registration = registration
        self._conversation = conversation
        self._publication = publication
        self._now = now

    async def stranger(self, bearer: str) -> Stranger:
        """Return who a token of the issuer speaks for.

        It may be an access token or, where tokens are for our client itself, an ID token. Raises
        `Unauthenticated` for any that isn't good now, and `IssuerUnavailable`.
        """
        ours = self._registration
        client = ours.client_id if ours.audience == ours.client_id else None
        claims = await self._proven(
            bearer, types=tokens.ACCESS, expected=self._expected(ours.audience, client)
        )
        return stranger_of(claims, issuer=ours.issuer)

    async def begin_sign_in(self, redirect_uri: str) -> SignIn:
        """Return where to send a browser, and what to keep for it; raises `IssuerUnavailable`."""
        where = (await self._publication.current()).authorization
        if where is None:
            raise IssuerUnavailable("the issuer does not say where people sign in")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        query = {
            "response_type": "code",
            "client_id": self._registration.client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        return SignIn(
            url=f"{where}{'&' if '?' in where else '?'}{urlencode(query, quote_via=quote)}",
            redirect_uri=redirect_uri,
            state=state,
            nonce=nonce,
            verifier=verifier,
        )

    async def finish_sign_in(self, begun: SignIn, returned: Returned) -> Stranger:
        """Return who came back from a sign-in that was begun.

        Raises `Unauthenticated` when it isn't that sign-in, or was refused, or is too old, and
        `IssuerUnavailable`.
        """
        ours = self._registration
        code = _code_of(begun, returned, issuer=ours.issuer)
        said = await self._exchanged(code, begun)
        id_token = said.get("id_token")
        if not isinstance(id_token, str):
            raise IssuerUnavailable("the issuer gave no ID token for a code")
        expected = self._expected(ours.client_id, ours.client_id)
        claims = await self._proven(
            id_token, types=tokens.PLAIN, expected=replace(expected, nonce=begun.nonce)
        )
        found = stranger_of(claims, issuer=ours.issuer)
        if found.email is not None:
            return found
        return replace(found, email=await self._email(found.subject, said.get("access_token")))

    async def check(self) -> str:
        """Return a sentence with what the issuer publishes; raises `IssuerUnavailable`."""
        ours = self._registration
        published = await self._publication.current()
        keys = [key for key in published.keys if any(key.suits(name) for name in ours.algorithms)]
        if not keys:
            raise IssuerUnavailable(f"{ours.issuer} publishes no key that could be used")
        answer = f"{ours.issuer} answers, with {len(keys)} usable key{'s' * (len(keys) != 1)}"
        if published.authorization is None or published.token is None:
            return f"{answer}; nobody can sign in there"
        return answer

    def known(self) -> str:
        """Return a sentence with how the issuer answered last; nobody is asked for it."""
        return f"{self._registration.issuer}: {self._publication.known()}"

    def _expected(self, audience: str, client: str | None) -> Expected:
        ours = self._registration
        return Expected(
            issuer=ours.issuer,
            audience=audience,
            client=client,
            skew=ours.skew.total_seconds(),
        )

    async def _proven(
        self, text: str, *, types: frozenset[str], expected: Expected
    ) -> Mapping[str, Any]:
        """Return a token's claims, proven and checked."""
        token = tokens.read(text, algorithms=self._registration.algorithms, types=types)
        check_issuer(token.claims, expected.issuer)  # of another one we have no keys
        key = await self._publication.key(token.key, token.algorithm)
        if key is None:
            raise Unauthenticated("this token is signed with a key that its issuer does not have")
        if not tokens.is_proven(token, key):
            raise Unauthenticated("this token's signature is wrong")
        check(token.claims, expected, now=self._now())
        return token.claims

    async def _exchanged(self, code: str, begun: SignIn) -> Mapping[str, Any]:
        """Return what the issuer gives for a code."""
        where = (await self._publication.current()).token
        if where is None:
            raise IssuerUnavailable("the issuer does not say where a code becomes a token")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect_uri,
            "code_verifier": begun.verifier,
        }
        ours = self._registration
        if ours.client_secret is None:
            answer = await self._conversation.post(
                where, {**form, "client_id": ours.client_id}, headers={}
            )
        else:
            basic = _basic(ours.client_id, ours.client_secret)
            answer = await self._conversation.post(where, form, headers={"Authorization": basic})
        if answer.is_granted:
            return answer.said
        if answer.said.get("error") == "invalid_grant":
            raise Unauthenticated("this sign-in is too old, or was used before; begin anew")
        # Our own registration is at fault, or the issuer is; nobody who signs in can help it.
        raise IssuerUnavailable(f"{where} refuses us: {str(answer.said.get('error'))[:100]!r}")

    async def _email(self, subject: str, access_token: object) -> str | None:
        """Ask for the e-mail address that an ID token left out (OpenID Connect Core, 5.4)."""
        where = (await self._publication.current()).userinfo
        if where is None or not isinstance(access_token, str):
            return None
        if not (access_token.isascii() and access_token.isprintable()):
            return None
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = await self._conversation.get(where, headers=headers)
        if not answer.is_granted or answer.said.get("sub") != subject:
            return None  # of somebody else it is worth nothing (5.3.2)
        return verified_email(answer.said)


@asynccontextmanager
async def open_provider(
    registration: Registration,
    *,
    patience: float = PATIENCE,
    freshness: Freshness | None = None,
    now: Callable[[], float] = time.time,
    elapsed: Callable[[], float] = time.monotonic,
) -> AsyncIterator[OidcProvider]:
    """Open the provider for as long as the block runs; the issuer is asked when it is needed."""
    async with (
        conversing(patience=patience) as conversation,
        publication(
            registration.issuer,
            conversation,
            freshness=freshness or Freshness(),
            elapsed=elapsed,
        ) as published,
    ):
        yield OidcProvider(registration, conversation, published, now=now)


def _code_of(begun: SignIn, returned: Returned, *, issuer: str) -> str:
    """Return the code that a browser brings back; raise `Unauthenticated` for anything else."""
    given = (returned.state or "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, begun.state.encode()):
        raise Unauthenticated("this is not the sign-in that was begun in this browser; begin anew")
    if returned.issuer not in (None, issuer):
        raise Unauthenticated("this sign-in comes back from another issuer; begin anew")
    if returned.error is not None:
        raise Unauthenticated("the identity provider let nobody in; begin anew")
    code = returned.code
    if not code or len(code) > _LONGEST_CODE or not (code.isascii() and code.isprintable()):
        raise Unauthenticated("this sign-in comes back without a code; begin anew")
    return code


def _challenge(verifier: str) -> str:
    """Return what RFC 7636 sends ahead of a verifier (S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _basic(client_id: str, client_secret: str) -> str:
    """Return how RFC 6749, 2.3.1 has a client say who it is: each half encoded as in a form."""
    pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()

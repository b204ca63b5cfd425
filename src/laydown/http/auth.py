"""Who is asking: a token, a drop link, or a browser with a session."""

import hashlib
import hmac
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from fastapi import Depends, Header, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from laydown.domain.errors import Forbidden, InvalidRequest, Unauthenticated
from laydown.domain.upload import OrganizationId
from laydown.http import rates
from laydown.http.context import Served, Services
from laydown.ports import SecretKind
from laydown.services.identity import Caller, Origin
from laydown.services.sessions import SESSION_LIFE

COOKIE = "laydown_session"
CSRF_HEADER = "X-CSRF-Token"

_CALLER = "laydown.caller"  # in the scope of a request, once it is known
_ORGANIZATION = "Laydown-Organization"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description=(
        "A token of a member (`ldn_…`), the secret of a drop link (`ldl_…`), or a token of the "
        "identity provider; a member of several organizations names one as `Laydown-Organization`."
    ),
)
_cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description=f"A browser's session; what changes something also sends `{CSRF_HEADER}`.",
)


async def origin_of(request: Request) -> Origin:
    """Return where a request came from."""
    known = structlog.contextvars.get_contextvars()
    return Origin(
        address=request.client.host if request.client else None, request=known.get("request_id")
    )


Came = Annotated[Origin, Depends(origin_of)]
"""Where the request came from."""


# Which of their organizations somebody means; our own secrets say it themselves.
Meant = Annotated[UUID | None, Header(alias=_ORGANIZATION, include_in_schema=False)]


async def _caller(
    request: Request,
    served: Served,
    origin: Came,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    session: Annotated[str | None, Security(_cookie)],
    meant: Meant = None,
) -> Caller:
    known: Caller | None = request.scope.get(_CALLER)
    if known is not None:
        return known
    caller = await _identified(request, served, origin, given, session, meant)
    request.scope[_CALLER] = caller
    rates.tell(request.scope, await served.rating.spend(caller))
    return caller


async def _identified(
    request: Request,
    served: Services,
    origin: Origin,
    given: HTTPAuthorizationCredentials | None,
    session: str | None,
    meant: UUID | None,
) -> Caller:
    if given is not None:
        organization = None if meant is None else OrganizationId(meant)
        caller = await served.identity.caller(given.credentials, origin, organization=organization)
        if caller.shown is SecretKind.SESSION:  # a cookie's text is of no use to a program
            raise Unauthenticated
        return caller
    if session is None:
        raise Unauthenticated
    caller = await served.identity.caller(session, origin)
    if caller.shown is not SecretKind.SESSION:
        raise Unauthenticated
    if request.method not in _READING:
        _check_is_our_page(request, session)
    return caller


Called = Annotated[Caller, Depends(_caller)]
"""The caller that the bearer token or the session names; without a valid one, 401.

Each request counts against the caller's rates: past those, 429."""


async def caller_of(request: Request, services: Services) -> Caller:
    """Return who is asking, as `Called` does, before a route is run; it is found out once."""
    return await _caller(
        request,
        services,
        await origin_of(request),
        await _bearer(request),
        await _cookie(request),
        _meant(request),
    )


def _meant(request: Request) -> UUID | None:
    text = request.headers.get(_ORGANIZATION)
    try:
        return None if text is None else UUID(text)
    except ValueError:
        fault = (f"/header/{_ORGANIZATION}", "Expected a UUID")
        raise InvalidRequest("A parameter of the request can't be read.", (fault,)) from None


def shown(request: Request) -> bytes:
    """Return the secret that the request came with."""
    text = request.headers.get("authorization", "").partition(" ")[2]
    return (text.strip() or request.cookies.get(COOKIE, "")).encode()


def csrf_of(session: str) -> str:
    """Return what a page with this session must send along with whatever changes something.

    Another site's page can make the browser send the cookie, but can't read this.
    """
    return hmac.new(session.encode(), b"laydown csrf", hashlib.sha256).hexdigest()


def remember(response: Response, session: str, *, is_secure: bool) -> None:
    """Have the browser keep a session, out of reach of scripts."""
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",  # strict would sign out whoever follows a link in an e-mail
    )


def forget(response: Response) -> None:
    """Have the browser drop its session."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


def _check_is_our_page(request: Request, session: str) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode(), csrf_of(session).encode()):
        raise Forbidden(f"this changes something: send the `csrf` of /v1/me as {CSRF_HEADER}")
    page = request.headers.get("origin")
    if page is not None and urlsplit(page).netloc != request.url.netloc:
        raise Forbidden("a session is good for our own pages only")

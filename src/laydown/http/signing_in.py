"""Browsers sign in at the identity provider, and come back with a session."""

import re
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import Cookie, Query, Request, Response
from fastapi.responses import RedirectResponse

from laydown.domain.errors import (
    Forbidden,
    InvalidRequest,
    IssuerUnavailable,
    LaydownError,
    Unauthenticated,
)
from laydown.domain.upload import OrganizationId
from laydown.http.auth import Came
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.http.sessions import HOME, hand_over, turned_away
from laydown.ports import Returned, SignIn
from laydown.services.identity import SeveralOrganizations

COOKIE: Final = "laydown_signin"
RETURN: Final = "/signin/return"

_LIFE: Final = 600  # seconds that somebody may take to sign in
# State, nonce and verifier, each 256 bits in base64url, and which organization was meant.
_KEPT: Final = re.compile(r"([\w-]{43})\.([\w-]{43})\.([\w-]{43})\.([0-9a-f]{32})?", re.ASCII)

router = routing("sessions", is_open=True)


@router.get(
    "/signin/provider",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses=documented(Unauthenticated, InvalidRequest, IssuerUnavailable),
)
async def go_to_provider(
    served: Served, request: Request, organization: UUID | None = None
) -> Response:
    """Send the browser to the identity provider; who is in several organizations names one."""
    try:
        begun = await served.sessions.begin(_return_to(request))
    except (Unauthenticated, IssuerUnavailable) as refusal:
        return _turned_away(request, refusal)
    meant = "" if organization is None else organization.hex
    answer = RedirectResponse(begun.url, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        f"{begun.state}.{begun.nonce}.{begun.verifier}.{meant}",
        max_age=_LIFE,
        path=RETURN,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # the provider's page sends the browser back: strict would be left out
    )
    return answer


@router.get(
    RETURN,
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses=documented(Unauthenticated, Forbidden, InvalidRequest, IssuerUnavailable),
)
async def come_back(
    served: Served,
    came: Came,
    request: Request,
    state: str | None = None,
    code: str | None = None,
    error: str | None = None,
    issuer: Annotated[str | None, Query(alias="iss")] = None,
    kept: Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)] = None,
) -> Response:
    """Open a session for whom the identity provider vouches, and go to the first page.

    A browser that gets none is sent to the page for signing in.
    """
    returned = Returned(state=state, code=code, error=error, issuer=issuer)
    try:
        begun, organization = _begun(kept, request)
        opened = await served.sessions.finish(begun, returned, came, organization=organization)
    except (Unauthenticated, Forbidden, IssuerUnavailable) as refusal:
        return _turned_away(request, refusal)
    answer = RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, path=RETURN, httponly=True, samesite="lax")
    hand_over(answer, opened, request)
    return answer


def _turned_away(request: Request, refusal: LaydownError) -> Response:
    """Tell a browser what is wrong in one of the page's words."""
    match refusal:
        case SeveralOrganizations(organizations=organizations):
            return turned_away(request, refusal, "several", organizations=organizations)
        case Forbidden():
            return turned_away(request, refusal, "stranger")
        case IssuerUnavailable():
            return turned_away(request, refusal, "away")
        case _:
            return turned_away(request, refusal, "provider")


def _begun(kept: str | None, request: Request) -> tuple[SignIn, OrganizationId | None]:
    """Return the sign-in that this browser began, and the organization that was meant."""
    match = _KEPT.fullmatch(kept or "")
    if match is None:
        raise Unauthenticated("no sign-in was begun in this browser, or it took too long")
    begun = SignIn(
        url="",  # where the browser has been
        redirect_uri=_return_to(request),
        state=match[1],
        nonce=match[2],
        verifier=match[3],
    )
    return begun, OrganizationId(UUID(match[4])) if match[4] else None


def _return_to(request: Request) -> str:
    """Return where the browser comes back to, as the provider has it registered."""
    return f"{request.url.scheme}://{request.url.netloc}{RETURN}"

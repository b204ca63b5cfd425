"""Sessions of browsers: a one-time link opens one, a cookie carries it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from laydown import wire
from laydown.domain.errors import InvalidRequest, LaydownError, TooLarge, Unauthenticated
from laydown.http import shapes_of_people as shapes
from laydown.http.auth import Called, Came, csrf_of, forget, remember
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.services.sessions import Opened

HOME = "/"
"""Where a browser goes that is signed in: the console."""

_WELCOME = "/welcome"

router = routing("sessions", is_open=True)
own_router = routing("sessions")


@router.get(
    "/signin",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses=documented(Unauthenticated, InvalidRequest),
)
async def follow_link(
    served: Served,
    came: Came,
    request: Request,
    code: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Open a session with a one-time link, as `laydown up` prints it, and go to the first page.

    A browser whose link doesn't hold is sent to the page for signing in.
    """
    try:
        opened = await served.sessions.open(code, came)
    except Unauthenticated as refusal:
        return turned_away(request, refusal, "link")
    answer = RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
    hand_over(answer, opened, request)
    return answer


@router.get("/v1/sessions/ways", response_model=wire.Ways)
async def list_ways(served: Served) -> Response:
    """Say how people can sign in."""
    return json(wire.Ways(link=True, provider=served.sessions.has_provider))


@router.post(
    "/v1/sessions",
    status_code=HTTPStatus.CREATED,
    response_model=wire.Me,
    responses=documented(Unauthenticated, InvalidRequest, TooLarge),
    openapi_extra=described(wire.SignIn),
)
async def open_session(
    served: Served,
    came: Came,
    request: Request,
    sign_in: Annotated[wire.SignIn, taking(wire.SignIn)],
) -> Response:
    """Open a session with the code of a one-time link."""
    opened = await served.sessions.open(sign_in.code, came)
    organization = await served.members.organization(opened.caller)
    answer = json(
        shapes.me(opened.caller, organization, csrf=csrf_of(opened.text)), HTTPStatus.CREATED
    )
    hand_over(answer, opened, request)
    return answer


@own_router.delete("/v1/sessions/current", status_code=HTTPStatus.NO_CONTENT)
async def end_session(caller: Called, served: Served) -> Response:
    """End the session that this request came with."""
    await served.sessions.end(caller)
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    forget(answer)
    return answer


def turned_away(
    request: Request, refusal: LaydownError, problem: str, *, organizations: Sequence[UUID] = ()
) -> Response:
    """Send a browser that was not signed in to the page that says so, and what to do.

    *problem* is the page's word for it, and *organizations* are those among which somebody has to
    choose. Raises the *refusal* for a program, which has no use for a page.
    """
    if "text/html" not in request.headers.get("accept", ""):
        raise refusal
    told = [("problem", problem), *(("organization", str(each)) for each in organizations)]
    return RedirectResponse(f"{_WELCOME}?{urlencode(told)}", HTTPStatus.SEE_OTHER)


def hand_over(answer: Response, opened: Opened, request: Request) -> None:
    """Have the browser keep a session that was just opened."""
    remember(answer, opened.text, is_secure=request.url.scheme == "https")

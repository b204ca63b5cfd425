"""Sessions of browsers: a one-time link opens one, a cookie carries it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from laydown import wire
from laydown.domain.errors import InvalidRequest, TooLarge, Unauthenticated
from laydown.http import shapes_of_people as shapes
from laydown.http.auth import Called, Came, csrf_of, forget, remember
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.services.sessions import Opened

HOME = "/"
"""Where a browser goes that is signed in: the console."""

_WELCOME = "/welcome?problem="

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
    """Open a session with a one-time link, as `laydown up` prints it, and go to the first page."""
    try:
        opened = await served.sessions.open(code, came)
    except Unauthenticated:
        if not reads_pages(request):
            raise
        return turned_away("link")
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


def reads_pages(request: Request) -> bool:
    """Say whether a person waits for the answer, in a browser."""
    return "text/html" in request.headers.get("accept", "")


def turned_away(what: str) -> Response:
    """Send a browser that was not signed in to the page that says so, and what to do."""
    return RedirectResponse(_WELCOME + what, HTTPStatus.SEE_OTHER)


def hand_over(answer: Response, opened: Opened, request: Request) -> None:
    """Have the browser keep a session that was just opened."""
    remember(answer, opened.text, is_secure=request.url.scheme == "https")

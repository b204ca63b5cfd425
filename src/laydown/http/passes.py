"""Tokens and drop links."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from laydown import wire
from laydown.domain.access import PrincipalId, Role
from laydown.domain.errors import NotFound
from laydown.domain.people import TokenId
from laydown.domain.upload import ProjectId
from laydown.http import shapes_of_people as shapes
from laydown.http.auth import Called
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.paging import cut, identifier, paged
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.ports import Page

router = routing("tokens and links")


@router.post(
    "/v1/tokens",
    status_code=HTTPStatus.CREATED,
    response_model=wire.MadeToken,
    responses=documented(NotFound),
    openapi_extra=described(wire.NewToken),
)
async def make_token(
    caller: Called, served: Served, new: Annotated[wire.NewToken, taking(wire.NewToken)]
) -> Response:
    """Make a token. Its secret is in this answer, and in no other."""
    token, secret = await served.tokens.make(
        caller,
        name=new.name,
        member=None if new.member_id is None else PrincipalId(new.member_id),
        most=None if new.role is None else Role(new.role),
        only=None if new.project_id is None else ProjectId(new.project_id),
        expires_at=new.expires_at,
    )
    return json(wire.MadeToken(token=shapes.token(token), secret=secret), HTTPStatus.CREATED)


@router.get("/v1/tokens", response_model=wire.TokenPage)
async def list_tokens(
    caller: Called,
    served: Served,
    page: Annotated[Page, paged(identifier)],
    everybodys: Annotated[bool, Query(alias="all", description="Those of all members.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """List the caller's tokens, those that hold no longer too."""
    found = await served.tokens.page(caller, page, everybodys=everybodys)
    items, cursor = cut(found, page, lambda each: str(each.id))
    return json(wire.TokenPage(items=[*map(shapes.token, items)], next_cursor=cursor))


@router.delete(
    "/v1/tokens/{token_id}", status_code=HTTPStatus.NO_CONTENT, responses=documented(NotFound)
)
async def revoke_token(caller: Called, served: Served, token_id: UUID) -> Response:
    """End a token at once."""
    await served.tokens.revoke(caller, TokenId(token_id))
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/v1/projects/{project_id}/links",
    status_code=HTTPStatus.CREATED,
    response_model=wire.MadeLink,
    responses=documented(NotFound),
    openapi_extra=described(wire.NewLink),
)
async def make_link(
    caller: Called,
    served: Served,
    project_id: UUID,
    new: Annotated[wire.NewLink, taking(wire.NewLink)],
) -> Response:
    """Make a drop link, for somebody without an account who delivers into one folder."""
    link, secret = await served.links.make(
        caller,
        ProjectId(project_id),
        label_=new.label,
        folder=new.folder,
        most_files=new.max_files,
        most_bytes=new.max_bytes,
        expires_at=new.expires_at,
    )
    return json(wire.MadeLink(link=shapes.link(link), secret=secret), HTTPStatus.CREATED)


@router.get(
    "/v1/projects/{project_id}/links",
    response_model=wire.LinkPage,
    responses=documented(NotFound),
)
async def list_links(
    caller: Called, served: Served, project_id: UUID, page: Annotated[Page, paged(identifier)]
) -> Response:
    """List a project's drop links, those that hold no longer too."""
    found = await served.links.page(caller, ProjectId(project_id), page)
    items, cursor = cut(found, page, lambda each: str(each.id))
    return json(wire.LinkPage(items=[*map(shapes.link, items)], next_cursor=cursor))


@router.get("/v1/links/{link_id}", response_model=wire.Link, responses=documented(NotFound))
async def get_link(caller: Called, served: Served, link_id: UUID) -> Response:
    """Read a drop link."""
    return json(shapes.link(await served.links.get(caller, PrincipalId(link_id))))


@router.delete(
    "/v1/links/{link_id}", status_code=HTTPStatus.NO_CONTENT, responses=documented(NotFound)
)
async def revoke_link(caller: Called, served: Served, link_id: UUID) -> Response:
    """End a drop link at once; what was on its way through it is given up."""
    await served.links.revoke(caller, PrincipalId(link_id))
    return Response(status_code=HTTPStatus.NO_CONTENT)

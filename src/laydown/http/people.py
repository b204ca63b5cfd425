"""Members and their roles, and who is asking."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response

from laydown import wire
from laydown.domain.access import PrincipalId, Role
from laydown.domain.errors import LastOwner, MemberExists, NotFound
from laydown.domain.upload import ProjectId
from laydown.http import shapes_of_people as shapes
from laydown.http.auth import COOKIE, Called, csrf_of
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.paging import cut, identifier, paged
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.ports import Page, SecretKind

router = routing("members")


@router.get("/v1/me", response_model=wire.Me)
async def who_am_i(caller: Called, served: Served, request: Request) -> Response:
    """Read who is asking, and what they may do."""
    session = request.cookies.get(COOKIE) if caller.shown is SecretKind.SESSION else None
    organization = await served.members.organization(caller)
    return json(shapes.me(caller, organization, csrf=None if session is None else csrf_of(session)))


@router.post(
    "/v1/members",
    status_code=HTTPStatus.CREATED,
    response_model=wire.Member,
    responses=documented(MemberExists),
    openapi_extra=described(wire.NewMember),
)
async def add_member(
    caller: Called, served: Served, new: Annotated[wire.NewMember, taking(wire.NewMember)]
) -> Response:
    """Make somebody a member, with a role in every project or in none yet."""
    member = await served.members.add(caller, name=new.name, email=new.email, role=_role(new.role))
    return json(shapes.member(member), HTTPStatus.CREATED)


@router.get("/v1/members", response_model=wire.MemberPage)
async def list_members(
    caller: Called, served: Served, page: Annotated[Page, paged(identifier)]
) -> Response:
    """List the organization's members."""
    items, cursor = cut(await served.members.page(caller, page), page, lambda each: str(each.id))
    return json(wire.MemberPage(items=[*map(shapes.member, items)], next_cursor=cursor))


@router.get("/v1/members/{member_id}", response_model=wire.Member, responses=documented(NotFound))
async def get_member(caller: Called, served: Served, member_id: UUID) -> Response:
    """Read a member and their roles."""
    return json(shapes.member(await served.members.get(caller, PrincipalId(member_id))))


@router.patch(
    "/v1/members/{member_id}",
    response_model=wire.Member,
    responses=documented(NotFound, MemberExists, LastOwner),
    openapi_extra=described(wire.MemberChange),
)
async def change_member(
    caller: Called,
    served: Served,
    member_id: UUID,
    change: Annotated[wire.MemberChange, taking(wire.MemberChange)],
) -> Response:
    """Change a member; absent fields stay as they are."""
    member = await served.members.change(
        caller,
        PrincipalId(member_id),
        name=change.name,
        email=change.email,
        role=None if change.role == "none" else _role(change.role),
        drops_role=change.role == "none",
    )
    return json(shapes.member(member))


@router.delete(
    "/v1/members/{member_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(NotFound, LastOwner),
)
async def remove_member(caller: Called, served: Served, member_id: UUID) -> Response:
    """End a membership: tokens and sessions hold no longer, open deliveries are given up."""
    await served.members.remove(caller, PrincipalId(member_id))
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/v1/projects/{project_id}/members",
    response_model=wire.MemberPage,
    responses=documented(NotFound),
)
async def list_project_members(
    caller: Called, served: Served, project_id: UUID, page: Annotated[Page, paged(identifier)]
) -> Response:
    """List the members who have a role of their own in a project."""
    found = await served.members.page(caller, page, project=ProjectId(project_id))
    items, cursor = cut(found, page, lambda each: str(each.id))
    return json(wire.MemberPage(items=[*map(shapes.member, items)], next_cursor=cursor))


@router.put(
    "/v1/projects/{project_id}/members/{member_id}",
    response_model=wire.Member,
    responses=documented(NotFound),
    openapi_extra=described(wire.RoleGrant),
)
async def give_role(
    caller: Called,
    served: Served,
    project_id: UUID,
    member_id: UUID,
    grant: Annotated[wire.RoleGrant, taking(wire.RoleGrant)],
) -> Response:
    """Give a member a role in a project, in place of the one they have there."""
    member = await served.members.give_role(
        caller, ProjectId(project_id), PrincipalId(member_id), Role(grant.role)
    )
    return json(shapes.member(member))


@router.delete(
    "/v1/projects/{project_id}/members/{member_id}",
    response_model=wire.Member,
    responses=documented(NotFound),
)
async def take_role(caller: Called, served: Served, project_id: UUID, member_id: UUID) -> Response:
    """Take a member's role in a project."""
    member = await served.members.give_role(
        caller, ProjectId(project_id), PrincipalId(member_id), None
    )
    return json(shapes.member(member))


def _role(name: str | None) -> Role | None:
    return None if name is None else Role(name)

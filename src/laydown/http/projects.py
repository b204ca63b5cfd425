"""Projects: make, list, read, change."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from laydown import wire
from laydown.domain.errors import NotFound, ProjectExists
from laydown.domain.upload import ProjectId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.paging import Text, cut, paged, words
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.ports import Page

router = routing("projects")


@router.post(
    "/v1/projects",
    status_code=HTTPStatus.CREATED,
    response_model=wire.Project,
    responses=documented(ProjectExists),
    openapi_extra=described(wire.NewProject),
)
async def create_project(
    caller: Called, served: Served, new: Annotated[wire.NewProject, taking(wire.NewProject)]
) -> Response:
    """Make a project."""
    project = await served.projects.create(
        caller,
        code=new.code,
        name=new.name,
        time_zone=new.time_zone,
        position=_place(new.position),
    )
    return json(shapes.project(project), HTTPStatus.CREATED)


@router.get("/v1/projects", response_model=wire.ProjectPage)
async def list_projects(
    caller: Called,
    served: Served,
    page: Annotated[Page, paged(words)],
    code: Annotated[Text, Query(description="Only the project of this code.")] = None,
) -> Response:
    """List projects by code."""
    found = await served.projects.page(caller, page, code=code)
    items, cursor = cut(found, page, lambda project: project.code.casefold())
    return json(wire.ProjectPage(items=[*map(shapes.project, items)], next_cursor=cursor))


@router.get(
    "/v1/projects/{project_id}", response_model=wire.Project, responses=documented(NotFound)
)
async def get_project(caller: Called, served: Served, project_id: UUID) -> Response:
    """Read a project."""
    return json(shapes.project(await served.projects.get(caller, ProjectId(project_id))))


@router.patch(
    "/v1/projects/{project_id}",
    response_model=wire.Project,
    responses=documented(NotFound),
    openapi_extra=described(wire.ProjectChange),
)
async def change_project(
    caller: Called,
    served: Served,
    project_id: UUID,
    change: Annotated[wire.ProjectChange, taking(wire.ProjectChange)],
) -> Response:
    """Change a project; absent fields stay as they are."""
    project = await served.projects.change(
        caller,
        ProjectId(project_id),
        name=change.name,
        time_zone=change.time_zone,
        position=_place(change.position),
    )
    return json(shapes.project(project))


def _place(position: wire.Position | None) -> tuple[float, float] | None:
    return None if position is None else (position.latitude, position.longitude)

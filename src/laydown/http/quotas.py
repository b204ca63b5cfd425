"""Quotas of the organization and of its projects, and what is used of them."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from laydown import wire
from laydown.domain.errors import NotFound
from laydown.domain.quotas import Quota
from laydown.domain.upload import ProjectId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing

router = routing("quotas")

_Wanted = Annotated[wire.Quota, taking(wire.Quota)]


@router.get("/v1/usage", response_model=wire.Usage)
async def get_usage(caller: Called, served: Served) -> Response:
    """Read what the organization uses, and its quota."""
    return await _usage(caller, served, None)


@router.get("/v1/quotas", response_model=wire.Quota)
async def get_quota(caller: Called, served: Served) -> Response:
    """Read the organization's quota."""
    quota, _ = await served.quotas.read(caller, None)
    return json(shapes.quota(quota))


@router.put("/v1/quotas", response_model=wire.Quota, openapi_extra=described(wire.Quota))
async def set_quota(caller: Called, served: Served, wanted: _Wanted) -> Response:
    """Set the organization's quota; absent fields are unlimited from then on."""
    return await _set(caller, served, None, wanted)


@router.get(
    "/v1/projects/{project_id}/usage", response_model=wire.Usage, responses=documented(NotFound)
)
async def get_project_usage(caller: Called, served: Served, project_id: UUID) -> Response:
    """Read what a project uses, and its quota; the organization's binds it too."""
    return await _usage(caller, served, ProjectId(project_id))


@router.get(
    "/v1/projects/{project_id}/quotas", response_model=wire.Quota, responses=documented(NotFound)
)
async def get_project_quota(caller: Called, served: Served, project_id: UUID) -> Response:
    """Read a project's quota; the organization's binds it too."""
    quota, _ = await served.quotas.read(caller, ProjectId(project_id))
    return json(shapes.quota(quota))


@router.put(
    "/v1/projects/{project_id}/quotas",
    response_model=wire.Quota,
    responses=documented(NotFound),
    openapi_extra=described(wire.Quota),
)
async def set_project_quota(
    caller: Called, served: Served, project_id: UUID, wanted: _Wanted
) -> Response:
    """Set a project's quota; absent fields are unlimited from then on."""
    return await _set(caller, served, ProjectId(project_id), wanted)


async def _usage(caller: Called, served: Served, project_id: ProjectId | None) -> Response:
    return json(shapes.usage(*await served.quotas.read(caller, project_id)))


async def _set(
    caller: Called, served: Served, project_id: ProjectId | None, wanted: wire.Quota
) -> Response:
    quota = Quota(
        project=project_id, bytes=wanted.bytes, files=wanted.files, uploads=wanted.uploads
    )
    return json(shapes.quota(await served.quotas.set(caller, quota)))

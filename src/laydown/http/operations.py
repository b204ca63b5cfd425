"""For operators: what is still to be done, what could not be, and what is to be done again."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Response

from laydown import wire
from laydown.domain.errors import NoScanner, NotFound
from laydown.domain.jobs import JobState
from laydown.domain.upload import ProjectId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.paging import cut, identifier, paged
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.ports import Page

router = routing("operations")


@router.get("/v1/operations/jobs", response_model=wire.JobPage)
async def list_jobs(
    caller: Called,
    served: Served,
    page: Annotated[Page, paged(identifier)],
    state: JobState | None = None,
) -> Response:
    """List jobs, oldest first, with how many there are in each state."""
    found, counts, oldest = await served.operating.jobs(caller, page, state=state)
    items, cursor = cut(found, page, lambda job: str(job.id))
    return json(
        wire.JobPage(
            items=[*map(shapes.job, items)],
            counts=shapes.job_counts(counts),
            oldest_waiting_seconds=oldest,
            next_cursor=cursor,
        )
    )


@router.post(
    "/v1/operations/jobs/{job_id}/replay",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(NotFound),
)
async def replay_job(caller: Called, served: Served, job_id: UUID) -> Response:
    """Try a dead job again, with fresh attempts."""
    await served.operating.replay(caller, job_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.delete(
    "/v1/operations/jobs/{job_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(NotFound),
)
async def discard_job(caller: Called, served: Served, job_id: UUID) -> Response:
    """Give up a dead job for good."""
    await served.operating.discard(caller, job_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/v1/projects/{project_id}/rescan",
    status_code=HTTPStatus.ACCEPTED,
    response_model=wire.Rescan,
    responses=documented(NotFound, NoScanner),
    openapi_extra=described(wire.RescanRequest, is_required=False),
)
async def rescan_project(
    caller: Called,
    served: Served,
    project_id: UUID,
    wanted: Annotated[
        wire.RescanRequest, taking(wire.RescanRequest, otherwise=wire.RescanRequest())
    ],
) -> Response:
    """Have every version's content scanned for malware again, by jobs."""
    files = await served.rescanning.rescan(caller, ProjectId(project_id), under=wanted.path)
    return json(wire.Rescan(files=files), HTTPStatus.ACCEPTED)

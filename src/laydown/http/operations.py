"""For operators: how uploads fare, what could not be done, and what is to be done again."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from laydown import wire
from laydown.domain.errors import NoScanner, NotFound
from laydown.domain.jobs import JobState
from laydown.domain.upload import ProjectId
from laydown.http import shapes, shapes_of_operations
from laydown.http.auth import Called
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.paging import cut, identifier, paged
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.ports import Page

router = routing("operations")

_WINDOW = Query(ge=60, le=2_592_000, description="Seconds until now; 30 days are kept.")
_HOURS = Query(ge=1, le=720, description="Hours until now; 30 days are kept.")


@router.get("/v1/operations/overview", response_model=wire.OperationsOverview)
async def get_overview(
    caller: Called, served: Served, window: Annotated[int, _WINDOW] = 3_600
) -> Response:
    """Read how uploads fare: the queue, what settles and how fast, failures, and health."""
    found = await served.operating.overview(caller, timedelta(seconds=window))
    return json(shapes_of_operations.overview(found, await served.ready()))


@router.get("/v1/operations/history", response_model=wire.OperationsHistory)
async def get_history(
    caller: Called, served: Served, hours: Annotated[int, _HOURS] = 24
) -> Response:
    """Read the queue and what settled over time, to be drawn: at most 181 steps."""
    found = await served.operating.history(caller, timedelta(hours=hours))
    return json(shapes_of_operations.history(found))


@router.get("/v1/operations/stuck", response_model=wire.StuckPage)
async def list_stuck(
    caller: Called, served: Served, page: Annotated[Page, paged(identifier)]
) -> Response:
    """List files that move no more: their clients are silent, or no worker gets any further."""
    found, counts = await served.operating.stuck(caller, page)
    items, cursor = cut(found, page, lambda upload: str(upload.id))
    patience = served.operating.patience
    return json(
        wire.StuckPage(
            items=[*map(shapes_of_operations.stuck, items)],
            counts=shapes_of_operations.stuck_counts(counts),
            silent_after_seconds=patience.silent.total_seconds(),
            stuck_after_seconds=patience.stuck.total_seconds(),
            next_cursor=cursor,
        )
    )


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

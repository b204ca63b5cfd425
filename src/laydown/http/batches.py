"""Batches: declare, follow, end."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from laydown import wire
from laydown.domain.errors import BatchClosed, NotFound, TooLarge, TooManyBatches, TooManyEntries
from laydown.domain.lifecycle import State
from laydown.domain.reasons import Reason
from laydown.domain.upload import BatchId, ProjectId
from laydown.http import bodies, entries, shapes
from laydown.http.auth import Called
from laydown.http.bodies import described, json
from laydown.http.context import Limited, Served, Traced
from laydown.http.paging import Text, cut, identifier, number, paged
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.ports import Page, UploadFilter

LONGEST_REFERENCE = 200  # characters; a label may be as long

router = routing("batches")


@router.post(
    "/v1/projects/{project_id}/batches",
    status_code=HTTPStatus.CREATED,
    response_model=wire.Declared,
    responses={
        **documented(NotFound, TooManyBatches, TooManyEntries, TooLarge),
        200: {"model": wire.Declared, "description": "The batch existed; today's verdicts."},
    },
    openapi_extra=described(wire.NewBatch),
)
async def declare_batch(
    caller: Called,
    served: Served,
    limits: Limited,
    trace: Traced,
    project_id: UUID,
    request: Request,
) -> Response:
    """Declare a batch, or return to the open one of the same reference.

    Every entry gets its own verdict, in order; a bad one never fails the others.
    """
    body = await bodies.read(request, limits, at_most=limits.declaration_bytes)
    new = entries.opened(body, entries.Envelope)
    label = new.label or None
    declaration = await served.declaring.declare(
        caller,
        ProjectId(project_id),
        reference=bodies.sound(new.reference, "/reference", longest=LONGEST_REFERENCE),
        label=label and bodies.sound(label, "/label", longest=LONGEST_REFERENCE),
        on_conflict=new.on_conflict,
        entries=entries.read(new.entries),
        trace=trace,
    )
    status = HTTPStatus.CREATED if declaration.is_new else HTTPStatus.OK
    return json(shapes.declared(declaration), status)


@router.post(
    "/v1/batches/{batch_id}/entries",
    response_model=wire.Declared,
    responses=documented(NotFound, BatchClosed, TooManyEntries, TooLarge),
    openapi_extra=described(wire.NewEntries),
)
async def declare_entries(
    caller: Called, served: Served, limits: Limited, batch_id: UUID, request: Request
) -> Response:
    """Declare more files in an open batch."""
    body = await bodies.read(request, limits, at_most=limits.declaration_bytes)
    more = entries.opened(body, entries.MoreEntries)
    declaration = await served.declaring.add(caller, BatchId(batch_id), entries.read(more.entries))
    return json(shapes.declared(declaration))


@router.get("/v1/batches", response_model=wire.BatchPage)
async def list_batches(
    caller: Called,
    served: Served,
    page: Annotated[Page, paged(identifier)],
    project: Annotated[UUID | None, Query(description="Only those of this project.")] = None,
) -> Response:
    """List batches, newest first."""
    which = None if project is None else ProjectId(project)
    found = await served.watching.batches(caller, page, project=which)
    rows, cursor = cut(found, page, lambda row: str(row[0].id))
    items = [shapes.batch(batch, tally) for batch, tally in rows]
    return json(wire.BatchPage(items=items, next_cursor=cursor))


@router.get("/v1/batches/{batch_id}", response_model=wire.Batch, responses=documented(NotFound))
async def get_batch(caller: Called, served: Served, batch_id: UUID) -> Response:
    """Read a batch in numbers."""
    return json(shapes.batch(*await served.watching.batch(caller, BatchId(batch_id))))


@router.get(
    "/v1/batches/{batch_id}/uploads", response_model=wire.UploadPage, responses=documented(NotFound)
)
async def list_uploads(
    caller: Called,
    served: Served,
    batch_id: UUID,
    page: Annotated[Page, paged(number)],
    state: State | None = None,
    reason: Reason | None = None,
    q: Annotated[Text, Query(description="Occurs in the path, in either case.")] = None,
) -> Response:
    """List the uploads of a batch in order of declaration."""
    which = UploadFilter(state=state, reason=reason, text=q)
    found, seen = await served.watching.uploads(caller, BatchId(batch_id), page, which)
    items, cursor = cut(found, page, lambda record: str(record.order))
    return json(
        wire.UploadPage(items=[*map(shapes.upload, items)], next_cursor=cursor, number=seen)
    )


@router.post(
    "/v1/batches/{batch_id}/close", response_model=wire.Batch, responses=documented(NotFound)
)
async def close_batch(caller: Called, served: Served, batch_id: UUID) -> Response:
    """Take no more entries; what is in flight finishes."""
    return json(shapes.batch(*await served.completing.close_batch(caller, BatchId(batch_id))))


@router.post(
    "/v1/batches/{batch_id}/cancel", response_model=wire.Batch, responses=documented(NotFound)
)
async def cancel_batch(caller: Called, served: Served, batch_id: UUID) -> Response:
    """Take back what still waits for bytes, and close the batch."""
    return json(shapes.batch(*await served.completing.cancel_batch(caller, BatchId(batch_id))))


@router.post(
    "/v1/batches/{batch_id}/retry", response_model=wire.Retried, responses=documented(NotFound)
)
async def retry_batch(caller: Called, served: Served, batch_id: UUID) -> Response:
    """Set going again what failed, expired, or was damaged on its way."""
    return json(
        wire.Retried(uploads=await served.completing.retry_batch(caller, BatchId(batch_id)))
    )

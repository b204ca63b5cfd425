"""The audit: who did what, from where."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse

from laydown import wire
from laydown.domain.audit import AuditFilter, Deed
from laydown.domain.errors import InvalidRequest
from laydown.domain.names import content_disposition
from laydown.http import shapes_of_people as shapes
from laydown.http.auth import Called
from laydown.http.bodies import json
from laydown.http.context import Served
from laydown.http.paging import Moment, cut, identifier, paged
from laydown.http.routing import routing
from laydown.http.tables import MEDIA_TYPE, table
from laydown.ports import Page
from laydown.services.identity import Caller

router = routing("audit")


async def _filter(
    deed: Annotated[Deed | None, Query(description="What was done.")] = None,
    principal: Annotated[UUID | None, Query(description="Who: a member or a link.")] = None,
    subject: Annotated[UUID | None, Query(description="What it was done to.")] = None,
    project: Annotated[UUID | None, Query(description="In which project.")] = None,
    since: Annotated[Moment | None, Query(description="Not before.")] = None,
    until: Annotated[Moment | None, Query(description="Before.")] = None,
) -> AuditFilter:
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            fault = (f"/query/{name}", "Expected an offset from UTC, such as `Z`")
            raise InvalidRequest("A parameter of the request can't be read.", (fault,))
    return AuditFilter(
        deed=deed, principal=principal, subject=subject, project=project, since=since, until=until
    )


Filtered = Annotated[AuditFilter, Depends(_filter)]


@router.get("/v1/audit", response_model=wire.AuditPage)
async def list_audit(
    caller: Called, served: Served, page: Annotated[Page, paged(identifier)], which: Filtered
) -> Response:
    """List what was done in the organization, newest first."""
    found = await served.auditing.page(caller, page, which)
    items, cursor = cut(found, page, lambda line: str(line.id))
    return json(wire.AuditPage(items=[*map(shapes.audit_line, items)], next_cursor=cursor))


@router.get(
    "/v1/audit.csv",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The audit"}
    },
)
async def get_audit_csv(caller: Called, served: Served, which: Filtered) -> Response:
    """Download what was done as a table for spreadsheets (RFC 4180, UTF-8)."""
    await served.auditing.page(caller, Page(limit=1), which)  # refused before anything is sent
    return StreamingResponse(
        table(wire.AuditRow, _rows(served, caller, which)),
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": content_disposition("audit.csv")},
    )


async def _rows(
    served: Served, caller: Caller, which: AuditFilter
) -> AsyncIterator[list[wire.AuditRow]]:
    async for lines in served.auditing.everything(caller, which):
        yield [shapes.audit_row(line) for line in lines]

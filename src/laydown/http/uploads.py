"""One upload: read it, see everything that happened to it, take it back."""

from uuid import UUID

from fastapi import Response

from laydown import wire
from laydown.domain.errors import IllegalMove, NotFound
from laydown.domain.upload import UploadId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.bodies import json
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing

router = routing("uploads")


@router.get("/v1/uploads/{upload_id}", response_model=wire.Upload, responses=documented(NotFound))
async def get_upload(caller: Called, served: Served, upload_id: UUID) -> Response:
    """Read an upload."""
    return json(shapes.upload(await served.watching.upload(caller, UploadId(upload_id))))


@router.get(
    "/v1/uploads/{upload_id}/timeline", response_model=wire.Timeline, responses=documented(NotFound)
)
async def get_timeline(caller: Called, served: Served, upload_id: UUID) -> Response:
    """Read everything that happened to an upload, oldest first."""
    record, happened = await served.watching.timeline(caller, UploadId(upload_id))
    return json(shapes.timeline(record, happened))


@router.delete(
    "/v1/uploads/{upload_id}",
    response_model=wire.Upload,
    responses=documented(NotFound, IllegalMove),
)
async def cancel_upload(caller: Called, served: Served, upload_id: UUID) -> Response:
    """Take an upload back, while it still waits for bytes."""
    return json(shapes.upload(await served.completing.cancel(caller, UploadId(upload_id))))

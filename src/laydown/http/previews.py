"""Looking before delivering: previews, and what reasons mean."""

from uuid import UUID

from fastapi import Request, Response

from laydown import wire
from laydown.domain.errors import NotFound, TooLarge, TooManyEntries
from laydown.domain.reasons import EXPLANATIONS
from laydown.domain.upload import ProjectId
from laydown.http import bodies, entries
from laydown.http.auth import Called
from laydown.http.bodies import described, json
from laydown.http.context import Limited, Served
from laydown.http.problems import documented
from laydown.http.routing import routing

router = routing("previews")

_REASONS = wire.Reasons(
    items=[
        wire.ReasonText(
            code=reason.value,
            severity=explained.severity.value,
            message=explained.message,
            remedy=explained.remedy,
        )
        for reason, explained in EXPLANATIONS.items()
    ]
)


@router.post(
    "/v1/projects/{project_id}/previews",
    response_model=wire.Preview,
    responses=documented(NotFound, TooManyEntries, TooLarge),
    openapi_extra=described(wire.PreviewRequest),
)
async def preview_delivery(
    caller: Called, served: Served, limits: Limited, project_id: UUID, request: Request
) -> Response:
    """Say what would become of files if they were delivered now. Nothing is recorded."""
    body = await bodies.read(request, limits, at_most=limits.declaration_bytes)
    asked = entries.opened(body, entries.Previewed)
    forecasts = await served.forecasting.preview(
        caller,
        ProjectId(project_id),
        on_conflict=asked.on_conflict,
        entries=entries.read(asked.entries),
    )
    items = [
        wire.Forecast(
            key=each.key,
            outlook=each.outlook.value,
            reason=each.reason and each.reason.value,
            detail=each.detail,
        )
        for each in forecasts
    ]
    return json(wire.Preview(items=items))


@router.get("/v1/reasons", response_model=wire.Reasons)
async def list_reasons(_caller: Called) -> Response:
    """Say what every reason means, and what to do about it."""
    return json(_REASONS)

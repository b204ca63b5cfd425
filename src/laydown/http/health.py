"""What machines ask: whether we live, whether we can work, how much we have done."""

from http import HTTPStatus
from importlib.metadata import version

from fastapi import Response

from laydown import wire
from laydown.http.bodies import json
from laydown.http.context import Served, Stopping
from laydown.http.routing import routing

VERSION = version("laydown")

router = routing("health", is_open=True)


@router.get("/livez", response_model=wire.Health)
async def livez() -> Response:
    """Say that the process answers."""
    return json(wire.Health(ok=True, version=VERSION))


@router.get(
    "/readyz",
    response_model=wire.Health,
    responses={503: {"model": wire.Health, "description": "Send requests elsewhere for now."}},
)
async def readyz(served: Served, stopping: Stopping) -> Response:
    """Say whether requests can be taken and answered, and what stands in the way."""
    checks = [*await served.ready()]
    if stopping.is_set():
        checks.append(wire.Check(name="server", ok=False, detail="shutting down"))
    ok = all(check.ok for check in checks)
    status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
    return json(wire.Health(ok=ok, version=VERSION, checks=checks), status)


@router.get("/metrics", response_class=Response)
async def metrics(served: Served) -> Response:
    """Give every metric in the Prometheus text format."""
    exposition, media_type = await served.metrics()
    return Response(exposition, headers={"content-type": media_type})

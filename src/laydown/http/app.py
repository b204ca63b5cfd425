"""The HTTP application: every route, behind the edge."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from laydown.domain.errors import LaydownError
from laydown.http import (
    audit,
    batches,
    documents,
    events,
    forms,
    grants,
    health,
    operations,
    passes,
    people,
    previews,
    problems,
    projects,
    quotas,
    receipts,
    reference,
    sessions,
    signing_in,
    uploads,
)
from laydown.http.context import Context, FormLimits, Limits, Services
from laydown.http.edge import Edge
from laydown.http.frontier import Frontier

__all__ = ["FormLimits", "Limits", "Services", "build", "document"]

_ROUTES = [
    route
    for router in (
        projects.router,
        quotas.router,
        forms.router,
        previews.router,
        batches.router,
        events.router,
        receipts.router,
        grants.router,
        uploads.router,
        documents.router,
        people.router,
        passes.router,
        sessions.router,
        signing_in.router,
        sessions.own_router,
        audit.router,
        operations.router,
        health.router,
    )
    for route in router.routes
]


def build(
    services: Services,
    *,
    byte_door: ASGIApp | None,
    limits: Limits,
    stopping: asyncio.Event,
    frontier: Frontier | None = None,
    pages: Sequence[BaseRoute] = (),
) -> Edge:
    """Return the whole application.

    *byte_door* gets every request below `/bytes/` as it comes; without one nothing is there.
    *frontier* says which proxies and which pages of others there are; without one, none. *pages*
    are the console's. Once *stopping* is set, event streams end, `/readyz` says no, and everything
    else is still answered.
    """
    api = FastAPI(
        routes=[*_ROUTES, *reference.routes(document), *pages],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            LaydownError: problems.on_error,
            RequestValidationError: problems.on_bad_parameters,
            HTTPException: problems.on_transport,
            Exception: problems.on_surprise,
        },
    )
    api.state.context = Context(services=services, limits=limits, stopping=stopping)
    return Edge(
        api,
        byte_door=byte_door,
        limits=limits,
        observe=services.observe,
        frontier=frontier,
        tracing=services.tracing,
    )


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the native API."""
    return reference.openapi(_ROUTES)

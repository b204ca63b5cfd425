"""Routers whose operations are named after their functions, so that clients can rely on them."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from laydown.domain.errors import (
    Forbidden,
    InvalidRequest,
    IssuerUnavailable,
    LedgerUnavailable,
    Unauthenticated,
)
from laydown.http.problems import documented


def routing(tag: str, *, is_open: bool = False) -> APIRouter:
    """Return a router for the operations of one subject; *is_open* ones need no token."""
    guarded = (Unauthenticated, Forbidden, InvalidRequest, LedgerUnavailable, IssuerUnavailable)
    always = () if is_open else guarded
    return APIRouter(
        tags=[tag],
        responses=documented(*always),
        generate_unique_id_function=_function_name,
        redirect_slashes=False,
    )


def _function_name(route: APIRoute) -> str:
    return route.name

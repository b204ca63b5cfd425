"""Routers whose operations are named after their functions, so that clients can rely on them."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from laydown.domain.errors import (
    Forbidden,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InvalidRequest,
    IssuerUnavailable,
    LedgerUnavailable,
    RateLimited,
    Unauthenticated,
)
from laydown.http import repeating
from laydown.http.context import context_of
from laydown.http.problems import documented

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_ALWAYS = (
    Unauthenticated,
    Forbidden,
    InvalidRequest,
    RateLimited,
    LedgerUnavailable,
    IssuerUnavailable,
)
_KEYED = documented(IdempotencyInProgress, IdempotencyKeyReused)

_KEY = {
    "name": repeating.HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": repeating.LONGEST_KEY},
    "description": (
        "A new text for each request, such as a UUID. The same request with the same one again is "
        "not done again: it is answered as it was, for a day."
    ),
}


class KeyedRoute(APIRoute):
    """A route that does what changes something once for each `Idempotency-Key` it comes with."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: set[str] | list[str] | None = None,
        responses: dict[int | str, dict[str, Any]] | None = None,
        openapi_extra: dict[str, Any] | None = None,
        **given: Any,  # noqa: ANN401 - whatever a route takes
    ) -> None:
        self._changes = not _CHANGING.isdisjoint(methods or ())
        if self._changes:
            responses = _with_keyed(responses or {})
            openapi_extra = {**(openapi_extra or {}), "parameters": [_KEY]}
        super().__init__(
            path,
            endpoint,
            methods=methods,
            responses=responses,
            openapi_extra=openapi_extra,
            **given,
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()
        if not self._changes:
            return handle

        async def answer(request: Request) -> Response:
            if repeating.HEADER not in request.headers:
                return await handle(request)
            context = context_of(request)
            return await repeating.once(request, handle, context.services, context.limits)

        return answer


def routing(tag: str, *, is_open: bool = False, takes_files: bool = False) -> APIRouter:
    """Return a router for the operations of one subject.

    *is_open* ones need no token. Others are held to rates and, unless they take files and not
    JSON, heed an `Idempotency-Key`.
    """
    return APIRouter(
        tags=[tag],
        responses=documented(*(() if is_open else _ALWAYS)),
        generate_unique_id_function=_function_name,
        redirect_slashes=False,
        route_class=APIRoute if is_open or takes_files else KeyedRoute,
    )


def _with_keyed(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Return what a route answers, and besides that what it answers for its keys."""
    merged = dict(responses)
    for status, keyed in _KEYED.items():
        if status == "default":
            continue
        own = [responses[status]["description"]] if status in responses else []
        merged[status] = {**keyed, "description": "  \n".join([*own, keyed["description"]])}
    return merged


def _function_name(route: APIRoute) -> str:
    return route.name

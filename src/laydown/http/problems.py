"""Errors as HTTP tells them: the only place that knows status codes of what went wrong."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from laydown.domain import errors
from laydown.domain.errors import LaydownError

MEDIA_TYPE = "application/problem+json"
"""RFC 9457."""

STATUS: Mapping[type[LaydownError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.MemberExists: HTTPStatus.CONFLICT,
    errors.LastOwner: HTTPStatus.CONFLICT,
    errors.IllegalMove: HTTPStatus.CONFLICT,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotReceiving: HTTPStatus.CONFLICT,
    errors.PartConflict: HTTPStatus.CONFLICT,
    errors.PartBusy: HTTPStatus.CONFLICT,
    errors.PartsMissing: HTTPStatus.CONFLICT,
    errors.BatchClosed: HTTPStatus.CONFLICT,
    errors.TooManyBatches: HTTPStatus.CONFLICT,
    errors.ProjectExists: HTTPStatus.CONFLICT,
    errors.KeyReused: HTTPStatus.CONFLICT,
    errors.NoScanner: HTTPStatus.CONFLICT,
    errors.TooManyEntries: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InvalidRequest: HTTPStatus.BAD_REQUEST,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.IdempotencyInProgress: HTTPStatus.CONFLICT,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.BadSignature: HTTPStatus.FORBIDDEN,
    errors.WrongLength: HTTPStatus.BAD_REQUEST,
    errors.ChecksumMismatch: HTTPStatus.BAD_REQUEST,
    errors.ClientGone: HTTPStatus.REQUEST_TIMEOUT,
    errors.RangeNotSatisfiable: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    errors.ContentGone: HTTPStatus.GONE,
    errors.ContentInfected: HTTPStatus.FORBIDDEN,
    errors.StoreFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.LedgerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ScannerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.QueueUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.IssuerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Stopping: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Transport:
    """An error of HTTP itself, which no use case raises."""

    code: str
    meaning: str


TRANSPORT: Mapping[HTTPStatus, Transport] = {
    HTTPStatus.BAD_REQUEST: Transport(
        "malformed_request", "What came is no request of HTTP/1.1; nothing was done with it."
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: Transport(
        "method_not_allowed", "This path does not take this method; `Allow` lists those it takes."
    ),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: Transport(
        "headers_too_large", "The request's line and headers have more than 32,768 bytes."
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: Transport(
        "internal_error",
        "Something broke that should not; tell the operator the answer's `X-Request-Id`.",
    ),
}

RETRY_AFTER: Mapping[type[LaydownError], int] = {
    errors.PartBusy: 1,
    errors.IdempotencyInProgress: 1,
    errors.LedgerUnavailable: 2,
    errors.Stopping: 2,
    errors.Overloaded: 5,
    errors.StoreUnavailable: 5,
    errors.ScannerUnavailable: 5,
    errors.QueueUnavailable: 5,
    errors.IssuerUnavailable: 5,
    errors.StoreFull: 60,
}
"""Seconds after which the same request makes sense: a restart or a failover is over by then."""


def status_of(error: LaydownError) -> HTTPStatus:
    """Return the status of an error, or of the one it is a special case of."""
    return STATUS[_kind(error)]


def _kind(error: LaydownError) -> type[LaydownError]:
    return next(kind for kind in type(error).__mro__ if kind in STATUS)


def meaning(error: type[LaydownError]) -> str:
    """Return the sentence that explains an error to whoever meets it."""
    return inspect.getdoc(error) or error.code


def problem(
    error: LaydownError, *, instance: str | None = None, also: str = ""
) -> tuple[HTTPStatus, dict[str, Any]]:
    """Return the status and the RFC 9457 body that tell the client of *error*.

    *instance* is the path that was asked for, without its query, *also* what more there is to say
    to people. An error inside of us (5xx, or
    content lost) is told by its meaning only: what it says itself is for the log.
    """
    status = status_of(error)
    is_inside = status >= HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(error, errors.ContentGone)
    detail = meaning(_kind(error)) if is_inside else str(error) or meaning(_kind(error))
    detail = f"{detail} {also}" if also else detail
    faults = error.faults if isinstance(error, errors.InvalidRequest) else ()
    return status, _body(status, error.code, detail, instance=instance, faults=faults)


def headers(error: LaydownError) -> dict[str, str]:
    """Return the headers that go with the problem of *error*."""
    found: dict[str, str] = {}
    if isinstance(error, errors.Unauthenticated):
        found["WWW-Authenticate"] = 'Bearer realm="laydown"'
    kind = _kind(error)
    if isinstance(error, errors.RateLimited):
        found["Retry-After"] = str(error.seconds)
    elif kind in RETRY_AFTER:
        found["Retry-After"] = str(RETRY_AFTER[kind])
    return found


def answer(
    error: LaydownError,
    *,
    instance: str | None,
    also: str = "",
    extra: Mapping[str, str] | None = None,
) -> Response:
    """Return the whole response that tells the client of *error*."""
    status, body = problem(error, instance=instance, also=also)
    return _response(status, body, {**headers(error), **(extra or {})})


def transport_answer(
    status: HTTPStatus, *, instance: str | None, extra: Mapping[str, str] | None = None
) -> Response:
    """Return the response for an error of HTTP itself; *status* is a key of `TRANSPORT`."""
    told = TRANSPORT[status]
    body = _body(status, told.code, told.meaning, instance=instance)
    return _response(status, body, extra or {})


def documented(*raised: type[LaydownError]) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of a route that answers these errors, and of any other."""
    by_status: dict[HTTPStatus, list[str]] = {}
    for error in raised:
        by_status.setdefault(STATUS[error], []).append(f"`{error.code}`: {meaning(error)}")
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told: dict[int | str, dict[str, Any]] = {
        status.value: {"description": "  \n".join(lines), "content": content}
        for status, lines in sorted(by_status.items())
    }
    told["default"] = {"description": "Any other error.", "content": content}
    return told


async def on_error(request: Request, error: Exception) -> Response:
    """Answer for an error of ours that a use case raised."""
    assert isinstance(error, LaydownError)
    return answer(error, instance=request.url.path)


async def on_bad_parameters(request: Request, error: Exception) -> Response:
    """Answer for path and query parameters that can't be read.

    A malformed id names nothing, so it answers as an unknown one.
    """
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    for fault in faults:
        where, name, *_ = (*map(str, fault["loc"]), "")
        if where == "path":
            missing = errors.NotFound(name.removesuffix("_id"), fault.get("input"))
            return answer(missing, instance=request.url.path)
    pointed = tuple((_pointer(fault["loc"]), str(fault["msg"])) for fault in faults)
    invalid = errors.InvalidRequest("A parameter of the request can't be read.", pointed)
    return answer(invalid, instance=request.url.path)


async def on_transport(request: Request, error: Exception) -> Response:
    """Answer for paths and methods that don't exist."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = {"Allow": ", ".join(sorted(_methods(request)))}
        return transport_answer(HTTPStatus.METHOD_NOT_ALLOWED, instance=path, extra=allowed)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return answer(errors.NotFound("path", path), instance=path)
    return answer(errors.InvalidRequest(str(error.detail)), instance=path)


async def on_surprise(request: Request, _error: Exception) -> Response:
    """Answer for what nobody foresaw; the edge logs it with the request's id."""
    return transport_answer(HTTPStatus.INTERNAL_SERVER_ERROR, instance=request.url.path)


def _methods(request: Request) -> set[str]:
    """Return every method that some route takes on this path; the router names only one route's."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match.value:
            found |= route.methods or set()
    return found


def _pointer(where: Sequence[object]) -> str:
    return "".join(f"/{step}" for step in where)


def _body(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    instance: str | None,
    faults: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"/docs#{code}",  # the server's own page says more
        "title": code.replace("_", " ").capitalize(),
        "status": status.value,
        "detail": detail,
        "code": code,
    }
    if instance is not None:
        body["instance"] = instance
    if faults:
        body["errors"] = [{"pointer": pointer, "detail": text} for pointer, text in faults]
    return body


def _response(status: HTTPStatus, body: dict[str, Any], extra: Mapping[str, str]) -> Response:
    return Response(
        msgspec.json.encode(body), status.value, media_type=MEDIA_TYPE, headers=dict(extra)
    )

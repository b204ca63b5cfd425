"""The API's description of itself: OpenAPI for machines, one plain page for people."""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.routing import BaseRoute, Route

from laydown import wire
from laydown.http.health import VERSION
from laydown.http.problems import MEDIA_TYPE, STATUS, TRANSPORT, meaning

_ABOUT = (
    "Takes thousands of files at once, loses none, checks every one, and shows what happened to "
    "each. Times are RFC 3339 in UTC, sizes bytes, ids UUIDs. Every error is RFC 9457 "
    f"`{MEDIA_TYPE}` with a stable `code`; a page's `next_cursor` is the next one's `cursor`."
)

# What bodies hold that no answer does, and the shape of every error.
_TAKEN = (
    wire.Problem,
    wire.NewProject,
    wire.ProjectChange,
    wire.Quota,
    wire.NewBatch,
    wire.NewEntries,
    wire.GrantRequest,
    wire.ProgressReport,
    wire.CompletionRequest,
    wire.RescanRequest,
    wire.NewMember,
    wire.MemberChange,
    wire.RoleGrant,
    wire.NewToken,
    wire.NewLink,
    wire.SignIn,
    wire.PreviewRequest,
    wire.Change,
)

_HEADERS = {
    "RateLimit": {
        "description": (
            "How many requests are left (`r`), and the seconds until all are (`t`): of this token, "
            "and of the organization (draft-ietf-httpapi-ratelimit-headers)."
        ),
        "schema": {"type": "string", "example": '"token";r=5998;t=1, "organization";r=29970;t=1'},
    },
    "RateLimit-Policy": {
        "description": (
            "How many requests may come at once (`q`), and the seconds in which as many more may "
            "(`w`)."
        ),
        "schema": {"type": "string", "example": '"token";q=6000;w=60, "organization";q=30000;w=60'},
    },
    "Retry-After": {
        "description": "The seconds after which the same request makes sense again.",
        "schema": {"type": "integer"},
    },
}
_PAUSES = frozenset({"409", "429", "503"})  # statuses that may say when to come back

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color-scheme: light dark }
code { font: 14px/1.4 ui-monospace, monospace }
h2 { margin-top: 2.5rem; text-transform: capitalize }
dt { margin-top: 1rem } dd { margin-left: 1.5rem }
dt b { display: inline-block; min-width: 4.5rem }
:target { background: color-mix(in srgb, currentColor 15%, transparent) }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"


def openapi(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the OpenAPI document of *routes*, with the bodies that they read themselves."""
    document = get_openapi(title="laydown", version=VERSION, description=_ABOUT, routes=routes)
    schemas = document["components"]["schemas"]
    for shape in _TAKEN:
        schema = TypeAdapter(shape).json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[shape.__name__] = schema
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["headers"] = _HEADERS
    for operations in document["paths"].values():
        for operation in operations.values():
            _tell_headers(operation)
    return document


def _tell_headers(operation: dict[str, Any]) -> None:
    """Add what headers the answers of an operation have."""
    for status, answer in operation["responses"].items():
        is_counted = "security" in operation and status != "401"
        names = ["RateLimit", "RateLimit-Policy"] if is_counted else []
        names += ["Retry-After"] if status in _PAUSES else []
        told = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        if told:
            answer["headers"] = {**answer.get("headers", {}), **told}


def routes(document: Callable[[], dict[str, Any]]) -> list[BaseRoute]:
    """Return the routes that answer with *document*, and with a page made of it.

    Both are made when somebody first asks: it takes some tenths of a second, which no start of a
    server should wait for.
    """

    @cache
    def written() -> tuple[bytes, bytes]:
        found = document()
        return msgspec.json.encode(found), "".join(_page(found)).encode()

    async def for_machines(_request: Request) -> Response:
        machines, _ = await asyncio.to_thread(written)
        return Response(machines, media_type="application/json")

    async def for_people(_request: Request) -> Response:
        _, people = await asyncio.to_thread(written)
        return Response(
            people, media_type="text/html", headers={"Content-Security-Policy": _POLICY}
        )

    return [Route("/openapi.json", for_machines), Route("/docs", for_people)]


def _page(document: dict[str, Any]) -> Iterator[str]:
    """Yield the page, which needs nothing from anywhere else and runs nothing."""
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{_STYLE}</style><h1>{title}</h1>"
    yield f"<p>{_prose(document['info']['description'])}</p>"
    yield '<p>For machines: <a href="/openapi.json">openapi.json</a></p>'
    subject = ""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["tags"][0] != subject:
                yield "</dl>" if subject else ""
                subject = operation["tags"][0]
                yield f"<h2>{escape(subject)}</h2><dl>"
            yield _operation(path, method, operation)
    yield "</dl><h2>Errors</h2><dl>"
    for error, status in STATUS.items():
        yield _error(error.code, status, meaning(error))
    for status, told in TRANSPORT.items():
        yield _error(told.code, status, told.meaning)
    yield "</dl></html>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    name = escape(operation["operationId"])
    query = ", ".join(
        f"<code>{escape(parameter['name'])}</code>"
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    )
    return (
        f'<dt id="{name}"><b>{method.upper()}</b> <code>{escape(path)}</code></dt>'
        f"<dd>{_prose(operation['description'])}{f' Takes {query}.' if query else ''}</dd>"
    )


def _error(code: str, status: int, text: str) -> str:
    return f'<dt id="{code}"><b>{int(status)}</b> <code>{code}</code></dt><dd>{_prose(text)}</dd>'


def _prose(text: str) -> str:
    """Return plain text as HTML; what stands between backquotes is code."""
    pieces = escape(text).split("`")
    return "".join(
        f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces)
    )

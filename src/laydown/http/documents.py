"""Documents: what a project holds, its versions, and their content."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, cast
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from laydown import wire
from laydown.domain import errors
from laydown.domain.document import DocumentId, Version, VersionId
from laydown.domain.errors import NotFound
from laydown.domain.names import content_disposition, folded
from laydown.domain.upload import ProjectId
from laydown.http import problems, ranges, shapes
from laydown.http.auth import Called
from laydown.http.bodies import json
from laydown.http.context import Served
from laydown.http.paging import Text, cut, number, paged, words
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.ports import Page, SignedUrl

# A slow line gets this much through within the patience of the edge at 4 kB/s.
_PIECE = 128 * 1024  # bytes

router = routing("documents")


@router.get(
    "/v1/projects/{project_id}/documents",
    response_model=wire.DocumentPage,
    responses=documented(NotFound),
)
async def list_documents(
    caller: Called,
    served: Served,
    project_id: UUID,
    page: Annotated[Page, paged(words)],
    path: Annotated[Text, Query(description="The document here, or all in this folder.")] = None,
    q: Annotated[Text, Query(description="Occurs in the path, in either case.")] = None,
    kind: Annotated[Text, Query(description="Kind of content, such as `pdf`.")] = None,
) -> Response:
    """List what a project holds, by path."""
    found = await served.documents.documents(
        caller, ProjectId(project_id), page, under=path, text=q, kind=kind
    )
    items, cursor = cut(found, page, lambda document: folded(document.path))
    return json(wire.DocumentPage(items=[*map(shapes.document, items)], next_cursor=cursor))


@router.get(
    "/v1/projects/{project_id}/folder",
    response_model=wire.FolderPage,
    responses=documented(NotFound),
)
async def list_folder(
    caller: Called,
    served: Served,
    project_id: UUID,
    page: Annotated[Page, paged(words)],
    path: Annotated[Text, Query(description="The folder; the project itself when absent.")] = None,
) -> Response:
    """List what lies directly in a folder: folders, and documents with their current version."""
    found = await served.documents.folder(caller, ProjectId(project_id), page, path=path or "")
    items, cursor = cut(found, page, lambda child: child.folded)
    return json(wire.FolderPage(items=[*map(shapes.child, items)], next_cursor=cursor))


@router.get(
    "/v1/documents/{document_id}", response_model=wire.Document, responses=documented(NotFound)
)
async def get_document(caller: Called, served: Served, document_id: UUID) -> Response:
    """Read a document with its current version."""
    found = await served.documents.document(caller, DocumentId(document_id))
    return json(shapes.document(found))


@router.get(
    "/v1/documents/{document_id}/versions",
    response_model=wire.VersionPage,
    responses=documented(NotFound),
)
async def list_versions(
    caller: Called, served: Served, document_id: UUID, page: Annotated[Page, paged(number)]
) -> Response:
    """List a document's versions, newest first."""
    found = await served.documents.versions(caller, DocumentId(document_id), page)
    items, cursor = cut(found, page, lambda version: str(version.number))
    return json(wire.VersionPage(items=[*map(shapes.version, items)], next_cursor=cursor))


@router.get(
    "/v1/versions/{version_id}", response_model=wire.Version, responses=documented(NotFound)
)
async def get_version(caller: Called, served: Served, version_id: UUID) -> Response:
    """Read a version."""
    return json(shapes.version(await served.documents.version(caller, VersionId(version_id))))


@router.head("/v1/versions/{version_id}/content", include_in_schema=False)
@router.get(
    "/v1/versions/{version_id}/content",
    response_class=StreamingResponse,
    responses={
        **documented(
            NotFound,
            errors.ContentInfected,
            errors.ContentGone,
            errors.RangeNotSatisfiable,
            errors.StoreUnavailable,
            errors.LedgerUnavailable,
        ),
        200: {
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
            "description": "The bytes, for saving: never to be shown by a browser as they are.",
        },
        206: {"description": "The bytes that `Range` asked for."},
        302: {"description": "The bytes are at `Location` for some minutes; `Range` works there."},
        304: {"description": "`If-None-Match` names these bytes."},
    },
)
async def get_content(
    caller: Called, served: Served, version_id: UUID, request: Request
) -> Response:
    """Download a version's bytes, all or one range of them; the ETag is their SHA-256."""
    version = await served.documents.version(caller, VersionId(version_id))
    headers = _headers(version)
    elsewhere = await served.documents.where(
        caller, version, disposition=headers["Content-Disposition"]
    )
    if _names(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if elsewhere is not None and request.method != "HEAD":  # which needs no bytes
        return _redirected(elsewhere)
    size = version.blob.size
    try:
        span = ranges.asked(_range_of(request, headers["ETag"]), size=size)
    except errors.RangeNotSatisfiable as error:
        said = {"Content-Range": f"bytes */{size}"}
        return problems.answer(error, instance=request.url.path, extra=said)
    status = HTTPStatus.OK
    if span is not None:
        status = HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = span.content_range(size)
    span = span or ranges.Span(0, size)
    headers["Content-Length"] = str(span.length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(await _started(served, version, span), status, headers)


def _headers(version: Version) -> dict[str, str]:
    """Return what holds for all of a version's content: it is saved, and never run."""
    return {
        "Content-Type": version.blob.media_type,
        "Content-Disposition": content_disposition(version.path),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "ETag": f'"{version.blob.sha256.hex()}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",  # kept, but asked for again: access may have ended
    }


def _redirected(to: SignedUrl) -> Response:
    """Return the way to the bytes: whoever has it can fetch them, so it is kept nowhere."""
    headers = {
        "Location": to.url,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return Response(status_code=HTTPStatus.FOUND, headers=headers)


def _names(tags: str, ours: str) -> bool:
    """Say whether `If-None-Match` names our tag; the comparison is weak (RFC 9110, 13.1.2)."""
    return any(tag.strip().removeprefix("W/") in (ours, "*") for tag in tags.split(","))


def _range_of(request: Request, ours: str) -> str | None:
    """Return the `Range` that holds: for GET, and only if `If-Range` still names our bytes."""
    if request.method != "GET" or request.headers.get("if-range", ours) != ours:
        return None
    return request.headers.get("range")


async def _started(served: Served, version: Version, span: ranges.Span) -> AsyncIterator[bytes]:
    """Return the bytes once the store has begun to give them; its errors come before."""
    reading = served.documents.read(version, start=span.start, length=span.length)
    chunks = cast("AsyncGenerator[bytes, None]", reading)  # what it is, so that it can be closed
    first = await anext(chunks, b"") if span.length else b""
    return _pieces(first, chunks)


async def _pieces(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Yield everything in pieces of bounded size."""
    async with aclosing(rest) as chunks:
        for start in range(0, len(first), _PIECE):
            yield first[start : start + _PIECE]
        async for chunk in chunks:
            for start in range(0, len(chunk), _PIECE):
                yield chunk[start : start + _PIECE]

"""The old system's routes, for its clients: its paths, its key, its JSON, its errors."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Route

from laydown.domain.errors import (
    InvalidRequest,
    LaydownError,
    NotFound,
    StoreUnavailable,
)
from laydown.domain.legacy import OldDocument
from laydown.domain.names import content_disposition
from laydown.http import problems, rates
from laydown.http.auth import caller_of, origin_of
from laydown.http.context import context_of
from laydown.http.form_reading import Field, File, Form
from laydown.services.identity import Caller
from laydown.services.legacy_door import Held, OldDoor

_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_NO_TEXT: Final = "\0"  # to Postgres
_KEY: Final = "X-Api-Key"
_FILE: Final = "file"  # the field it is in


class _Digits(Convertor[str]):
    """A number in a path, however long: Python makes none of more than 4,300 digits."""

    regex = "[0-9]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("digits", _Digits())

Answering: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]


def routes(door: OldDoor) -> list[BaseRoute]:
    """Return the old system's routes; they are no part of the native API and of its document.

    Old ids are numbers: what else is below these paths is the console's.
    """

    def route(path: str, method: str, answering: Answering) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return await answering(request, await _caller(door, request))
            except LaydownError as error:
                return _told(error)

        return Route(path, answer, methods=[method])

    legacy = _Routes(door)
    return [
        route("/documents", "POST", legacy.send),
        route("/documents/{id:digits}", "GET", legacy.read),
        route("/documents/{id:digits}/download", "GET", legacy.download),
        route("/projects/{id:digits}/documents", "GET", legacy.page),
    ]


class _Routes:
    def __init__(self, door: OldDoor) -> None:
        self._door = door

    async def send(self, request: Request, caller: Caller) -> Response:
        """Take a file, and answer with its document once that is written."""
        form = Form(request, context_of(request).limits.forms)
        fields: dict[str, str] = {}
        held: Held | None = None
        async for part in form.parts():
            if isinstance(part, Field):
                fields[part.name] = _legible(part.value.decode(errors="replace"))
            elif part.head.name != _FILE or held is not None:
                raise InvalidRequest(f"one file is taken, in the field {_FILE}")
            else:
                held = await self._held(caller, part)
        if held is None:
            raise InvalidRequest("file is required")
        row, is_written = await self._door.take(
            caller,
            held,
            _project(fields.get("projectId")),
            uploaded_by=fields.get("uploadedBy"),
        )
        return _json(_shown(row), HTTPStatus.CREATED if is_written else HTTPStatus.ACCEPTED)

    async def _held(self, caller: Caller, file: File) -> Held:
        name = _legible((file.head.filename or "").rpartition("/")[2])
        mime = file.head.content_type
        return await self._door.hold(caller, name, None if mime is None else _legible(mime), file)

    async def read(self, request: Request, caller: Caller) -> Response:
        """Answer with a document."""
        return _json(_shown(await self._door.document(caller, _id(request))))

    async def download(self, request: Request, caller: Caller) -> Response:
        """Lead to the bytes by a URL that is good for minutes: content stays protected."""
        version, row = await self._door.version(caller, _id(request))
        disposition = content_disposition(row.filename)
        to = await context_of(request).services.documents.where(
            caller, version, disposition=disposition
        )
        if to is None:
            raise StoreUnavailable("the store gives no URLs")
        if request.method == "HEAD":  # which the store wouldn't answer by a URL for GET
            headers = {
                "Content-Disposition": disposition,
                "Content-Length": str(version.blob.size),
                "Content-Type": version.blob.media_type,
            }
            return Response(headers=headers)
        headers = {
            "Location": to.url,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return Response(status_code=HTTPStatus.FOUND, headers=headers)

    async def page(self, request: Request, caller: Caller) -> Response:
        """Answer with a project's documents, however many."""
        rows = self._door.documents(caller, _id(request))
        first = await anext(rows, None)
        return StreamingResponse(_array(first, rows), media_type="application/json")


async def _array(
    first: OldDocument | None, rest: AsyncGenerator[OldDocument]
) -> AsyncGenerator[bytes]:
    """Yield the JSON array of documents; the first was asked for, so that errors come before."""
    async with aclosing(rest) as rows:
        yield b"["
        if first is not None:
            yield msgspec.json.encode(_shown(first))
        async for row in rows:
            yield b"," + msgspec.json.encode(_shown(row))
        yield b"]"


async def _caller(door: OldDoor, request: Request) -> Caller:
    """Return who is asking: by a key of the old API, or as everywhere else."""
    services = context_of(request).services
    old_key = request.headers.get(_KEY)
    if old_key is None:
        return await caller_of(request, services)
    caller = await door.caller(old_key, await origin_of(request))
    rates.tell(request.scope, await services.rating.spend(caller))
    return caller


def _shown(row: OldDocument) -> dict[str, object]:
    """Return a document as the old API told it."""
    at = row.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "id": row.id,
        "projectId": row.project,
        "filename": row.filename,
        "mime": row.mime,
        "size": row.size,
        "uploadedBy": row.uploaded_by,
        "createdAt": at.replace("+00:00", "Z"),
        "url": f"/documents/{row.id}/download",
    }


def _id(request: Request) -> int:
    text: str = request.path_params["id"]
    if not _ID.fullmatch(text):
        raise NotFound("document", text)
    return int(text)


def _legible(text: str) -> str:
    """Return a text with a mark for what the old table can't keep."""
    return text.replace(_NO_TEXT, "\N{REPLACEMENT CHARACTER}")


def _project(text: str | None) -> int:
    if text is None or not _ID.fullmatch(text):
        raise InvalidRequest("projectId is required")
    return int(text)


def _told(error: LaydownError) -> Response:
    """Return an error as the old API told them: a sentence, and no more."""
    status = problems.STATUS[type(error)]
    short = {HTTPStatus.UNAUTHORIZED: "Unauthorized", HTTPStatus.NOT_FOUND: "Not found"}
    answer = _json({"error": short.get(status, str(error))}, status)
    answer.headers.update(problems.headers(error))
    return answer


def _json(body: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")

"""Files as a plain form: whatever can send one, can send us files."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import Query, Request, Response

from laydown import wire
from laydown.domain.batch import Batch, OnConflict
from laydown.domain.errors import (
    BatchClosed,
    ClientGone,
    InvalidRequest,
    LaydownError,
    NotFound,
    StoreFull,
    TooLarge,
    TooManyBatches,
    TooManyEntries,
    UnsupportedMediaType,
)
from laydown.domain.lifecycle import State
from laydown.domain.reasons import EXPLANATIONS, Reason
from laydown.domain.upload import Entry, ProjectId, Upload, UploadId
from laydown.domain.verdicts import Refused
from laydown.http import bodies, entries, problems
from laydown.http.auth import Called
from laydown.http.batches import LONGEST_REFERENCE
from laydown.http.bodies import json
from laydown.http.context import Limited, Served, Traced
from laydown.http.form_reading import Field, File, Form
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.services.filing import Filed, Offer

_MOST_IGNORED = 20  # names of fields that are told
_NO_PATH = frozenset({"", "null", "undefined"})  # what browsers' scripts write for none

_FORM = {
    "type": "object",
    "properties": {
        "reference": {"type": "string", "description": "The batch's; before the first file."},
        "label": {"type": "string", "description": "The batch's; before the first file."},
        "on_conflict": {
            "type": "string",
            "enum": [each.value for each in OnConflict],
            "description": "The batch's; before the first file.",
        },
        "folder": {"type": "string", "description": "Above all paths that follow."},
        "path": {"type": "string", "description": "Of the next file, instead of its filename."},
        "modified_at": {
            "type": "string",
            "format": "date-time",
            "description": "When the next file was changed last.",
        },
        "files": {
            "type": "array",
            "items": {"type": "string", "contentMediaType": "application/octet-stream"},
            "description": "Any number of files, in fields of any name.",
        },
    },
}

router = routing("batches", takes_files=True)


@dataclass(slots=True)
class _Filling:
    """What the fields of a form have said so far."""

    reference: str | None = None
    label: str | None = None
    on_conflict: OnConflict = OnConflict.NEW_VERSION
    folder: str = ""
    path: str | None = None
    modified_at: str | None = None
    has_files: bool = False
    ignored: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)  # those that were offered

    def note(self, given: Field) -> None:
        """Take a field, or note that it is ignored. Raises `InvalidRequest`."""
        match given.name:
            case "reference" if not self.has_files:
                self.reference = bodies.sound(_text(given), "/reference", longest=LONGEST_REFERENCE)
            case "label" if not self.has_files:
                text = _text(given)
                self.label = text and bodies.sound(text, "/label", longest=LONGEST_REFERENCE)
            case "on_conflict" if not self.has_files:
                self.on_conflict = _on_conflict(_text(given))
            case "folder":
                self.folder = _text(given).removesuffix("/")
            case "path" | "relativePath":
                text = _text(given)
                self.path = None if text in _NO_PATH else text
            case "modified_at":
                self.modified_at = _text(given) or None
            case "_charset_":
                pass
            case name:
                if name not in self.ignored and len(self.ignored) < _MOST_IGNORED:
                    self.ignored.append(name)

    def offer(self, file: File) -> Offer:
        """Return a file as its bytes begin to come."""
        self.files.append(file)
        entry = self._entry(file)
        self.path = self.modified_at = None
        return Offer(entry=entry, chunks=file)

    def _entry(self, file: File) -> Entry | Refused:
        path = self.path or file.head.filename or ""
        path = f"{self.folder}/{path}" if self.folder else path
        try:
            modified_at = self.modified_at and msgspec.convert(self.modified_at, datetime)
        except msgspec.ValidationError as error:
            return Refused(key="file", reason=Reason.INVALID_ENTRY, detail=f"modified_at: {error}")
        named = entries.named(
            path, content_type=file.head.content_type, modified_at=modified_at or None
        )
        if self.path is None and not file.head.is_legible:
            entry = named if isinstance(named, Entry) else named.entry
            return Refused(key="file", reason=Reason.ILLEGAL_NAME, detail=_ILLEGIBLE, entry=entry)
        return named


_ILLEGIBLE = "The name is not in UTF-8; send it in that, or say what it is in with _charset_."


@router.post(
    "/v1/projects/{project_id}/files",
    status_code=HTTPStatus.CREATED,
    response_model=wire.SentFiles,
    responses={
        **documented(
            NotFound, BatchClosed, TooLarge, TooManyBatches, TooManyEntries, UnsupportedMediaType,
            ClientGone, StoreFull
        ),
        207: {"model": wire.SentFiles, "description": "Some of the files were refused."},
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
    },
)  # fmt: skip
async def send_files(
    caller: Called,
    served: Served,
    limits: Limited,
    trace: Traced,
    project_id: UUID,
    request: Request,
    wait: Annotated[
        Literal["ready"] | None,
        Query(description="Answer once all files are settled, or after 30 s."),
    ] = None,
) -> Response:
    """Send files as a form: any number, in fields of any name, each kept as it comes.

    When the form breaks off, the files that were whole by then are kept: `Location` is their batch.
    """
    form = Form(request, limits.forms)
    filling = _Filling()
    filed: list[Filed] = []
    async with aclosing(_files(form, filling)) as files:
        first = await anext(files, None)
        if first is None:
            raise InvalidRequest("The form has no file: give at least one part a filename.")
        batch = await served.filing.open(
            caller,
            ProjectId(project_id),
            reference=filling.reference,
            label=filling.label,
            on_conflict=filling.on_conflict,
            trace=trace,
        )
        at = {"Location": f"/v1/batches/{batch.id}"}
        is_last = filling.reference is None
        try:
            offers = _offers(first, files, filling)
            await served.filing.take(caller, batch.id, offers, filed, is_last=is_last)
        except LaydownError as error:
            also = _kept(filed, batch)
            return problems.answer(error, instance=request.url.path, also=also, extra=at)
    uploads = {each.verdict.upload.id: each.verdict.upload for each in filed if each.verdict.upload}
    if wait is not None:
        now = await served.filing.settled(
            caller, batch.id, list(uploads), patience=limits.forms.wait
        )
        uploads |= {upload.id: upload for upload in now}
    return _answer(batch, filling, filed, uploads, at)


async def _files(form: Form, filling: _Filling) -> AsyncGenerator[File, None]:
    """Yield the files of a form, its fields noted on the way."""
    async for part in form.parts():
        if isinstance(part, Field):
            filling.note(part)
        else:
            filling.has_files = True
            yield part
    late = {"path": filling.path, "modified_at": filling.modified_at}
    filling.ignored += [name for name, value in late.items() if value is not None]


async def _offers(
    first: File, files: AsyncIterator[File], filling: _Filling
) -> AsyncIterator[Offer]:
    yield filling.offer(first)
    async for file in files:
        yield filling.offer(file)


def _answer(
    batch: Batch,
    filling: _Filling,
    filed: Sequence[Filed],
    uploads: Mapping[UploadId, Upload],
    headers: Mapping[str, str],
) -> Response:
    sent = [_sent(file, each, uploads) for file, each in zip(filling.files, filed, strict=True)]
    is_all_well = all(each.state not in (None, State.REJECTED, State.FAILED) for each in sent)
    answer = json(
        wire.SentFiles(
            batch_id=batch.id,
            reference=batch.reference,
            files=sent,
            ignored_fields=filling.ignored,
        ),
        HTTPStatus.CREATED if is_all_well else HTTPStatus.MULTI_STATUS,
    )
    answer.headers.update(headers)
    return answer


def _sent(file: File, of: Filed, uploads: Mapping[UploadId, Upload]) -> wire.SentFile:
    """Return what is told of one file."""
    verdict = of.verdict
    upload = None if verdict.upload is None else uploads[verdict.upload.id]
    reason = verdict.reason if upload is None else upload.reason
    explanation = None if reason is None else EXPLANATIONS[reason]
    return wire.SentFile(
        field=file.head.name,
        filename=file.head.filename or "",
        size=of.size,
        path=None if upload is None else upload.entry.path,
        state=None if upload is None else upload.state.value,
        upload_id=None if upload is None else upload.id,
        reason=None if reason is None else reason.value,
        message=None if explanation is None else explanation.message,
        remedy=None if explanation is None else explanation.remedy,
        detail=verdict.detail if upload is None else upload.detail,
        sha256=None if of.sha256 is None else of.sha256.hex(),
        version_id=None if upload is None else upload.version,
    )


def _kept(filed: Sequence[Filed], batch: Batch) -> str:
    """Say what stays of a form that broke off."""
    if not filed:
        return "No file of it was kept."
    files = "file that was" if len(filed) == 1 else "files that were"
    return f"The {len(filed):,} {files} whole before that are in batch {batch.id}."


def _text(given: Field) -> str:
    try:
        return given.value.decode()
    except UnicodeDecodeError:
        fault = (f"/{given.name}", "Expected UTF-8")
        raise InvalidRequest("A field of the form can't be read.", (fault,)) from None


def _on_conflict(text: str) -> OnConflict:
    try:
        return OnConflict(text)
    except ValueError:
        choices = ", ".join(OnConflict)
        fault = ("/on_conflict", f"Expected one of {choices}")
        raise InvalidRequest("A field of the form can't be read.", (fault,)) from None

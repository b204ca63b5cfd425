"""While bytes travel: permissions to send them, and the word that all are sent."""

import re
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Response

from laydown import wire
from laydown.domain.batch import ENTRIES_PER_REQUEST
from laydown.domain.errors import InvalidRequest, NotFound, TooLarge, TooManyEntries
from laydown.domain.plan import S3_LARGEST_OBJECT, S3_MOST_PARTS
from laydown.domain.upload import BatchId, UploadId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.bodies import described, json, sound, taking
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.services.sending import PARTS_AT_ONCE, Wanted

# 64 bits in base64: eleven digits and one of padding.
_CHECKSUM = re.compile(r"crc64nvme:[A-Za-z0-9+/]{11}=")
_LONGEST_ETAG = 200  # characters; S3 answers with 34 to 40

router = routing("batches")


@router.post(
    "/v1/batches/{batch_id}/grants",
    response_model=wire.Grants,
    responses=documented(NotFound, TooManyEntries, TooLarge),
    openapi_extra=described(wire.GrantRequest),
)
async def grant_parts(
    caller: Called,
    served: Served,
    batch_id: UUID,
    asked: Annotated[wire.GrantRequest, taking(wire.GrantRequest)],
) -> Response:
    """Sign the next window of URLs, and say which parts are already here."""
    granted = await served.sending.grant(
        caller,
        BatchId(batch_id),
        limit=max(1, min(asked.limit, PARTS_AT_ONCE)),
        wanted=_wanted(asked),
    )
    return json(shapes.granted(granted))


@router.post(
    "/v1/batches/{batch_id}/progress",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=documented(NotFound, TooManyEntries, TooLarge),
    openapi_extra=described(wire.ProgressReport),
)
async def report_progress(
    caller: Called,
    served: Served,
    batch_id: UUID,
    report: Annotated[wire.ProgressReport, taking(wire.ProgressReport)],
) -> Response:
    """Say how much has gone straight to the store, so that others see it. Nothing depends on it."""
    if len(report.uploads) > ENTRIES_PER_REQUEST:
        raise TooManyEntries(f"A request reports at most {ENTRIES_PER_REQUEST:,} uploads.")
    for index, each in enumerate(report.uploads):
        if not 0 <= each.sent_bytes <= S3_LARGEST_OBJECT:
            raise _fault(f"/uploads/{index}/sent_bytes", f"Expected 0 to {S3_LARGEST_OBJECT:,}")
    sent = {UploadId(each.id): each.sent_bytes for each in report.uploads}
    await served.sending.progress(caller, BatchId(batch_id), sent)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/v1/batches/{batch_id}/completions",
    response_model=wire.Completions,
    responses=documented(NotFound, TooManyEntries, TooLarge),
    openapi_extra=described(wire.CompletionRequest),
)
async def complete_uploads(
    caller: Called,
    served: Served,
    batch_id: UUID,
    sent: Annotated[wire.CompletionRequest, taking(wire.CompletionRequest)],
) -> Response:
    """Have uploads checked whose parts are all sent.

    A file of one part needs it only when its grant says `needs_completion`.
    """
    if len(sent.uploads) > ENTRIES_PER_REQUEST:
        raise TooManyEntries(f"A request completes at most {ENTRIES_PER_REQUEST:,} uploads.")
    _check_evidence(sent)
    ids = [UploadId(each.id) for each in sent.uploads]
    return json(shapes.completed(await served.completing.complete(caller, BatchId(batch_id), ids)))


def _check_evidence(sent: wire.CompletionRequest) -> None:
    """Raise `InvalidRequest` for what no store answered; it is asked itself what it has."""
    if sum(len(each.parts) for each in sent.uploads) > S3_MOST_PARTS:
        raise TooManyEntries(f"A request names at most {S3_MOST_PARTS:,} parts.")
    for index, upload in enumerate(sent.uploads):
        for place, part in enumerate(upload.parts):
            where = f"/uploads/{index}/parts/{place}"
            _check_part(part.number, part.checksum, where)
            if part.etag is not None:
                sound(part.etag, f"{where}/etag", longest=_LONGEST_ETAG)


def _wanted(asked: wire.GrantRequest) -> list[Wanted]:
    """Return what is asked for; raise `InvalidRequest` for parts that no upload has."""
    if len(asked.uploads) + sum(len(each.parts) for each in asked.uploads) > 2 * PARTS_AT_ONCE:
        raise TooManyEntries(f"A request names at most {PARTS_AT_ONCE:,} parts.")
    wanted = []
    for index, upload in enumerate(asked.uploads):
        for place, part in enumerate(upload.parts):
            _check_part(part.number, part.checksum, f"/uploads/{index}/parts/{place}")
        parts = [(part.number, part.checksum) for part in upload.parts]
        wanted.append(Wanted(upload=UploadId(upload.id), parts=parts))
    return wanted


def _check_part(number: int, checksum: str | None, where: str) -> None:
    if not 1 <= number <= S3_MOST_PARTS:
        raise _fault(f"{where}/number", f"Expected 1 to {S3_MOST_PARTS:,}")
    if checksum is not None and not _CHECKSUM.fullmatch(checksum):
        raise _fault(f"{where}/checksum", "Expected `crc64nvme:` and 8 bytes in base64")


def _fault(pointer: str, detail: str) -> InvalidRequest:
    return InvalidRequest("The body is not what this route takes.", ((pointer, detail),))

"""While bytes travel: permissions to send them, and the word that all are sent."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import Response

from laydown import wire
from laydown.domain.batch import ENTRIES_PER_REQUEST
from laydown.domain.errors import InvalidRequest, NotFound, TooLarge, TooManyEntries
from laydown.domain.plan import S3_MOST_PARTS
from laydown.domain.upload import BatchId, UploadId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.bodies import described, json, taking
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.services.sending import PARTS_AT_ONCE, Wanted

# 64 bits in base64: eleven digits and one of padding.
_CHECKSUM = re.compile(r"crc64nvme:[A-Za-z0-9+/]{11}=")

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
    """Have the parts of uploads joined. Uploads of one part need no completion."""
    if len(sent.uploads) > ENTRIES_PER_REQUEST:
        raise TooManyEntries(f"A request completes at most {ENTRIES_PER_REQUEST:,} uploads.")
    ids = [UploadId(each.id) for each in sent.uploads]
    return json(shapes.completed(await served.completing.complete(caller, BatchId(batch_id), ids)))


def _wanted(asked: wire.GrantRequest) -> list[Wanted]:
    """Return what is asked for; raise `InvalidRequest` for parts that no upload has."""
    if len(asked.uploads) + sum(len(each.parts) for each in asked.uploads) > 2 * PARTS_AT_ONCE:
        raise TooManyEntries(f"A request names at most {PARTS_AT_ONCE:,} parts.")
    wanted = []
    for index, upload in enumerate(asked.uploads):
        for place, part in enumerate(upload.parts):
            where = f"/uploads/{index}/parts/{place}"
            if not 1 <= part.number <= S3_MOST_PARTS:
                raise _fault(f"{where}/number", f"Expected 1 to {S3_MOST_PARTS:,}")
            if part.checksum is not None and not _CHECKSUM.fullmatch(part.checksum):
                raise _fault(f"{where}/checksum", "Expected `crc64nvme:` and 8 bytes in base64")
        parts = [(part.number, part.checksum) for part in upload.parts]
        wanted.append(Wanted(upload=UploadId(upload.id), parts=parts))
    return wanted


def _fault(pointer: str, detail: str) -> InvalidRequest:
    return InvalidRequest("The body is not what this route takes.", ((pointer, detail),))

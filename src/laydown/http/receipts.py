"""Receipts: what became of every file, written row by row, however many there are."""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
from fastapi import Response
from fastapi.responses import StreamingResponse

from laydown import wire
from laydown.domain.errors import NotFound
from laydown.domain.names import content_disposition
from laydown.domain.upload import BatchId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.context import Served
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.http.tables import MEDIA_TYPE, table
from laydown.services.identity import Caller
from laydown.services.receipts import ReceiptHead

router = routing("batches")


@router.get(
    "/v1/batches/{batch_id}/receipt", response_model=wire.Receipt, responses=documented(NotFound)
)
async def get_receipt(caller: Called, served: Served, batch_id: UUID) -> Response:
    """Read the ledger of a batch; `final` once it is closed and every file is settled."""
    head = await served.receipts.head(caller, BatchId(batch_id))
    return StreamingResponse(
        _json(head, _rows(served, caller, head)), media_type="application/json"
    )


@router.get(
    "/v1/batches/{batch_id}/receipt.csv",
    response_class=StreamingResponse,
    responses={
        **documented(NotFound),
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The ledger"},
    },
)
async def get_receipt_csv(caller: Called, served: Served, batch_id: UUID) -> Response:
    """Download the ledger of a batch as a table for spreadsheets (RFC 4180, UTF-8)."""
    head = await served.receipts.head(caller, BatchId(batch_id))
    name = f"receipt {head.batch.reference}.csv".replace("/", "-")
    return StreamingResponse(
        table(wire.ReceiptRow, _rows(served, caller, head)),
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": content_disposition(name)},
    )


async def _rows(
    served: Served, caller: Caller, head: ReceiptHead
) -> AsyncIterator[list[wire.ReceiptRow]]:
    async for records in served.receipts.rows(caller, head.batch.id):
        yield [shapes.receipt_row(record) for record in records]


async def _json(
    head: ReceiptHead, pages: AsyncIterator[list[wire.ReceiptRow]]
) -> AsyncIterator[bytes]:
    """Yield the JSON of a receipt: its head, then its rows where the empty list stands."""
    receipt = wire.Receipt(
        batch=shapes.batch(head.batch, head.tally),
        final=head.is_final,
        scanner=head.scanner,
        rows=(),
    )
    yield msgspec.json.encode(receipt).removesuffix(b"]}")
    separator = b""
    async for rows in pages:
        yield separator + msgspec.json.encode(rows)[1:-1]
        separator = b","
    yield b"]}"

"""Receipts: what became of every file of a batch."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from laydown.domain.batch import Batch, Tally
from laydown.domain.policy import Policy
from laydown.domain.upload import BatchId
from laydown.ports import Ledger, Page, UploadFilter, UploadRecord
from laydown.services.access import seen_batch
from laydown.services.identity import Caller

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHead:
    """What stands above the rows."""

    batch: Batch
    tally: Tally
    is_final: bool
    scanner: str


@dataclass(frozen=True, kw_only=True)
class Receipts:
    """The ledger of a batch, for those who delivered it."""

    ledger: Ledger
    policy: Policy

    async def head(self, caller: Caller, batch_id: BatchId) -> ReceiptHead:
        """Return a batch's totals, and whether they are final; raise `NotFound`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            batch, tally = await seen_batch(tx, caller, batch_id), await tx.tally(batch_id)
        return ReceiptHead(
            batch=batch,
            tally=tally,
            is_final=not batch.is_open and tally.is_settled,
            scanner=self.policy.scanner,
        )

    async def rows(
        self, caller: Caller, batch_id: BatchId
    ) -> AsyncIterator[Sequence[UploadRecord]]:
        """Yield every file of a batch in order of declaration, a thousand at a time."""
        after: str | None = None
        while True:
            async with self.ledger.snapshot(caller.organization) as tx:
                await seen_batch(tx, caller, batch_id)
                page = Page(after=after, limit=_ROWS_AT_ONCE)
                records = await tx.records(batch_id, page, UploadFilter())
            if records:
                yield records
            if len(records) < _ROWS_AT_ONCE:
                return
            after = str(records[-1].order)

"""The old system's rows beside its objects: what belongs together, and what is alone."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum

from laydown.domain.legacy import OldDocument, OldObject, Pair
from laydown.ports import OldBucket, OldTable


class Found(StrEnum):
    """How a row and an object stand to each other."""

    MATCHED = "matched"
    RESIZED = "resized"  # matched, and the row says another size than the object has
    ROW_ALONE = "row_without_object"
    OBJECT_ALONE = "object_without_row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """So many, and their bytes: the objects' where there are any, else what the rows say."""

    files: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Summary:
    """A scan in numbers."""

    sums: dict[Found, Sum] = field(default_factory=lambda: {each: Sum() for each in Found})

    def add(self, found: Found, pair: Pair) -> None:
        """Count one more."""
        row, stored = pair
        size = stored.size if stored is not None else row.size if row is not None else 0
        before = self.sums[found]
        self.sums[found] = Sum(files=before.files + 1, bytes=before.bytes + size)


@dataclass(frozen=True, kw_only=True)
class Scanning:
    """Compares the old table with the old bucket; both are read once, as streams.

    *ours* is what stands before our own keys where our store is in that bucket: those without a row
    are no business of the old system's.
    """

    table: OldTable
    bucket: OldBucket
    ours: str | None = None

    async def pairs(self) -> AsyncGenerator[tuple[Found, Pair]]:
        """Yield every row and every object, those of one key together, in the order of keys.

        Memory doesn't grow with them. An object that several rows name comes with each of them.
        Raises `StoreUnavailable` and `LedgerUnavailable`.
        """
        async with aclosing(_merged(self.table.by_key(), self.bucket.listed())) as merged:
            async for pair in merged:
                row, stored = pair
                if row is not None:
                    yield _said(row, stored), pair
                elif stored is not None and not self._is_ours(stored):
                    yield Found.OBJECT_ALONE, pair

    def _is_ours(self, stored: OldObject) -> bool:
        return self.ours is not None and stored.key.startswith(f"{self.ours}u/")


def _said(row: OldDocument, stored: OldObject | None) -> Found:
    if stored is None:
        return Found.ROW_ALONE
    return Found.MATCHED if row.size == stored.size else Found.RESIZED


async def _merged(
    rows: AsyncIterator[OldDocument], objects: AsyncIterator[OldObject]
) -> AsyncGenerator[Pair]:
    """Join two streams that come in the order of keys, byte by byte, fully and from both sides.

    The rows are asked for first: an object is put before its row is written, so that what comes
    while this goes on may be an object alone, and never a row alone.
    """
    row = await anext(rows, None)
    stored = await anext(objects, None)
    is_taken = False  # a row of this object's key was there
    while row is not None:
        while stored is not None and stored.key < row.key:
            if not is_taken:
                yield None, stored
            stored, is_taken = await anext(objects, None), False
        if stored is not None and stored.key == row.key:
            is_taken = True
            yield row, stored
        else:
            yield row, None
        row = await anext(rows, None)
    while stored is not None:
        if not is_taken:
            yield None, stored
        stored, is_taken = await anext(objects, None), False

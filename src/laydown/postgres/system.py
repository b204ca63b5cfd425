"""What the sweeper asks across organizations."""

from collections.abc import Mapping, Sequence
from typing import Any

from laydown.domain.document import Blob
from laydown.domain.upload import BatchId, ObjectName, OrganizationId, UploadId
from laydown.ports import Holding, Silence, Unjudged
from laydown.postgres import sql
from laydown.postgres.pool import Pool, fetched
from laydown.postgres.rows import blob_of, json_rows

_Q = sql.load("system.sql")


class PostgresSystem:
    """The `Patrol`; needs the system role. `lost` counts the bytes it marked missing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.lost = 0

    async def _all(self, name: str, given: Mapping[str, Any]) -> Sequence[Any]:
        return await fetched(self._pool, _Q[name], given)

    async def silent_uploads(
        self, silence: Silence, *, limit: int
    ) -> Sequence[tuple[OrganizationId, UploadId]]:
        """Return uploads that are declared or receiving and have been quiet for too long."""
        rows = await self._all("silent_uploads", {"silence": silence.upload, "limit": limit})
        return [(OrganizationId(row.organization_id), UploadId(row.id)) for row in rows]

    async def unreported_uploads(
        self, silence: Silence, *, after: UploadId | None, limit: int
    ) -> Sequence[tuple[OrganizationId, UploadId]]:
        """Return receiving uploads without a usable URL by now, by id after *after*."""
        rows = await self._all(
            "unreported_uploads", {"silence": silence.store, "after": after, "limit": limit}
        )
        return [(OrganizationId(row.organization_id), UploadId(row.id)) for row in rows]

    async def idle_batches(
        self, silence: Silence, *, limit: int
    ) -> Sequence[tuple[OrganizationId, BatchId]]:
        """Return open batches that nobody has touched for too long."""
        rows = await self._all("idle_batches", {"silence": silence.batch, "limit": limit})
        return [(OrganizationId(row.organization_id), BatchId(row.id)) for row in rows]

    async def holdings(self, names: Sequence[ObjectName]) -> Sequence[Holding]:
        """Return what refers to each of these objects."""
        rows = await self._all(
            "wanted_objects",
            {
                "keys": json_rows(
                    {
                        "key": name.key,
                        "organization": name.organization,
                        "upload": name.upload,
                        "attempt": name.attempt,
                    }
                    for name in names
                )
            },
        )
        return [Holding(key=row.key, is_wanted=row.is_wanted) for row in rows]

    async def blobs_after(self, after: str | None, *, limit: int) -> Sequence[Blob]:
        """Return blobs the ledger believes present, by object key and byte by byte."""
        rows = await self._all("present_blobs", {"after": after, "limit": limit})
        return [blob_of(row, OrganizationId(row.organization_id)) for row in rows]

    async def mark_missing(self, blobs: Sequence[Blob]) -> None:
        """Take blobs whose object is gone out of deduplication."""
        rows = await self._all("mark_missing", {"ids": [blob.id for blob in blobs]})
        self.lost += sum(row.size for row in rows)

    async def unjudged(self) -> Unjudged:
        """Return how many files wait for a scanner's word, and the oldest for how long."""
        [row] = await self._all("count_unjudged", {})
        return Unjudged(files=row.files, oldest=row.oldest)

    async def fold_usage(self, *, limit: int) -> int:
        """Add changes of what is used, the oldest *limit*, to its sums; return how many."""
        [row] = await self._all("fold_usage", {"limit": limit})
        return int(row.changes)

    async def check(self) -> Sequence[str]:
        """Return the names of settings under which an acknowledged commit may be lost."""
        return [row.name for row in await self._all("durability", {})]

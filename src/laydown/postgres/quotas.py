"""Quotas, and what is used of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from laydown.domain.quotas import Quota, Usage
from laydown.domain.upload import ProjectId
from laydown.postgres import sql
from laydown.postgres.session import Session

_Q = sql.load("quotas.sql")


class QuotaRows(Session):
    """The `QuotaRows` port on one connection."""

    async def quotas(self, projects: Sequence[ProjectId], *, lock: bool = False) -> Sequence[Quota]:
        """Return the quotas of the organization and of these projects, those that there are."""
        query = _Q["lock_quotas"] if lock else _Q["get_quotas"]
        return [
            Quota(
                project=row.project_id,
                bytes=row.most_bytes,
                files=row.most_files,
                uploads=row.most_uploads,
            )
            for row in await self.all(query, projects=list(projects))
        ]

    async def set_quota(self, quota: Quota) -> None:
        """Write a quota over the one there is; an unlimited one is as none."""
        if quota.is_unlimited:
            await self.run(_Q["drop_quota"], project=quota.project)
            return
        await self.run(
            _Q["set_quota"],
            project=quota.project,
            bytes=quota.bytes,
            files=quota.files,
            uploads=quota.uploads,
        )

    async def usage(self, projects: Sequence[ProjectId]) -> Mapping[UUID | None, Usage]:
        """Return what is used by the organization (None), and by these projects that use any."""
        rows = await self.all(_Q["usage_now"], projects=list(projects))
        return {row.project_id: _usage_of(row) for row in rows}


def _usage_of(row: Any) -> Usage:  # noqa: ANN401 - a row
    """Return the usage of a row, which has nulls where nothing was ever used."""
    return Usage(bytes=row.bytes or 0, files=row.files or 0, uploads=row.uploads or 0)

"""What one organization's transactions know of the old system."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from laydown.domain.legacy import Kept, OldDocument, OldProject, Origin, Standing
from laydown.domain.lifecycle import State
from laydown.domain.reasons import Reason
from laydown.ports import Page
from laydown.ports.legacy import Fate, Forgotten
from laydown.postgres import sql
from laydown.postgres.rows import json_rows, version_of
from laydown.postgres.session import Session

_Q = sql.load("legacy.sql")


class LegacyRows(Session):
    """The `LegacyRows` port on one connection."""

    async def map_project(self, mapped: OldProject) -> None:
        """Say which project of ours one of the old system is."""
        await self.run(
            _Q["map_project"],
            old=mapped.old,
            project=mapped.project,
            writes_back=mapped.writes_back,
            prefix=mapped.prefix,
        )

    async def old_projects(self, old: int | None = None) -> Sequence[OldProject]:
        """Return the projects of the old system that are mapped, by their old id."""
        return [old_project_of(row) for row in await self.all(_Q["old_projects"], old=old)]

    async def keep_old_ids(self, documents: Sequence[Kept]) -> None:
        """Note which upload brings each document."""
        rows = json_rows(
            {
                "id": each.id,
                "project": each.project,
                "upload": each.upload,
                "origin": each.origin,
                "filename": each.filename,
                "mime": each.mime,
                "uploaded_by": each.uploaded_by,
                "created_at": each.created_at,
            }
            for each in documents
        )
        await self.run(_Q["keep_old_ids"], rows=rows)

    async def standings(self, ids: Sequence[int]) -> Mapping[int, Standing]:
        """Return what became of the documents with these old ids, of those that are known."""
        rows = await self.all(_Q["standings"], ids=list(ids)) if ids else []
        return {
            row.old_id: Standing(
                id=row.old_id,
                upload=row.upload_id,
                origin=Origin(row.origin),
                filename=row.filename,
                state=None if row.state is None else State(row.state),
                reason=None if row.reason is None else Reason(row.reason),
                version=None
                if row.version_id is None
                else version_of(row, self.organization, is_current=row.is_current),
            )
            for row in rows
        }

    async def old_document(self, id_: int) -> OldDocument | None:
        """Return a row of the old table, if its project is mapped."""
        row = await self.one(_Q["old_document"], id=id_)
        return None if row is None else old_document_of(row)

    async def old_documents(self, project: int, page: Page) -> Sequence[OldDocument]:
        """Return the rows of a mapped project by id; the cursor is an id."""
        rows = await self.all(
            _Q["old_documents"], project=project, after=int(page.after or 0), limit=page.limit
        )
        return [old_document_of(row) for row in rows]

    async def count_reading(self) -> int:
        """Return how many documents are being looked at where they are."""
        return int((await self.one(_Q["count_reading"])).count)

    async def fates(self) -> Sequence[Fate]:
        """Return how the documents stand that were imported."""
        return [
            Fate(state=State(row.state), reason=row.reason, files=row.files, bytes=row.bytes)
            for row in await self.all(_Q["fates"])
        ]

    async def forget_imported(self, *, after: int, limit: int) -> Forgotten:
        """Delete what an import wrote of the next so many documents by old id."""
        rows = await self.all(_Q["imported"], after=after, limit=limit)
        going = [row for row in rows if not row.is_kept]
        uploads = [row.upload_id for row in going]
        versions = [row for row in going if row.version_id is not None]
        await self.run(_Q["forget_versions"], ids=[row.version_id for row in versions])
        await self.run(_Q["forget_documents"], ids=[row.document_id for row in versions])
        await self.run(_Q["forget_blobs"], ids=[row.blob_id for row in versions])
        for name in ("forget_jobs", "forget_scans", "forget_proofs", "forget_uploads"):
            await self.run(_Q[name], ids=uploads)
        await self.run(_Q["forget_old_ids"], ids=[row.old_id for row in going])
        if len(rows) < limit:
            await self.run(_Q["forget_failed_tries"])
        return Forgotten(
            gone=len(going),
            kept=len(rows) - len(going),
            last=rows[-1].old_id if len(rows) == limit else None,
        )

    async def keep_old_key(self, key_sha256: bytes, token: UUID) -> None:
        """Let a key of the old API stand for a token."""
        await self.run(_Q["keep_old_key"], key=key_sha256, token=token)


def old_document_of(row: Any) -> OldDocument:  # noqa: ANN401 - a row
    """Return the document of a row of the old table."""
    return OldDocument(
        id=row.id,
        project=row.project_id,
        filename=row.filename,
        mime=row.mime,
        size=row.size,
        key=row.s3_key,
        uploaded_by=row.uploaded_by,
        created_at=row.created_at,
    )


def old_project_of(row: Any) -> OldProject:  # noqa: ANN401 - a row
    """Return the mapped project of a row."""
    return OldProject(
        old=row.old_id,
        organization=row.organization_id,
        project=row.project_id,
        writes_back=row.writes_back,
        prefix=row.prefix,
    )

"""Documents, versions, blobs and remembered refusals."""

from collections.abc import Mapping, Sequence
from typing import Any

from laydown.domain.document import Blob, Child, Document, DocumentId, Version, VersionId
from laydown.domain.errors import NotFound
from laydown.domain.filetypes import POLICY_VERSION
from laydown.domain.publication import DocumentHead, NewVersion
from laydown.domain.reasons import Reason
from laydown.domain.upload import Entry, ProjectId, UploadId
from laydown.ports import Page
from laydown.postgres import sql
from laydown.postgres.rows import blob_of, document_of, json_rows, version_of
from laydown.postgres.session import Session

_Q = sql.load("documents.sql")
_LAST = "\U0010ffff"  # behind every path
_PROBE = sql.load("session.sql")["probe_indexes"]
_BLOBS = sql.load("uploads.sql")["blobs_by_digest"]


class DocumentRows(Session):
    """The `DocumentRows` port on one connection."""

    async def heads(
        self, project: ProjectId, wanted: Mapping[DocumentId, Entry]
    ) -> Mapping[str, DocumentHead]:
        """Return the documents at these paths by folded path, made if absent, locked."""
        rows = await self.all(
            _Q["lock_documents"],
            project=project,
            rows=json_rows(
                {"id": id_, "path": entry.path, "folded": entry.folded}
                for id_, entry in wanted.items()
            ),
        )
        current = [row.current_id for row in rows if row.current_id is not None]
        digests = await self.all(_Q["current_digests"], versions=current) if current else []
        by_version = {row.id: row.sha256 for row in digests if row.is_kept}
        lost = {row.id: row.sha256 for row in digests if not row.is_kept}
        return {
            row.path_folded: DocumentHead(
                id=row.id,
                folded=row.path_folded,
                last_number=row.last_number,
                current_sha256=by_version.get(row.current_id),
                lost_sha256=lost.get(row.current_id),
            )
            for row in rows
        }

    async def kept_blobs(self, digests: Sequence[bytes]) -> Sequence[Blob]:
        """Return the blobs that hold these contents, where they can be read."""
        rows = await self.all(_BLOBS, digests=list(digests)) if digests else []
        return [blob_of(row, self.organization) for row in rows]

    async def keep_blobs(self, blobs: Sequence[Blob]) -> Mapping[bytes, tuple[Blob, bool]]:
        """Write proven blobs; return by digest the one that stays and whether it is this one."""
        written = await self.all(
            _Q["keep_blobs"],
            rows=json_rows(
                {
                    "id": blob.id,
                    "sha256": blob.sha256.hex(),
                    "size": blob.size,
                    "kind": blob.kind,
                    "media_type": blob.media_type,
                    "object_key": blob.object_key,
                    "store_version": blob.store_version,
                    "scanned_by": blob.scanned_by,
                }
                for blob in blobs
            ),
        )
        new = {row.sha256 for row in written}
        kept = {blob.sha256: (blob, True) for blob in blobs if blob.sha256 in new}
        old = [blob.sha256 for blob in blobs if blob.sha256 not in new]
        kept |= {blob.sha256: (blob, False) for blob in await self.kept_blobs(old)}
        return kept

    async def add_versions(self, versions: Sequence[NewVersion]) -> None:
        """Write versions; the one declared last becomes its document's current one."""
        if versions:
            await self.run(
                _Q["add_versions"],
                rows=json_rows(
                    {
                        "id": version.id,
                        "document": version.document,
                        "number": version.number,
                        "upload": version.upload,
                        "blob": version.blob,
                    }
                    for version in versions
                ),
            )

    async def confirm(self, unchanged: Mapping[UploadId, bytes]) -> frozenset[UploadId]:
        """Note that these uploads declared current content again; return those that did."""
        if not unchanged:
            return frozenset()
        rows = await self.all(
            _Q["confirm_current"],
            rows=json_rows(
                {"id": upload, "sha256": digest.hex()} for upload, digest in unchanged.items()
            ),
        )
        return frozenset(row.id for row in rows)

    async def remember(self, refusals: Mapping[tuple[bytes, str], Reason]) -> None:
        """Remember refusals by content, by (digest, extension), so that they needn't come again."""
        if refusals:
            await self.run(
                _Q["remember_refusals"],
                policy=POLICY_VERSION,
                rows=json_rows(
                    {"sha256": digest.hex(), "extension": extension, "reason": reason}
                    for (digest, extension), reason in refusals.items()
                ),
            )

    async def documents(
        self,
        project: ProjectId,
        page: Page,
        *,
        under: str | None,
        text: str | None,
        kind: str | None,
    ) -> Sequence[Document]:
        """Return documents by path: below the folder (or at the path) *under*, *text* in it."""
        rows = await self.all(
            _Q["list_documents"],
            project=project,
            after=page.after,
            limit=page.limit,
            under=under,
            text=text,
            kind=kind,
        )
        return [document_of(row, self.organization) for row in rows]

    async def folder(self, project: ProjectId, page: Page, *, folder: str) -> Sequence[Child]:
        """Return what lies directly in a folder, by folded path; `""` is the project itself."""
        prefix = f"{folder}/" if folder else ""
        await self.run(_PROBE)
        rows = await self.all(
            _Q["list_folder"],
            project=project,
            skip=len(prefix) + 1,
            begin=prefix if page.after is None else _behind(page.after),
            until=f"{folder}0" if folder else _LAST,
            limit=page.limit,
        )
        return [self._child(row, depth=prefix.count("/")) for row in rows]

    def _child(self, row: Any, *, depth: int) -> Child:  # noqa: ANN401 - a row
        if row.slash == 0:
            document = document_of(row, self.organization)
            return Child(path=row.path, folded=row.path_folded, document=document)
        path, folded = (
            "/".join(text.split("/")[: depth + 1]) for text in (row.path, row.path_folded)
        )
        return Child(path=path, folded=f"{folded}/", document=None)

    async def document(self, document: DocumentId) -> Document:
        """Return it, or raise `NotFound`."""
        row = await self.one(_Q["get_document"], id=document)
        if row is None:
            raise NotFound("document", document)
        return document_of(row, self.organization)

    async def versions(self, document: DocumentId, page: Page) -> Sequence[Version]:
        """Return its versions, newest first."""
        rows = await self.all(
            _Q["list_versions"],
            document=document,
            after=None if page.after is None else int(page.after),
            limit=page.limit,
        )
        return [version_of(row, self.organization, is_current=row.is_current) for row in rows]

    async def version(self, version: VersionId) -> Version:
        """Return it, or raise `NotFound`."""
        row = await self.one(_Q["get_version"], id=version)
        if row is None:
            raise NotFound("version", version)
        return version_of(row, self.organization, is_current=row.is_current)


def _behind(child: str) -> str:
    """Return the first folded path that can follow a child, and all that is below it."""
    return f"{child[:-1]}0" if child.endswith("/") else f"{child}\x01"

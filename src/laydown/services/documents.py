"""Documents: what a project holds, its versions and their content."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from laydown.domain.access import Act
from laydown.domain.audit import Deed
from laydown.domain.document import Child, Document, DocumentId, Version, VersionId
from laydown.domain.errors import ContentGone, ContentInfected
from laydown.domain.names import folded
from laydown.domain.upload import ProjectId
from laydown.ports import Ledger, ObjectStore, Page, SignedUrl, UrlSigner
from laydown.services.access import document_for, project_for, version_for
from laydown.services.identity import Caller


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Use cases of those who fetch."""

    ledger: Ledger
    store: ObjectStore
    signer: UrlSigner

    async def documents(
        self,
        caller: Caller,
        project_id: ProjectId,
        page: Page,
        *,
        under: str | None,
        text: str | None,
        kind: str | None,
    ) -> Sequence[Document]:
        """Return documents by path, below or at *under*; the cursor is the folded path."""
        async with self.ledger.snapshot(caller.organization) as tx:
            await project_for(tx, caller, Act.READ_DOCUMENTS, project_id)
            return await tx.documents(
                project_id,
                page,
                under=folded(under.strip("/")) if under and under.strip("/") else None,
                text=folded(text) if text else None,
                kind=kind,
            )

    async def folder(
        self, caller: Caller, project_id: ProjectId, page: Page, *, path: str
    ) -> Sequence[Child]:
        """Return what lies directly in a folder; the cursor is a child's folded path."""
        async with self.ledger.snapshot(caller.organization) as tx:
            await project_for(tx, caller, Act.READ_DOCUMENTS, project_id)
            return await tx.folder(project_id, page, folder=folded(path.strip("/")))

    async def document(self, caller: Caller, document_id: DocumentId) -> Document:
        """Return a document with its current version, or raise `NotFound`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            return await document_for(tx, caller, document_id)

    async def versions(
        self, caller: Caller, document_id: DocumentId, page: Page
    ) -> Sequence[Version]:
        """Return a document's versions, newest first; the cursor is a version's number."""
        async with self.ledger.snapshot(caller.organization) as tx:
            await document_for(tx, caller, document_id)
            return await tx.versions(document_id, page)

    async def version(self, caller: Caller, version_id: VersionId) -> Version:
        """Return a version, or raise `NotFound`. What it holds is proven, so it may be read."""
        async with self.ledger.snapshot(caller.organization) as tx:
            return await version_for(tx, caller, version_id)

    async def where(
        self, caller: Caller, version: Version, *, disposition: str
    ) -> SignedUrl | None:
        """Return where to fetch a version's bytes; None: here. That it was fetched is audited.

        Raises `ContentInfected` and `ContentGone`.
        """
        if version.blob.is_infected:
            raise ContentInfected("malware was found in it")
        if version.blob.is_missing:
            raise ContentGone("the store has lost it")
        async with self.ledger.begin(caller.organization) as tx:
            await tx.note(
                caller.did(
                    Deed.VERSION_FETCHED,
                    subject=version.id,
                    project=version.project,
                    path=version.path,
                    number=version.number,
                )
            )
        await self.signer.refresh()
        return self.signer.sign_read(version.blob, disposition=disposition)

    def read(self, version: Version, *, start: int, length: int) -> AsyncIterator[bytes]:
        """Yield a version's bytes; raises `ContentGone` when the store has lost them."""
        return self.store.read(version.blob.object_key, start=start, length=length)

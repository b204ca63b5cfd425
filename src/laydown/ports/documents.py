"""What one transaction can do: documents, their content, and what scanners said of it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from laydown.domain.document import Blob, Child, Document, DocumentId, Version, VersionId
from laydown.domain.proof import Proof
from laydown.domain.publication import DocumentHead, NewVersion
from laydown.domain.reasons import Reason
from laydown.domain.scanning import Scan
from laydown.domain.upload import Entry, ProjectId, UploadId
from laydown.ports.pages import Page


class DocumentRows(Protocol):
    """Documents, versions, blobs and remembered refusals."""

    async def heads(
        self, project: ProjectId, wanted: Mapping[DocumentId, Entry]
    ) -> Mapping[str, DocumentHead]:
        """Return the documents at these paths by folded path, locked.

        An absent one is made, under the id that *wanted* gives it.
        """
        ...

    async def kept_blobs(self, digests: Sequence[bytes]) -> Sequence[Blob]:
        """Return the blobs that hold these contents, where they can be read."""
        ...

    async def keep_blobs(self, blobs: Sequence[Blob]) -> Mapping[bytes, tuple[Blob, bool]]:
        """Write proven blobs; return by digest the one that stays and whether it is this one."""
        ...

    async def add_versions(self, versions: Sequence[NewVersion]) -> None:
        """Write versions; the one declared last becomes its document's current one."""
        ...

    async def confirm(self, unchanged: Mapping[UploadId, bytes]) -> frozenset[UploadId]:
        """Note that these uploads declared the current content of their documents again.

        What was declared before them won't become current any more. Takes the digest of each,
        returns those for whose documents it is still the current one.
        """
        ...

    async def remember(self, refusals: Mapping[tuple[bytes, str], Reason]) -> None:
        """Remember refusals by content, by (digest, extension), so that they are not sent again."""
        ...

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
        ...

    async def folder(self, project: ProjectId, page: Page, *, folder: str) -> Sequence[Child]:
        """Return what lies directly in a folder, by folded path; `""` is the project itself."""
        ...

    async def document(self, document: DocumentId) -> Document:
        """Return it, or raise `NotFound`."""
        ...

    async def versions(self, document: DocumentId, page: Page) -> Sequence[Version]:
        """Return its versions, newest first."""
        ...

    async def version(self, version: VersionId) -> Version:
        """Return it, or raise `NotFound`."""
        ...


class ScanRows(Protocol):
    """What scanners said, what waits for their word, and what was published and is infected."""

    async def scans(self, keys: Sequence[str]) -> Mapping[str, Scan]:
        """Return what scanners said of these objects."""
        ...

    async def keep_scans(self, scans: Mapping[str, Scan]) -> None:
        """Write what a scanner said, by object key; the last word about the same bytes counts."""
        ...

    async def proofs(self, keys: Sequence[str]) -> Mapping[str, Proof]:
        """Return what is proven of objects that wait for a scanner's word."""
        ...

    async def keep_proofs(self, proofs: Mapping[str, Proof]) -> None:
        """Write what is proven, by object key, until a scanner's word comes."""
        ...

    async def drop_proofs(self, keys: Sequence[str]) -> None:
        """Forget what was proven of objects that wait no longer."""
        ...

    async def contents(
        self, project: ProjectId, page: Page, *, under: str | None
    ) -> Mapping[str, Sequence[str]]:
        """Return the keys of objects that can be fetched, by their documents' folded paths.

        In the order of paths, below or at *under*; the cursor is a folded path. A document none
        of whose content can be fetched has no keys.
        """
        ...

    async def blob_at(self, object_key: str) -> Blob | None:
        """Return the content that is this object, or None when nothing published is."""
        ...

    async def mark_scanned(self, object_key: str, scan: Scan) -> None:
        """Note who looked through published content last."""
        ...

    async def mark_infected(self, object_key: str, scan: Scan) -> bool:
        """Take published content away from every reader, logged for each upload that brought it.

        Returns False when nothing was: not published, marked before, or a scan of other bytes.
        """
        ...

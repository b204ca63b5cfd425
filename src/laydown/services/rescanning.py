"""Rescanning: what is published is looked through again, with what the scanner knows by now."""

from dataclasses import dataclass

from laydown.domain.access import Act
from laydown.domain.audit import Deed
from laydown.domain.errors import ContentGone, NoScanner
from laydown.domain.jobs import QuarantineBytes, RescanBytes
from laydown.domain.names import folded
from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import OrganizationId, ProjectId, UploadId, parse_key
from laydown.ports import Ledger, ObjectStore, Page, Scanner, Tx
from laydown.services.access import project_for
from laydown.services.identity import Caller

_DOCUMENTS_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Rescanning:
    """Use cases of those who have learned of new malware. All are safe to repeat."""

    ledger: Ledger
    store: ObjectStore
    scanner: Scanner | None

    async def rescan(
        self, caller: Caller, project_id: ProjectId, *, under: str | None = None
    ) -> int:
        """Have every version's content scanned again, of the documents below or at *under*.

        Returns how many contents that are; the same one in several places counts once. Raises
        `NotFound`, `Forbidden`, and `NoScanner` when there is none that can be asked.
        """
        async with self.ledger.begin(caller.organization) as tx:
            await project_for(tx, caller, Act.OPERATE, project_id)
            if self.scanner is None:
                raise NoScanner("no scanner that can be asked is set up: set LAYDOWN_SCANNER")
            await tx.note(
                caller.did(Deed.PROJECT_RESCANNED, subject=project_id, project=project_id)
            )
        place = folded(under.strip("/")) if under and under.strip("/") else None
        seen: set[str] = set()
        after: str | None = None
        while True:
            async with self.ledger.begin(caller.organization) as tx:
                page = Page(after=after, limit=_DOCUMENTS_AT_ONCE)
                held = await tx.contents(project_id, page, under=place)
                new = {key for keys in held.values() for key in keys} - seen
                await tx.enqueue([RescanBytes(parse_key(key).upload, key) for key in sorted(new)])
            seen |= new
            if len(held) < _DOCUMENTS_AT_ONCE:
                return len(seen)
            after = [*held][-1]

    async def look_again(
        self, organization: OrganizationId, upload_id: UploadId, object_key: str
    ) -> None:
        """Scan one published object; what is infected can be fetched by nobody from then on.

        Content that is gone is the sweeper's finding. Raises `ScannerUnavailable` for what must
        wait.
        """
        if self.scanner is None:  # it was taken away since; what was known before still holds
            return
        async with self.ledger.begin(organization) as tx:
            blob = await tx.blob_at(object_key)
        if blob is None or blob.is_infected:
            return
        try:
            scan = await self.scanner.scan(self.store.read(object_key), size=blob.size)
        except ContentGone:
            return
        async with self.ledger.begin(organization) as tx:
            await tx.keep_scans({object_key: scan})
            match scan.verdict:
                case Verdict.CLEAN:
                    await tx.mark_scanned(object_key, scan)
                case Verdict.INFECTED:
                    await withdraw(tx, upload_id, object_key, scan)
                case Verdict.UNSCANNABLE:
                    pass  # what looked clean once, or was accepted, is not taken away for that


async def withdraw(tx: Tx, upload_id: UploadId, object_key: str, scan: Scan) -> None:
    """Take published content away from every reader, and have its bytes quarantined.

    Nothing happens when this object was not published, was withdrawn before, or when the scanner
    looked at other bytes.
    """
    if await tx.mark_infected(object_key, scan):
        await tx.enqueue([QuarantineBytes(upload_id, object_key)])

"""What scanners said, what waits for their word, and what was published and is infected."""

from collections.abc import Mapping, Sequence

from laydown.domain.document import Blob
from laydown.domain.happening import Happening, Kind
from laydown.domain.kinds import KINDS
from laydown.domain.proof import Proof
from laydown.domain.reasons import Reason
from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import ProjectId
from laydown.ports import Page
from laydown.postgres import sql
from laydown.postgres.rows import blob_of, json_rows
from laydown.postgres.session import Session

_Q = sql.load("scans.sql")


class ScanRows(Session):
    """The `ScanRows` port on one connection."""

    async def scans(self, keys: Sequence[str]) -> Mapping[str, Scan]:
        """Return what scanners said of these objects."""
        rows = await self.all(_Q["get_scans"], keys=list(keys)) if keys else []
        return {
            row.object_key: Scan(
                scanner=row.scanner,
                verdict=Verdict(row.verdict),
                threat=row.threat,
                version=row.store_version,
            )
            for row in rows
        }

    async def keep_scans(self, scans: Mapping[str, Scan]) -> None:
        """Write what a scanner said, by object key; what is said later counts."""
        if scans:
            rows = json_rows(
                {
                    "object_key": key,
                    "scanner": scan.scanner,
                    "verdict": scan.verdict,
                    "threat": scan.threat,
                    "store_version": scan.version,
                }
                for key, scan in scans.items()
            )
            await self.run(_Q["keep_scans"], rows=rows)

    async def proofs(self, keys: Sequence[str]) -> Mapping[str, Proof]:
        """Return what is proven of objects that wait for a scanner's word."""
        rows = await self.all(_Q["get_proofs"], keys=list(keys)) if keys else []
        return {
            row.object_key: Proof(
                sha256=row.sha256,
                size=row.size,
                kind=KINDS[row.kind],
                is_pointer=row.is_pointer,
                store_version=row.store_version,
            )
            for row in rows
            if row.kind in KINDS  # another release may have known more: then it is read again
        }

    async def keep_proofs(self, proofs: Mapping[str, Proof]) -> None:
        """Write what is proven, by object key, until a scanner's word comes."""
        if proofs:
            rows = json_rows(
                {
                    "object_key": key,
                    "sha256": proof.sha256.hex(),
                    "size": proof.size,
                    "kind": proof.kind.name,
                    "is_pointer": proof.is_pointer,
                    "store_version": proof.store_version,
                }
                for key, proof in proofs.items()
            )
            await self.run(_Q["keep_proofs"], rows=rows)

    async def drop_proofs(self, keys: Sequence[str]) -> None:
        """Forget what was proven of objects that wait no longer."""
        if keys:
            await self.run(_Q["drop_proofs"], keys=list(keys))

    async def contents(
        self, project: ProjectId, page: Page, *, under: str | None
    ) -> Mapping[str, Sequence[str]]:
        """Return the keys of objects that can be fetched, by their documents' folded paths."""
        rows = await self.all(
            _Q["list_contents"], project=project, after=page.after, limit=page.limit, under=under
        )
        return {row.path_folded: row.keys for row in rows}

    async def blob_at(self, object_key: str) -> Blob | None:
        """Return the content that is this object, or None when nothing published is."""
        row = await self.one(_Q["blob_at"], key=object_key)
        return None if row is None else blob_of(row, self.organization)

    async def mark_scanned(self, object_key: str, scan: Scan) -> None:
        """Note who looked through published content last."""
        await self.run(_Q["mark_scanned"], key=object_key, scanner=scan.scanner)

    async def mark_infected(self, object_key: str, scan: Scan) -> bool:
        """Take published content away from every reader, logged for each upload that brought it.

        Returns False when nothing was: not published, marked before, or other bytes.
        """
        rows = await self.all(
            _Q["mark_infected"], key=object_key, scanner=scan.scanner, version=scan.version
        )
        self.said += [
            Happening(
                kind=Kind.INFECTED,
                batch=row.batch_id,
                upload=row.id,
                reason=Reason.INFECTED,
                detail=scan.threat,
            )
            for row in rows
            if row.id is not None
        ]
        return bool(rows)

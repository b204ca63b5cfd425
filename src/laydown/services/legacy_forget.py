"""Taking an import back: what it wrote goes, and what was delivered since stays."""

from dataclasses import dataclass
from typing import Final

from laydown.domain.access import PrincipalId
from laydown.domain.audit import Audited, Deed
from laydown.domain.upload import OrganizationId
from laydown.ports import Ledger
from laydown.services.identifiers import EPOCH, new_id

_AT_ONCE: Final = 500  # documents a transaction


@dataclass(frozen=True, kw_only=True)
class Forgetting:
    """Deletes what was imported, and nothing else: the row security of deleting allows no more.

    No store is told of anything: the old bucket's objects were never ours to delete.
    """

    ledger: Ledger

    async def forget(
        self, organization: OrganizationId, principal: PrincipalId, name: str
    ) -> tuple[int, int]:
        """Delete all that was imported for an organization; return how many went, and stayed.

        A document that has got versions since stays, with the one that was imported, and so does
        one that was delivered again as it is. Safe to repeat, and to break off.
        """
        gone = kept = 0
        after: int | None = 0
        while after is not None:
            async with self.ledger.begin(organization) as tx:
                step = await tx.forget_imported(after=after, limit=_AT_ONCE)
                gone, kept, after = gone + step.gone, kept + step.kept, step.last
                if step.gone:
                    await tx.note(_did(principal, name, step.gone))
        return gone, kept


def _did(principal: PrincipalId, name: str, files: int) -> Audited:
    return Audited(
        id=new_id(),
        at=EPOCH,  # the ledger's clock decides
        deed=Deed.LEGACY_FORGOTTEN,
        principal=principal,
        name=name,
        token=None,
        address=None,
        request=None,
        subject=None,
        project=None,
        detail={"files": files},
    )

"""Auditing: who did what, for those who may ask."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from laydown.domain.access import Act
from laydown.domain.audit import Audited, AuditFilter
from laydown.ports import Ledger, Page
from laydown.services.access import allow
from laydown.services.identity import Caller

_LINES_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Auditing:
    """Use cases of those who ask who did what."""

    ledger: Ledger

    async def page(self, caller: Caller, page: Page, which: AuditFilter) -> Sequence[Audited]:
        """Return lines, newest first; the cursor is a line's id. Raises `Forbidden`."""
        allow(caller, Act.READ_AUDIT)
        async with self.ledger.snapshot(caller.organization) as tx:
            return await tx.audit(which, page)

    async def everything(
        self, caller: Caller, which: AuditFilter
    ) -> AsyncIterator[Sequence[Audited]]:
        """Yield all lines, newest first, a thousand at a time. Raises `Forbidden`."""
        page = Page(limit=_LINES_AT_ONCE)
        while True:
            lines = await self.page(caller, page, which)
            if lines:
                yield lines
            if len(lines) < _LINES_AT_ONCE:
                return
            page = replace(page, after=str(lines[-1].id))

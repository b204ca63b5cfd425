"""Projects and batches of one organization."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from laydown.domain.access import PrincipalId
from laydown.domain.batch import Batch, Project, Tally
from laydown.domain.errors import Conflict, NotFound, ProjectExists
from laydown.domain.lifecycle import State
from laydown.domain.reasons import Reason
from laydown.domain.trace import Trace
from laydown.domain.upload import BatchId, ProjectId
from laydown.ports import BatchFilter, Page
from laydown.postgres import sql
from laydown.postgres.rows import batch_of, project_of
from laydown.postgres.session import Session

_Q = sql.load("projects.sql")


class ProjectRows(Session):
    """The `ProjectRows` port on one connection."""

    async def add_project(self, project: Project) -> Project:
        """Write a project; raise `ProjectExists` when its code is taken."""
        latitude, longitude = project.position or (None, None)
        row = await self.one(
            _Q["add_project"],
            id=project.id,
            code=project.code,
            code_folded=project.code.casefold(),
            name=project.name,
            time_zone=project.time_zone,
            latitude=latitude,
            longitude=longitude,
        )
        if row is None:
            raise ProjectExists(f"a project with code {project.code} exists already")
        return project_of(row, self.organization)

    async def change_project(self, project: Project) -> Project:
        """Write a project's name, time zone and position."""
        latitude, longitude = project.position or (None, None)
        row = await self.one(
            _Q["change_project"],
            id=project.id,
            name=project.name,
            time_zone=project.time_zone,
            latitude=latitude,
            longitude=longitude,
        )
        if row is None:
            raise NotFound("project", project.id)
        return project_of(row, self.organization)

    async def project(self, project: ProjectId) -> Project:
        """Return it, or raise `NotFound`."""
        row = await self.one(_Q["get_project"], id=project)
        if row is None:
            raise NotFound("project", project)
        return project_of(row, self.organization)

    async def projects(
        self,
        page: Page,
        *,
        visible: Collection[ProjectId] | None = None,
        code: str | None = None,
    ) -> Sequence[Project]:
        """Return projects by code, of those *visible* if given; with *code*, only that one."""
        rows = await self.all(
            _Q["list_projects"],
            visible=None if visible is None else list(visible),
            code=None if code is None else code.casefold(),
            after=page.after,
            limit=page.limit,
        )
        return [project_of(row, self.organization) for row in rows]

    async def open_batches(self, *, most: int, of: PrincipalId | None = None) -> int:
        """Return how many batches are open, all or those *of* somebody; *most* if more are."""
        row = await self.one(_Q["count_open_batches"], most=most, principal=of)
        return int(row.count)

    async def open_batch(self, wanted: Batch, *, trace: Trace | None = None) -> tuple[Batch, bool]:
        """Return the open batch of this reference, locked, and whether it is new.

        A new one, and all that is done for it, belongs to *trace*.
        """
        row = await self.one(
            _Q["find_open_batch"],
            project=wanted.project,
            principal=wanted.declared_by,
            reference=wanted.reference,
        )
        if row is not None:
            return batch_of(row, self.organization), False
        row = await self.one(
            _Q["add_batch"],
            id=wanted.id,
            project=wanted.project,
            reference=wanted.reference,
            label=wanted.label,
            on_conflict=wanted.on_conflict,
            principal=wanted.declared_by,
            trace=None if trace is None else str(trace),
        )
        if row is not None:
            return batch_of(row, self.organization), True
        row = await self.one(
            _Q["find_open_batch"],
            project=wanted.project,
            principal=wanted.declared_by,
            reference=wanted.reference,
        )
        if row is None:  # opened and closed by somebody else since
            raise Conflict(f"batch {wanted.reference} changed meanwhile; repeat the request")
        return batch_of(row, self.organization), False

    async def batch(self, batch: BatchId, *, lock: bool = False) -> Batch:
        """Return it, or raise `NotFound`; *lock* holds off other declarations and closes."""
        row = await self.one(_Q["lock_batch"] if lock else _Q["get_batch"], id=batch)
        if row is None:
            raise NotFound("batch", batch)
        return batch_of(row, self.organization)

    async def batches(
        self, page: Page, which: BatchFilter, *, project: ProjectId | None
    ) -> Sequence[Batch]:
        """Return batches that somebody sees, newest first."""
        rows = await self.all(
            _Q["list_batches"],
            project=project,
            principal=which.principal,
            visible=None if which.visible is None else list(which.visible),
            own=None if which.own is None else list(which.own),
            after=None if page.after is None else UUID(page.after),
            limit=page.limit,
        )
        return [batch_of(row, self.organization) for row in rows]

    async def touch_batch(self, batch: BatchId, *, close: bool = False) -> Batch:
        """Note that its client is alive; with *close*, take no more entries."""
        row = await self.one(_Q["touch_batch"], id=batch, close=close)
        if row is None:
            raise NotFound("batch", batch)
        return batch_of(row, self.organization)

    async def is_idle(self, batch: BatchId, silence: timedelta) -> bool:
        """Say whether it is open, awaits no bytes, and nobody has touched it for so long."""
        return await self.one(_Q["idle_batch"], id=batch, silence=silence) is not None

    async def tally(self, batch: BatchId) -> Tally:
        """Count the batch as it is now."""
        counts: Counter[State] = Counter()
        sizes: Counter[State] = Counter()
        reasons: Counter[Reason] = Counter()
        received = 0
        moments = []
        for row in await self.all(_Q["tally_batch"], id=batch):
            state = State(row.state)
            counts[state] += row.files
            sizes[state] += row.bytes
            received += row.received
            moments.append(row.moved_at)
            if row.reason is not None:
                reasons[Reason(row.reason)] += row.files
        return Tally(
            counts=counts,
            sizes=sizes,
            reasons=reasons,
            received=received,
            last_moved_at=max(moments, default=None),
        )

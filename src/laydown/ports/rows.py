"""What one transaction can do: the rows of an organization."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from laydown.domain.access import PrincipalId
from laydown.domain.batch import Batch, Project, Tally
from laydown.domain.happening import Happening, Recorded
from laydown.domain.jobs import Job, JobListing, JobState
from laydown.domain.lifecycle import State
from laydown.domain.publication import Known
from laydown.domain.quotas import Quota, Usage
from laydown.domain.reasons import Reason
from laydown.domain.trace import Trace
from laydown.domain.upload import (
    BatchId,
    Change,
    Entry,
    Part,
    PartOutcome,
    ProjectId,
    Upload,
    UploadId,
)
from laydown.ports.documents import DocumentRows, ScanRows
from laydown.ports.figures import FigureRows
from laydown.ports.legacy import LegacyRows
from laydown.ports.pages import Page
from laydown.ports.people import AuditRows, PeopleRows


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFilter:
    """Which uploads of a batch."""

    state: State | None = None
    reason: Reason | None = None
    text: str | None = None  # occurs in the path, whatever its case


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFilter:
    """Which batches somebody sees: None stands for all projects."""

    principal: PrincipalId
    visible: Collection[ProjectId] | None = None  # projects of which they see everybody's
    own: Collection[ProjectId] | None = None  # projects of which they see their own


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRecord:
    """An upload with what only the ledger knows of it."""

    upload: Upload
    order: int  # of declaration, over all organizations
    declared_at: datetime
    moved_at: datetime
    version_number: int | None = None
    scanned_by: str | None = None  # who looked through what it published; None: nothing is
    is_infected: bool = False  # malware was found in it after it was published


class ProjectRows(Protocol):
    """Projects and batches of one organization."""

    async def add_project(self, project: Project) -> Project:
        """Write a project; raise `ProjectExists` when its code is taken."""
        ...

    async def change_project(self, project: Project) -> Project:
        """Write a project's name, time zone and position."""
        ...

    async def project(self, project: ProjectId) -> Project:
        """Return it, or raise `NotFound`."""
        ...

    async def projects(
        self,
        page: Page,
        *,
        visible: Collection[ProjectId] | None = None,
        code: str | None = None,
    ) -> Sequence[Project]:
        """Return projects by code, of those *visible* if given; with *code*, only that one."""
        ...

    async def open_batches(self, *, most: int, of: PrincipalId | None = None) -> int:
        """Return how many batches are open, all or those *of* somebody; *most* if more are."""
        ...

    async def open_batch(self, wanted: Batch, *, trace: Trace | None = None) -> tuple[Batch, bool]:
        """Return the declarer's open batch of this reference, locked, and whether it is new.

        A closed batch of the same reference gets a successor. A new one, and all that is done for
        it, belongs to *trace*.
        """
        ...

    async def batch(self, batch: BatchId, *, lock: bool = False) -> Batch:
        """Return it, or raise `NotFound`; *lock* holds off every other declaration and close."""
        ...

    async def batches(
        self, page: Page, which: BatchFilter, *, project: ProjectId | None
    ) -> Sequence[Batch]:
        """Return batches that somebody sees, newest first."""
        ...

    async def touch_batch(self, batch: BatchId, *, close: bool = False) -> Batch:
        """Note that its client is alive; with *close*, take no more entries. Repeatable."""
        ...

    async def is_idle(self, batch: BatchId, silence: timedelta) -> bool:
        """Say whether it is open, awaits no bytes, and nobody has touched it for so long."""
        ...

    async def tally(self, batch: BatchId) -> Tally:
        """Count the batch as it is now."""
        ...


class UploadRows(Protocol):
    """Uploads and their parts."""

    async def known(
        self,
        batch: Batch,
        entries: Sequence[Entry],
        *,
        is_new: bool,
        whose: PrincipalId | None = None,
    ) -> Known:
        """Return what bears on the verdicts of *entries*; a new batch itself knows nothing.

        With *whose*, content that somebody else delivered is not known.
        The batch's uploads of the same keys are locked, and those that bring the same bytes.
        """
        ...

    async def declare(self, uploads: Sequence[Upload]) -> None:
        """Write new uploads, in this order."""
        ...

    async def uploads(self, ids: Sequence[UploadId], *, lock: bool = False) -> Sequence[Upload]:
        """Return those that exist, in order of declaration."""
        ...

    async def upload(self, upload: UploadId) -> UploadRecord:
        """Return it, or raise `NotFound`."""
        ...

    async def records(
        self, batch: BatchId, page: Page, which: UploadFilter
    ) -> Sequence[UploadRecord]:
        """Return uploads of a batch in order of declaration; the cursor is their order."""
        ...

    async def sendable(self, batch: BatchId, *, limit: int) -> Sequence[Upload]:
        """Return uploads whose bytes are wanted now, in order of declaration."""
        ...

    async def landed(self, uploads: Sequence[Upload]) -> Mapping[UploadId, Sequence[int]]:
        """Return the numbers of the parts recorded for each one's current attempt."""
        ...

    async def record(self, parts: Sequence[Part]) -> Sequence[PartOutcome]:
        """Record durable parts, one outcome each; a whole single-part file goes on to be checked.

        A recorded part is never rewritten. Jobs and events are written with it.
        """
        ...

    async def recorded(
        self, attempts: Sequence[tuple[UploadId, int]]
    ) -> Mapping[tuple[UploadId, int], Sequence[int]]:
        """Return the numbers of the parts recorded for each (upload, attempt).

        Waits for transactions that may still record one: what is left out may be overwritten.
        """
        ...

    async def say_received(self, batch: BatchId, sent: Mapping[UploadId, int]) -> None:
        """Show bytes that are said to be with the store; the last one isn't until it is known."""
        ...

    async def move(self, changes: Sequence[Change]) -> frozenset[UploadId]:
        """Write the moves nobody was faster with and log each; return the uploads that moved."""
        ...

    async def restart(self, uploads: Sequence[Upload]) -> None:
        """Write new attempts of declared or receiving uploads (other entry, no parts)."""
        ...

    async def still_silent(
        self, uploads: Sequence[UploadId], silence: timedelta
    ) -> frozenset[UploadId]:
        """Return those that wait for bytes and have been quiet for so long, as this moment has it.

        Their batches are locked, so that nobody is heard of until the end; in a batch that
        somebody holds, none is silent.
        """
        ...

    async def twins(self, leaders: Sequence[UploadId]) -> Sequence[Upload]:
        """Return the uploads waiting for these, locked, in order of declaration."""
        ...

    async def follow(self, twins: Sequence[UploadId], leader: UploadId | None) -> None:
        """Make *twins* wait for another leader, or for none: then they must be sent."""
        ...


class JobRows(Protocol):
    """Jobs and events, written with the decision that causes them."""

    async def enqueue(self, jobs: Sequence[Job], *, after: timedelta = timedelta(0)) -> None:
        """Add jobs that become visible when the transaction commits, and *after* has passed."""
        ...

    async def jobs(self, page: Page, *, state: JobState | None) -> Sequence[JobListing]:
        """Return jobs, oldest first."""
        ...

    async def count_jobs(self) -> tuple[Mapping[JobState, int], float | None]:
        """Return how many there are by state, and the age in seconds of the oldest waiting."""
        ...

    async def revive_job(self, job: UUID) -> UploadId | None:
        """Make a dead job wait again with fresh attempts; return its upload, or `NotFound`."""
        ...

    async def forget_dead_jobs(self, uploads: Sequence[UploadId]) -> None:
        """Remove the dead jobs of uploads that are tried again otherwise."""
        ...

    async def discard_job(self, job: UUID) -> None:
        """Remove a dead job; raise `NotFound`."""
        ...

    async def say(self, happenings: Sequence[Happening]) -> None:
        """Log what happened; numbers are given by the last statement before the commit."""
        ...

    async def happened(self, upload: UploadId) -> Sequence[Recorded]:
        """Return everything logged about an upload, oldest first."""
        ...

    async def head(self) -> int:
        """Return the newest number of this organization that this transaction sees."""
        ...


class QuotaRows(Protocol):
    """How much may be used, and how much is."""

    async def quotas(self, projects: Sequence[ProjectId], *, lock: bool = False) -> Sequence[Quota]:
        """Return the quotas of the organization and of these projects, those that there are.

        *lock* holds off everybody else who takes room by them, or sets them.
        """
        ...

    async def set_quota(self, quota: Quota) -> None:
        """Write a quota over the one there is; an unlimited one is as none."""
        ...

    async def usage(self, projects: Sequence[ProjectId]) -> Mapping[UUID | None, Usage]:
        """Return what is used by the organization (None), and by these projects that use any."""
        ...


class Tx(
    ProjectRows,
    UploadRows,
    DocumentRows,
    ScanRows,
    JobRows,
    PeopleRows,
    AuditRows,
    QuotaRows,
    FigureRows,
    LegacyRows,
    Protocol,
):
    """One database transaction of one organization: all of it lands, or none of it."""

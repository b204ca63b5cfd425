"""Operating: how uploads fare, jobs that wait, and those that were given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from laydown.domain.access import Act
from laydown.domain.audit import Deed
from laydown.domain.figures import (
    Duration,
    Moment,
    Outcome,
    Patience,
    Plight,
    StuckUpload,
    step_of,
)
from laydown.domain.jobs import JobListing, JobState, ProveUpload
from laydown.domain.lifecycle import State
from laydown.domain.upload import change
from laydown.ports import Ledger, Page
from laydown.services.access import allow
from laydown.services.completing import retried
from laydown.services.identity import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How an organization's uploads fare, now and in a window of time."""

    at: datetime
    since: datetime
    jobs: Mapping[JobState, int]
    oldest_job: float | None  # seconds
    outcomes: Sequence[Outcome]
    durations: Sequence[Duration]
    stuck: Mapping[Plight, int]
    sampled_at: datetime | None  # the minute of the last look at the queue


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was sampled over time."""

    since: datetime
    until: datetime
    step: timedelta
    moments: Sequence[Moment]


@dataclass(frozen=True, kw_only=True)
class Operating:
    """Use cases of those who keep it running."""

    ledger: Ledger
    patience: Patience = field(default_factory=Patience)

    async def overview(self, caller: Caller, window: timedelta) -> Overview:
        """Return how uploads fare; the window begins with a whole minute."""
        allow(caller, Act.OPERATE)
        at = datetime.now(UTC)
        since = _floored(at - window, timedelta(minutes=1))
        async with self.ledger.snapshot(caller.organization) as tx:
            jobs, oldest = await tx.count_jobs()
            return Overview(
                at=at,
                since=since,
                jobs=jobs,
                oldest_job=oldest,
                outcomes=await tx.outcomes(since),
                durations=await tx.durations(since),
                stuck=await tx.count_stuck(self.patience),
                sampled_at=await tx.last_sample(),
            )

    async def history(self, caller: Caller, span: timedelta) -> History:
        """Return what was sampled for so long until now; it begins with a whole step."""
        allow(caller, Act.OPERATE)
        until, step = datetime.now(UTC), step_of(span)
        since = _floored(until - span, step)
        async with self.ledger.snapshot(caller.organization) as tx:
            moments = await tx.moments(since, step)
        return History(since=since, until=until, step=step, moments=moments)

    async def stuck(
        self, caller: Caller, page: Page
    ) -> tuple[Sequence[StuckUpload], Mapping[Plight, int]]:
        """Return files that move no more, and how many there are."""
        allow(caller, Act.OPERATE)
        async with self.ledger.snapshot(caller.organization) as tx:
            return await tx.stuck(page, self.patience), await tx.count_stuck(self.patience)

    async def jobs(
        self, caller: Caller, page: Page, *, state: JobState | None
    ) -> tuple[Sequence[JobListing], Mapping[JobState, int], float | None]:
        """Return jobs, oldest first, how many there are by state, and the longest wait in s."""
        allow(caller, Act.OPERATE)
        async with self.ledger.snapshot(caller.organization) as tx:
            counts, oldest = await tx.count_jobs()
            return await tx.jobs(page, state=state), counts, oldest

    async def replay(self, caller: Caller, job_id: UUID) -> None:
        """Give a dead job its attempts back, and its upload another check."""
        allow(caller, Act.OPERATE)
        async with self.ledger.begin(caller.organization) as tx:
            upload_id = await tx.revive_job(job_id)
            await tx.note(caller.did(Deed.JOB_REPLAYED, subject=job_id))
            if upload_id is None:
                return
            failed = [
                upload
                for upload in await tx.uploads([upload_id], lock=True)
                if upload.state is State.FAILED
            ]
            moved = await tx.move([change(upload, retried(upload)) for upload in failed])
            await tx.enqueue([ProveUpload(upload) for upload in sorted(moved)])

    async def discard(self, caller: Caller, job_id: UUID) -> None:
        """Remove a dead job from the list; its upload stays as it is."""
        allow(caller, Act.OPERATE)
        async with self.ledger.begin(caller.organization) as tx:
            await tx.discard_job(job_id)
            await tx.note(caller.did(Deed.JOB_DISCARDED, subject=job_id))


def _floored(moment: datetime, step: timedelta) -> datetime:
    """Return the last multiple of *step* that isn't after *moment*."""
    return moment - (moment - datetime.fromtimestamp(0, UTC)) % step

"""Operating: jobs that wait, and those that were given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from laydown.domain.access import Act
from laydown.domain.audit import Deed
from laydown.domain.jobs import JobListing, JobState, ProveUpload
from laydown.domain.lifecycle import State
from laydown.domain.upload import change
from laydown.ports import Ledger, Page
from laydown.services.access import allow
from laydown.services.completing import retried
from laydown.services.identity import Caller


@dataclass(frozen=True, kw_only=True)
class Operating:
    """Use cases of those who keep it running."""

    ledger: Ledger

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

"""Jobs and events, written with the decision that causes them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, assert_never
from uuid import UUID

from laydown.domain.errors import NotFound
from laydown.domain.happening import Happening, Recorded
from laydown.domain.jobs import (
    DiscardBytes,
    Job,
    JobListing,
    JobState,
    JoinParts,
    ProveUpload,
    QuarantineBytes,
    RescanBytes,
)
from laydown.domain.upload import UploadId
from laydown.ports import Page
from laydown.postgres import sql
from laydown.postgres.rows import happening_row, json_rows, recorded_of
from laydown.postgres.session import Session
from laydown.services.identifiers import new_id

_Q = sql.load("jobs.sql")
_EVENTS = sql.load("events.sql")
_AT_ONCE = timedelta(0)

KINDS: Final = ("join", "prove", "discard", "quarantine", "rescan")
"""The kinds of jobs that this program knows; others are left to workers of the release that
enqueued them."""


def job_row(job: Job) -> dict[str, object]:
    """Return a job as the columns it has; somebody waits for an urgent one."""
    match job:
        case JoinParts(upload_id):
            return {"kind": "join", "upload": upload_id, "is_urgent": True}
        case ProveUpload(upload_id):
            return {"kind": "prove", "upload": upload_id, "is_urgent": True}
        case DiscardBytes(upload_id, object_key):
            kind = "discard"
        case QuarantineBytes(upload_id, object_key):
            kind = "quarantine"
        case RescanBytes(upload_id, object_key):
            kind = "rescan"
        case _:
            assert_never(job)
    return {"kind": kind, "upload": upload_id, "object_key": object_key, "is_urgent": False}


def job_of(row: Any) -> Job:  # noqa: ANN401 - a row
    """Return the job of a row; raise `ValueError` for a kind this program does not know."""
    match row.kind:
        case "join":
            return JoinParts(row.upload_id)
        case "prove":
            return ProveUpload(row.upload_id)
        case "discard":
            return DiscardBytes(row.upload_id, row.object_key)
        case "quarantine":
            return QuarantineBytes(row.upload_id, row.object_key)
        case "rescan":
            return RescanBytes(row.upload_id, row.object_key)
        case unknown:
            raise ValueError(f"no such kind of job: {unknown}")


class JobRows(Session):
    """The `JobRows` port on one connection."""

    async def enqueue(self, jobs: Sequence[Job], *, after: timedelta = _AT_ONCE) -> None:
        """Add jobs that become visible when the transaction commits, and *after* has passed."""
        if jobs:
            rows = json_rows({"id": new_id(), **job_row(job)} for job in jobs)
            await self.run(_Q["add_jobs"], rows=rows, after=after)

    async def jobs(self, page: Page, *, state: JobState | None) -> Sequence[JobListing]:
        """Return jobs, oldest first."""
        rows = await self.all(
            _Q["list_jobs"],
            after=None if page.after is None else UUID(page.after),
            limit=page.limit,
            state=state,
        )
        return [
            JobListing(
                id=row.id,
                kind=row.kind,
                state=JobState(row.state),
                attempt=row.attempt,
                run_at=row.run_at,
                created_at=row.created_at,
                upload=row.upload_id,
                last_error=row.last_error,
            )
            for row in rows
        ]

    async def count_jobs(self) -> tuple[Mapping[JobState, int], float | None]:
        """Return how many there are by state, and the age in seconds of the oldest waiting."""
        row = await self.one(_Q["count_jobs"])
        counts = {state: int(getattr(row, state)) for state in JobState}
        return counts, row.oldest

    async def revive_job(self, job: UUID) -> UploadId | None:
        """Make a dead job wait again with fresh attempts; return its upload."""
        row = await self.one(_Q["revive_job"], id=job)
        if row is None:
            raise NotFound("dead job", job)
        return UploadId(row.upload_id) if row.upload_id is not None else None

    async def forget_dead_jobs(self, uploads: Sequence[UploadId]) -> None:
        """Remove the dead jobs of uploads that are tried again otherwise."""
        if uploads:
            await self.run(_Q["forget_dead_jobs"], uploads=list(uploads))

    async def discard_job(self, job: UUID) -> None:
        """Remove a dead job; raise `NotFound`."""
        if await self.one(_Q["discard_job"], id=job) is None:
            raise NotFound("dead job", job)

    async def say(self, happenings: Sequence[Happening]) -> None:
        """Log what happened; numbers are given by the last statement before the commit."""
        self.said += happenings

    async def happened(self, upload: UploadId) -> Sequence[Recorded]:
        """Return everything logged about an upload, oldest first."""
        rows = await self.all(_EVENTS["events_of_upload"], upload=upload)
        return [recorded_of(row, self.organization) for row in rows]

    async def head(self) -> int:
        """Return the newest number of this organization that this transaction sees."""
        row = await self.one(_EVENTS["get_head"])
        return 0 if row is None else int(row.number)

    async def commit(self) -> None:
        """Write what was said, with its numbers, and commit, in one message: see events.sql."""
        if self.said:
            rows = json_rows(map(happening_row, self.said))
            await self.run_at_once(_EVENTS["number_events"], rows=rows)

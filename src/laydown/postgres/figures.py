"""What operators look at."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from laydown.domain.figures import (
    Duration,
    Moment,
    Outcome,
    Patience,
    Plight,
    Stage,
    StuckUpload,
)
from laydown.domain.lifecycle import State
from laydown.domain.upload import BatchId, ProjectId, UploadId
from laydown.ports import Page
from laydown.postgres import sql
from laydown.postgres.session import Session

_Q = sql.load("figures.sql")

_MOST_UNCOUNTED = 200_000
"""Events that are counted while somebody waits: more than workers write between two looks. There
are as many only if nobody looks."""

_MOST_MEASURED = 1_000
"""Events whose files are measured: with so many, a percentile is off by a rank or two in a
hundred."""

_MOST_MEASURED_OF_STEP = 60
"""The same of each step of a history, of which there are up to 180: some 15 files, of four events
each."""


class FigureRows(Session):
    """The `FigureRows` port on one connection."""

    async def outcomes(self, since: datetime) -> Sequence[Outcome]:
        """Return how files settled since then, the most frequent first."""
        rows = await self.all(_Q["count_outcomes"], since=since, most=_MOST_UNCOUNTED)
        return [
            Outcome(state=State(row.state), reason=row.reason, files=row.files, bytes=row.bytes)
            for row in rows
        ]

    async def durations(self, since: datetime) -> Sequence[Duration]:
        """Return how long the stages took that files left since then; of many files, of some."""
        rows = await self.all(_Q["time_stages"], since=since, most=_MOST_MEASURED)
        found = {Stage(row.stage): row for row in rows}
        return [
            Duration(
                stage=stage,
                files=found[stage].files,
                median=found[stage].seconds[0],
                slowest=found[stage].seconds[1],
            )
            for stage in Stage
            if stage in found
        ]

    async def last_sample(self) -> datetime | None:
        """Return the minute in which the queue was last looked at; None: never."""
        row = await self.one(_Q["last_sample"])
        last: datetime | None = row.minute
        return last

    async def moments(self, since: datetime, step: timedelta) -> Sequence[Moment]:
        """Return what was written down since then, in steps; one without a look is missing."""
        rows = await self.all(
            _Q["list_moments"], since=since, step=step, most=_MOST_MEASURED_OF_STEP
        )
        return [Moment(**row._asdict()) for row in rows]

    async def count_stuck(self, patience: Patience) -> Mapping[Plight, int]:
        """Return how many files move no more."""
        row = await self.one(_Q["count_stuck"], silent=patience.silent, stuck=patience.stuck)
        return {plight: int(getattr(row, plight)) for plight in Plight}

    async def stuck(self, page: Page, patience: Patience) -> Sequence[StuckUpload]:
        """Return the files that move no more, by id; the cursor is an id."""
        rows = await self.all(
            _Q["list_stuck"],
            after=None if page.after is None else UUID(page.after),
            limit=page.limit,
            silent=patience.silent,
            stuck=patience.stuck,
        )
        return [
            StuckUpload(
                id=UploadId(row.id),
                plight=Plight(row.plight),
                batch=BatchId(row.batch_id),
                project=ProjectId(row.project_id),
                path=row.path,
                size=row.size,
                received=row.received,
                state=State(row.state),
                moved_at=row.moved_at,
                last_error=row.last_error,
            )
            for row in rows
        ]

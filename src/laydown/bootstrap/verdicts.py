"""What waits for the word of a scanner that nobody can ask, and what to do when none comes."""

import asyncio
from datetime import timedelta
from math import nan

from laydown import observe, wire
from laydown.bootstrap.scanner import Scanning
from laydown.domain.errors import LedgerUnavailable
from laydown.ports import Unjudged
from laydown.postgres.system import PostgresSystem
from laydown.settings import PREFIX
from laydown.telemetry.metrics import Metrics
from laydown.telemetry.page import joined, metrics_of

LATE = timedelta(minutes=10)
"""GuardDuty's results come within some minutes; one that takes longer has mostly gone astray."""

_PATIENCE = 5.0  # seconds for the database; who asks for metrics gives up after ten
_REMEDY = (
    "See that Malware Protection is on for the bucket and its prefix u/, that its results are sent "
    f"to the queue of {PREFIX}NOTICES, and that a worker runs and logs no notice.failed; then have "
    "GuardDuty scan the objects again. Nothing is lost, and nothing is published unseen."
)


async def check_verdicts(system: PostgresSystem) -> wire.Check:
    """Say how many files wait and for how long; requests can be taken all the same."""
    waiting = await _asked(system)
    if waiting is None:
        return wire.Check(name="scanner", ok=True, detail="the database did not say what waits")
    if not waiting.files:
        return wire.Check(name="scanner", ok=True, detail="no file waits for GuardDuty's verdict")
    minutes = waiting.oldest // timedelta(minutes=1)
    return wire.Check(
        name="scanner",
        ok=True,
        detail=f"{waiting.files:,} {'file waits' if waiting.files == 1 else 'files wait'} for "
        f"GuardDuty's verdict, the oldest for {minutes:,} min",
        remedy=_REMEDY if waiting.oldest > LATE else None,
    )


async def rendered(
    metrics: Metrics,
    system: PostgresSystem,
    scanning: Scanning,
    *,
    worker_page: tuple[str, int] | None = None,
) -> tuple[bytes, str]:
    """Return every number and its media type; what waits is counted first, where anything does.

    It is no number while the database does not answer. With a *worker_page*, the host and the port
    of a worker's, its numbers are on the same page.
    """
    if scanning.awaits_verdicts:
        waiting = await _asked(system)
        files, oldest = nan, nan
        if waiting is not None:
            files, oldest = waiting.files, waiting.oldest.total_seconds()
        metrics.set(observe.UNJUDGED_FILES, files)
        metrics.set(observe.UNJUDGED_OLDEST, oldest)
    page, media_type = metrics.rendered()
    if worker_page is not None:
        page = joined(page, await metrics_of(*worker_page))
    return page, media_type


async def _asked(system: PostgresSystem) -> Unjudged | None:
    """Return what waits; None while the database does not answer."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await system.unjudged()
    except (LedgerUnavailable, TimeoutError):
        return None

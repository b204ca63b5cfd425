"""What ails a system that answers, told from what operators may see."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from laydown import wire
from laydown.cli.findings import Finding, ill, well
from laydown.cli.printable import duration, files, moment, size

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

_LISTED = 200
_NEARLY = 0.9  # of a quota
_LONGEST_ERROR = 160  # characters of an error that one sentence holds
_LATE = 600.0  # seconds that a job may wait; a spike is worked off sooner
_REFUSED = re.compile(r'^laydown_refused_requests_total\{limit="streams"\} (\S+)$', re.MULTILINE)


async def ailments(client: "AsyncClient") -> Sequence[Finding]:
    """Return what there is to say about queue, jobs, files, quota and streams.

    Nothing for a caller who may not operate.
    """
    from laydown.client.errors import ApiError  # noqa: PLC0415 - `--help` needs none of it

    try:
        overview = await client.overview()
        dead = await client.jobs(state="dead", limit=_LISTED)
        stuck = await client.stuck(limit=_LISTED)
        usage = await client.usage()
    except ApiError as error:
        if error.code != "forbidden":
            raise
        return [well("what operators see was not looked at: this token may not operate")]
    metrics = (await client.transport.call("GET", "/metrics")).body.decode()
    return [
        *_queue(overview),
        *_dead(dead),
        *_files(overview, stuck),
        *_quota(usage),
        *_streams(metrics),
    ]


def _queue(overview: wire.OperationsOverview) -> Iterator[Finding]:
    queue = overview.queue
    looks = next(check for check in overview.health if check.name == "worker")
    said = f"{_jobs(queue.waiting)} waiting and {queue.running:,} running"
    oldest = queue.oldest_waiting_seconds or 0.0
    if queue.waiting and oldest:
        said += f"; the oldest has been due for {duration(oldest)}"
    if not looks.ok and (queue.waiting or " since " in looks.detail):
        yield ill(
            f"no worker is alive: {looks.detail}, with {said}",
            "Start one with `laydown worker`; `laydown up` restarts its own, and logs/worker.log "
            "in its data says why that fails. Files are safe, and wait.",
        )
    elif oldest > _LATE:
        yield ill(
            f"the queue moves too slowly: {said}",
            "Start more workers; if those that run wait for a scanner or a store, their logs say "
            "jobs.postponed.",
        )
    else:
        yield well(f"queue: {said}")


def _dead(page: wire.JobPage) -> Iterator[Finding]:
    """Say of each kind how many jobs are dead, since when, and mostly why."""
    total = page.counts.get("dead", 0)
    if total > len(page.items):
        yield ill(f"{_jobs(total)} dead; of these the oldest {len(page.items):,} say:", "")
    for kind in sorted({job.kind for job in page.items}):
        jobs = [job for job in page.items if job.kind == kind]
        [(error, count)] = Counter(job.last_error or "no error" for job in jobs).most_common(1)
        since = moment(min(job.created_at for job in jobs))
        mostly = "because of" if count == len(jobs) else f"{count:,} of them because of"
        yield ill(
            f"{len(jobs):,} {kind} {'job is' if len(jobs) == 1 else 'jobs are'} dead, the oldest "
            f"from {since}, {mostly} {_brief(error)}",
            "Put the cause right, then `laydown jobs --replay ID` (--discard ID forgets one); "
            "`laydown jobs --state dead` lists them.",
        )


def _files(overview: wire.OperationsOverview, stuck: wire.StuckPage) -> Iterator[Finding]:
    for failure in overview.failures:
        if failure.state == "failed":
            yield ill(
                f"{files(failure.files)} could not be finished in the last hour ({failure.reason})",
                "When the cause is put right, `laydown push` of the same folder tries them again.",
            )
    if stuck.counts.stuck:
        rows = [row for row in stuck.items if row.plight == "stuck"]
        errors = Counter(row.last_error for row in rows if row.last_error)
        why = f"; mostly {_brief(errors.most_common(1)[0][0])}" if errors else ""
        first = min((row.moved_at for row in rows), default=None)
        since = "" if first is None else f", the first since {moment(first)}"
        yield ill(
            f"{files(stuck.counts.stuck)} with us did not move for "
            f"{duration(stuck.stuck_after_seconds)} or more{since}{why}",
            "See that workers run and that scanner and store answer; the console lists the files "
            "under Operations.",
        )
    if stuck.counts.silent:
        yield well(
            f"{files(stuck.counts.silent)} of open batches wait for their senders, who said "
            f"nothing for {duration(stuck.silent_after_seconds)}"
        )


def _quota(usage: wire.Usage) -> Iterator[Finding]:
    for name in ("bytes", "files", "uploads"):
        used, most = getattr(usage, name), getattr(usage.quota, name)
        if most is None or used < most * _NEARLY:
            continue
        told = size if name == "bytes" else "{:,}".format
        yield ill(
            f"the quota of {name} is {'used up' if used >= most else 'nearly used up'}: "
            f"{told(used)} of {told(most)}",
            "Raise it with `laydown quota set`, or take documents out; what is over it is refused "
            "as quota_exceeded.",
        )


def _streams(metrics: str) -> Iterator[Finding]:
    refused = _REFUSED.search(metrics)
    if refused is not None and float(refused[1]):
        count = float(refused[1])
        streams = "1 event stream was" if count == 1 else f"{count:,.0f} event streams were"
        yield ill(
            f"{streams} refused since the API started: their number was at its limit",
            "Raise LAYDOWN_EVENT_STREAMS or LAYDOWN_EVENT_STREAMS_OF_TOKEN, or run more of the "
            "API; pages ask again and again meanwhile.",
        )


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"


def _brief(error: str) -> str:
    line = error.partition("\n")[0]
    return line if len(line) <= _LONGEST_ERROR else f"{line[:_LONGEST_ERROR]}…"

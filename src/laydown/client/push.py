"""Pushing folders: every file found is declared, sent if it is missing, and followed to its end."""

import asyncio
import hashlib
import os
import platform
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from uuid import UUID

from laydown import wire
from laydown.client.api import Api
from laydown.client.errors import TooManyFiles, first_of
from laydown.client.hashing import hashed
from laydown.client.parts import Outgoing, outgoing
from laydown.client.progress import Log, Phase, Progress
from laydown.client.reading import Local
from laydown.client.result import PushResult, grouped
from laydown.client.sender import Sender
from laydown.client.trace import one_trace
from laydown.client.walk import Found, Walk, real_paths, walk
from laydown.client.watcher import Watcher

JOBS = 8
"""Parts sent at once: beyond this a single server core gains nothing, and slow lines lose."""

MOST_FILES = 100_000
"""Files in one batch; the server takes no more."""

_DECLARED_AT_ONCE = (256, 1_024, 5_000)  # the first soon, so that sending begins; then many
_DECLARED_AFTER = 2.0  # seconds that a file whose digest is known waits for company
_READERS = 2  # threads that compute digests: one disk, few cores
_TICK_SECONDS = 0.1
_CAN_BE_RETRIED = frozenset({"expired", "failed"})
_MOVING: Sequence[wire.UploadState] = ("sealing", "checking", "processing")
_REUSED = "key_reused"
_CHANGED_SINCE = (
    "it changed after an earlier push had sent it, and that one ends only now; push again"
)
_DAMAGED = frozenset({"checksum_mismatch", "size_mismatch"})


async def push(
    api: Api,
    paths: Sequence[str | os.PathLike[str]],
    *,
    project: str,
    label: str | None = None,
    jobs: int = JOBS,
    on_conflict: wire.OnConflict = "new_version",
    progress: Callable[[Progress], None] | None = None,
) -> PushResult:
    """Send every file below *paths* to a project, which is made if need be, and see it through.

    Running it again takes up where it was left: what arrived is not sent twice. *progress* is
    told several times a second. Raises `NoSuchPath`, `TooManyFiles` and what the API raises;
    files that can't be read are in the result.
    """
    began = time.monotonic()
    log, stop = Log(), threading.Event()
    readers = ThreadPoolExecutor(_READERS, "laydown-read")
    senders = ThreadPoolExecutor(max(jobs, 1), "laydown-send")
    with ExitStack() as stack:
        stack.enter_context(one_trace())
        stack.callback(senders.shutdown, wait=False, cancel_futures=True)
        stack.callback(readers.shutdown, wait=False, cancel_futures=True)
        stack.callback(stop.set)
        found = await asyncio.get_running_loop().run_in_executor(
            readers, lambda: walk(paths, stop=stop)
        )
        if len(found.files) > MOST_FILES:
            raise TooManyFiles(
                f"{len(found.files):,} files are more than the {MOST_FILES:,} that one delivery "
                "takes; push the folders below one by one"
            )
        log.found_files, log.found_bytes = len(found.files), found.size
        log.troubles += found.unreadable
        project_id = await _destination(api, project)
        reference = reference_of(project_id, paths)
        declarer = _Declarer(api, project_id, reference, label, on_conflict)
        course = _Course(api, declarer, log, stop, readers, senders, jobs, progress)
        batch = await course.run(found.files)
        return await _result(api, batch, found, log, began)


async def _destination(api: Api, code: str) -> UUID:
    """Return the project of a code, made if need be; through a drop link, the link's own."""
    if api.transport.is_link:
        me = await api.me()
        if me.link is not None:
            return me.link.project_id
    return (await api.ensure_project(code)).id


def reference_of(project_id: UUID, paths: Sequence[str | os.PathLike[str]]) -> str:
    """Return what a delivery of these paths to this project from this machine is always called."""
    named = "\0".join([str(project_id), platform.node(), *real_paths(paths)])
    return "push-" + hashlib.sha256(os.fsencode(named)).hexdigest()[:32]


@dataclass(slots=True)
class _Declarer:
    """Declares files in one batch, which its first call opens or returns to."""

    api: Api
    project_id: UUID
    reference: str
    label: str | None
    on_conflict: wire.OnConflict
    batch_id: UUID | None = None

    async def declare(self, files: Sequence[Local]) -> Sequence[wire.Verdict]:
        """Return a verdict for each file, in order; what an earlier push left undone is retried."""
        verdicts = await self._declare(files)
        undone = [
            file for file, verdict in zip(files, verdicts, strict=True) if _is_undone(verdict)
        ]
        if not undone or self.batch_id is None:
            return verdicts
        await self.api.retry_batch(self.batch_id)
        again = {verdict.key: verdict for verdict in await self._declare(undone)}
        return [again.get(verdict.key, verdict) for verdict in verdicts]

    async def _declare(self, files: Sequence[Local]) -> Sequence[wire.Verdict]:
        entries = [file.entry() for file in files]
        if self.batch_id is not None:
            return await self.api.declare_more(self.batch_id, entries)
        declared = await self.api.declare(
            self.project_id,
            reference=self.reference,
            entries=entries,
            label=self.label,
            on_conflict=self.on_conflict,
        )
        self.batch_id = declared.batch.id
        return declared.verdicts


@dataclass(slots=True, eq=False)
class _Course:
    """One push under way."""

    api: Api
    declarer: _Declarer
    log: Log
    stop: threading.Event
    readers: ThreadPoolExecutor
    senders: ThreadPoolExecutor
    jobs: int
    progress: Callable[[Progress], None] | None
    sender: Sender | None = None
    watcher: Watcher | None = None
    files: dict[UUID, Local] = field(default_factory=dict)  # that may have to be sent yet
    plans: dict[int, wire.Plan] = field(default_factory=dict)  # by size: twins have none of theirs
    background: list[asyncio.Task[None]] = field(default_factory=list)

    async def run(self, found: Sequence[Found]) -> wire.Batch | None:
        """Return the batch in its end, None when there was nothing to declare."""
        batch = None
        try:
            async with asyncio.TaskGroup() as group:
                self.background.append(group.create_task(self._tick()))
                await self._declare(found, group)
                if self.sender is not None and self.watcher is not None:
                    await self.sender.idle()
                    batch = await self._see_through(self.sender, self.watcher)
                for task in self.background:
                    task.cancel()
        except BaseExceptionGroup as failed:
            raise first_of(failed) from None
        self.log.phase = Phase.DONE
        if self.progress is not None:
            self.progress(self.log.now())
        return batch

    async def _declare(self, found: Sequence[Found], group: asyncio.TaskGroup) -> None:
        self.log.phase = Phase.SENDING
        told = 0  # a batch that is resumed has declared more
        async with aclosing(self._chunks(found)) as chunks:
            async for files in chunks:
                verdicts = await self.declarer.declare(files)
                told += len(files)
                self.log.declared = max(self.log.declared, told)
                if self.sender is None:
                    self._begin(group)
                for file, verdict in zip(files, verdicts, strict=True):
                    self._heed(verdict, file)
        self.log.is_reading = False

    def _begin(self, group: asyncio.TaskGroup) -> None:
        batch_id = self.declarer.batch_id
        assert batch_id is not None
        self.sender = Sender(self.api, batch_id, jobs=self.jobs, log=self.log, threads=self.senders)
        self.watcher = Watcher(self.api, batch_id, log=self.log, wanted=self._send_after_all)
        self.background.append(group.create_task(self.sender.run()))
        self.background.append(group.create_task(self.watcher.run()))

    async def _chunks(self, found: Sequence[Found]) -> AsyncGenerator[list[Local], None]:
        """Yield files to be declared together."""
        limits = iter(_DECLARED_AT_ONCE)
        limit = next(limits)
        waiting: list[Local] = []
        since = time.monotonic()
        source = hashed(found, threads=self.readers, stop=self.stop, log=self.log)
        async with aclosing(source) as groups:
            async for files in groups:
                if not waiting:
                    since = time.monotonic()
                waiting += files
                is_late = bool(waiting) and time.monotonic() - since > _DECLARED_AFTER
                while len(waiting) >= limit or (waiting and is_late):
                    yield waiting[:limit]
                    waiting = waiting[limit:]
                    limit = next(limits, limit)
        if waiting:
            yield waiting

    def _heed(self, verdict: wire.Verdict, file: Local) -> None:
        if verdict.upload_id is None:
            why = verdict.detail or verdict.reason or "it was refused"
            self.log.trouble(file.relative, _CHANGED_SINCE if verdict.reason == _REUSED else why)
            return
        if verdict.plan is not None:
            self.plans[file.size] = verdict.plan
        if verdict.verdict in ("send", "resume", "wait"):
            self.files[verdict.upload_id] = file
        going = outgoing(verdict, file)
        if going is not None and self.sender is not None:
            self.sender.send(going)

    def _send_after_all(self, upload_id: UUID) -> None:
        """Send a file whose bytes were to come with another one's, or were not to be sent."""
        file = self.files.get(upload_id)
        if file is None or self.sender is None or self.sender.has_tried(upload_id):
            return
        plan = self.plans.get(file.size)
        if plan is None:
            self.sender.leave(upload_id, file, "it must be sent after all; push again")
        else:
            self.sender.send(Outgoing(upload_id, file, plan, is_known=False))

    async def _see_through(self, sender: Sender, watcher: Watcher) -> wire.Batch:
        """Follow the batch to its end, or to where only files are left that we gave up."""
        assert self.declarer.batch_id is not None
        if sender.kept:  # left open, for the next push to resume
            batch = await self.api.batch(self.declarer.batch_id)
        else:
            batch = await self.api.close_batch(self.declarer.batch_id)
        self.log.phase = Phase.CHECKING
        self.log.declared = batch.declared.count
        self.log.settled = batch.settled.count

        def is_over(batch: wire.Batch) -> bool:
            if batch.state == "settled":
                return True
            # Left are files that were given up but kept, and those waiting for their bytes.
            is_moving = any(batch.counts.get(state) for state in _MOVING)
            return bool(sender.kept) and sender.is_idle and not is_moving

        return batch if is_over(batch) else await watcher.until(is_over)

    async def _tick(self) -> None:
        while self.progress is not None:
            self.progress(self.log.now())
            await asyncio.sleep(_TICK_SECONDS)


def _is_undone(verdict: wire.Verdict) -> bool:
    return verdict.verdict == "settled" and (
        verdict.state in _CAN_BE_RETRIED
        or (verdict.state == "rejected" and verdict.reason in _DAMAGED)
    )


async def _result(
    api: Api, batch: wire.Batch | None, found: Walk, log: Log, began: float
) -> PushResult:
    rows = [] if batch is None else (await api.receipt(batch.id)).rows
    return PushResult(
        batch=batch,
        groups=grouped(rows),
        problems=[row for row in rows if row.state not in wire.SUCCEEDED],
        unreadable=log.troubles,
        passed_over=found.passed_over,
        bytes_sent=log.sent_bytes,
        seconds=time.monotonic() - began,
    )

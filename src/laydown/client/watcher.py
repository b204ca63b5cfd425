"""Watching a batch to its end: by its events, and by asking when they are silent."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from uuid import UUID

from laydown import wire
from laydown.client.api import Api
from laydown.client.errors import ApiError, BadAnswer
from laydown.client.progress import Log
from laydown.client.sse import Changed, Event

_POLL_SECONDS = 2.0  # of silence before the batch is asked for
_LOOK_AGAIN = 5  # silent polls before uploads are looked through for one whose promotion we missed
_WANTED = frozenset({"promoted", "restarted"})


class Watcher:
    """Keeps *log* up to date, and says which uploads *wanted* bytes only after a while."""

    def __init__(
        self, api: Api, batch_id: UUID, *, log: Log, wanted: Callable[[UUID], None]
    ) -> None:
        self._api = api
        self._batch_id = batch_id
        self._log = log
        self._wanted = wanted
        self._latest: wire.Batch | None = None
        self._has_news = asyncio.Event()

    async def run(self) -> None:
        """Follow the events; where there are none to be had, polling alone must do."""
        try:
            async with aclosing(self._api.events(self._batch_id)) as events:
                async for event in events:
                    self._take(event)
        except (ApiError, BadAnswer):
            return

    async def until(self, is_over: Callable[[wire.Batch], bool]) -> wire.Batch:
        """Return the batch once *is_over* says so."""
        silent = 0
        while True:
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._has_news.wait()
            except TimeoutError:
                silent += 1
            else:
                silent = 0
                self._has_news.clear()
                if self._latest is None or not is_over(self._latest):
                    continue
            # Events may tell of a moment before the last declaration: the end is asked for.
            batch = await self._api.batch(self._batch_id)
            self._see(batch)
            if is_over(batch):
                return batch
            if silent and silent % _LOOK_AGAIN == 0:
                async for upload in self._api.uploads(self._batch_id, state="declared"):
                    self._wanted(upload.id)

    def _take(self, event: Event) -> None:
        if isinstance(event, Changed):
            change = event.change
            if change.kind in _WANTED and change.upload_id is not None:
                self._wanted(change.upload_id)
        else:
            self._see(event.batch)
            self._latest = event.batch
            self._has_news.set()

    def _see(self, batch: wire.Batch) -> None:
        # Answers and events overtake each other; what people see should only grow.
        self._log.settled = max(self._log.settled, batch.settled.count)
        self._log.declared = max(self._log.declared, batch.declared.count)

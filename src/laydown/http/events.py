"""A batch as it happens, as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, cast
from uuid import UUID

import msgspec
from fastapi import Header, Query, Response
from starlette.types import Receive, Scope, Send

from laydown.domain.errors import (
    IssuerUnavailable,
    LaydownError,
    LedgerUnavailable,
    NotFound,
    Overloaded,
)
from laydown.domain.errors import Stopping as ServerStopping
from laydown.domain.happening import Recorded
from laydown.domain.upload import BatchId
from laydown.http import shapes
from laydown.http.auth import Called
from laydown.http.context import Limited, Served, Stopping
from laydown.http.problems import documented
from laydown.http.routing import routing
from laydown.services.watching import Closed, Progress, Seen, Snapshot

_AHEAD = 256  # frames made before the client has taken the earlier ones; some 100 kB
_HEARTBEAT = b": still here\n\n"
_BEGINNING = b"retry: 2000\n\n"  # milliseconds until a browser comes back
_MOST_DIGITS = 19  # of a number we gave

router = routing("batches")


class EventStream(Response):
    """An answer that lasts: what a use case yields, frame by frame.

    Ends when the use case does, when the client leaves, and when the server stops. A client that
    doesn't read holds up its own stream only: nothing is made far ahead of what it took.
    """

    def __init__(
        self,
        first: Seen,
        seen: AsyncGenerator[Seen, None],
        *,
        heartbeat: float,
        stopping: asyncio.Event,
    ) -> None:
        unbuffered = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # by nginx
        super().__init__(headers=unbuffered, media_type="text/event-stream")
        del self.headers["content-length"]
        self._first = first
        self._seen = seen
        self._heartbeat = heartbeat  # seconds
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Stream until one side has had enough."""
        frames: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
        await send(
            {"type": "http.response.start", "status": 200, "headers": self.raw_headers},
        )
        pump = asyncio.create_task(self._pump(frames))
        writer = asyncio.create_task(self._write(frames, send))
        gone = asyncio.create_task(_until_gone(receive))
        stopped = asyncio.create_task(self._stopping.wait())
        tasks = {pump, writer, gone, stopped}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if done == {pump} and not pump.exception():
                await asyncio.wait(tasks - {pump}, return_when=asyncio.FIRST_COMPLETED)
            has_left = gone.done()
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        if not has_left:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, frames: "asyncio.Queue[bytes | None]") -> None:
        """Make frames of what happens, as fast as they are taken; None is the end."""
        async with aclosing(self._seen) as seen:
            await frames.put(_BEGINNING + frame(self._first))
            try:
                async for each in seen:
                    await frames.put(frame(each))
            except LaydownError:
                pass  # the client comes back, and is told then what is the matter
        await frames.put(None)

    async def _write(self, frames: "asyncio.Queue[bytes | None]", send: Send) -> None:
        """Send frames, all that are there at once; a comment when there are none for long."""
        is_over = False
        while not is_over:
            taken: list[bytes | None] = []
            try:
                async with asyncio.timeout(self._heartbeat):
                    taken.append(await frames.get())
            except TimeoutError:
                taken.append(_HEARTBEAT)
            while not frames.empty():
                taken.append(frames.get_nowait())
            is_over = taken[-1] is None
            body = b"".join(piece for piece in taken if piece is not None)
            await send({"type": "http.response.body", "body": body, "more_body": True})


@router.get(
    "/v1/batches/{batch_id}/events",
    response_class=Response,
    responses={
        **documented(NotFound, ServerStopping, LedgerUnavailable, IssuerUnavailable, Overloaded),
        200: {
            "description": "`snapshot`, then `change` (its id is its number), `progress`, `closed`",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def watch_batch(
    caller: Called,
    served: Served,
    limits: Limited,
    stopping: Stopping,
    batch_id: UUID,
    after: Annotated[int | None, Query(ge=0, description="Changes behind this number.")] = None,
    last_event_id: Annotated[str, Header(description="As `after`, and before it.")] = "",
) -> Response:
    """Follow a batch live: a snapshot of its numbers, then everything that changes."""
    if stopping.is_set():
        raise ServerStopping
    if last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= _MOST_DIGITS:
        after = int(last_event_id)
    watched = served.watching.watch(caller, BatchId(batch_id), after=after)
    seen = cast("AsyncGenerator[Seen, None]", watched)  # what it is, so that it can be closed
    first = await anext(seen, None)  # the first one, or the error, comes at once
    if first is None:
        raise ServerStopping
    return EventStream(first, seen, heartbeat=limits.heartbeat, stopping=stopping)


def frame(seen: Seen) -> bytes:
    """Return one event of the stream, as the HTML standard has it (9.2.6)."""
    match seen:
        case Snapshot(number=number, batch=batch, tally=tally):
            return _frame("snapshot", shapes.batch(batch, tally, number), number)
        case Recorded(number=number):
            return _frame("change", shapes.change(seen), number)
        case Progress(number=number, batch=batch, tally=tally):
            return _frame("progress", shapes.batch(batch, tally, number), None)
        case Closed(number=number, batch=batch, tally=tally):
            return _frame("closed", shapes.batch(batch, tally, number), None)


def _frame(event: str, data: object, number: int | None) -> bytes:
    identity = b"" if number is None else b"id: %d\n" % number
    return b"event: %b\n%bdata: %b\n\n" % (event.encode(), identity, msgspec.json.encode(data))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

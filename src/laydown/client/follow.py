"""Following a batch through broken connections and restarted servers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import msgspec

from laydown.client import backoff
from laydown.client.errors import BadAnswer
from laydown.client.sse import Closed, Event, Frame, event_of, frames
from laydown.client.transport import Transport, is_broken

_SILENCE_SECONDS = 45.0  # the server comments every 15 s on a silent stream
_RESTING_SECONDS = 0.5  # before taking up a stream that the server ended: it is restarting


async def follow(
    transport: Transport, batch_id: UUID, *, last_event_id: int | None
) -> AsyncGenerator[Event, None]:
    """Yield what happens in a batch until it is closed and settled; see `Api.events`."""
    latest = None if last_event_id is None else str(last_event_id)
    attempt = 0
    while True:
        try:
            async with aclosing(_one_stream(transport, batch_id, latest)) as stream:
                async for frame in stream:
                    attempt = 0
                    transport.heard()
                    if frame is None:
                        continue
                    event = _understood(frame)
                    if event is not None:
                        yield event
                    if isinstance(event, Closed):
                        return
                    latest = frame.id or latest
        except Exception as error:
            if not is_broken(error):
                raise
            await transport.broken(attempt, error)
        else:
            await asyncio.sleep(max(_RESTING_SECONDS, backoff.pause(attempt)))
        attempt += 1


async def _one_stream(
    transport: Transport, batch_id: UUID, latest: str | None
) -> AsyncGenerator[Frame | None, None]:
    headers = {"Accept": "text/event-stream"}
    if latest is not None:
        headers["Last-Event-ID"] = latest
    path = f"/v1/batches/{batch_id}/events"
    async with (
        transport.stream(path, headers=headers, silence=_SILENCE_SECONDS) as answer,
        aclosing(frames(answer.content)) as told,
    ):
        async for frame in told:
            yield frame


def _understood(frame: Frame) -> Event | None:
    try:
        return event_of(frame)
    except msgspec.DecodeError as error:
        raise BadAnswer(f"the server told a {frame.event} that can't be read: {error}") from error

"""Server-sent events (WHATWG HTML §9.2), as far as laydown speaks them, and what they tell."""

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from laydown import wire

_batch = msgspec.json.Decoder(wire.Batch)
_change = msgspec.json.Decoder(wire.Change)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The batch as it is; what changed before is in it, what comes next are its changes."""

    batch: wire.Batch


@dataclass(frozen=True, slots=True)
class Changed:
    """One upload moved."""

    change: wire.Change


@dataclass(frozen=True, slots=True)
class Progressed:
    """The batch in numbers, told from time to time while bytes arrive."""

    batch: wire.Batch


@dataclass(frozen=True, slots=True)
class Closed:
    """The batch is closed and settled: nothing more will happen."""

    batch: wire.Batch


Event: TypeAlias = Snapshot | Changed | Progressed | Closed


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as it came."""

    event: str
    data: str
    id: str | None  # None: it had none, the last one stays


@dataclass(slots=True)
class _Draft:
    event: str = "message"
    id: str | None = None
    data: list[str] = field(default_factory=list)


async def frames(lines: AsyncIterable[bytes]) -> AsyncGenerator[Frame | None, None]:
    """Yield each event of a stream of lines, and None for each comment: the server lives."""
    draft = _Draft()
    async for raw in lines:
        line = raw.rstrip(b"\r\n").decode(errors="replace")
        if not line:
            if draft.data:
                yield Frame(draft.event, "\n".join(draft.data), draft.id)
            draft = _Draft()
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                yield None
            case "event":
                draft.event = value
            case "data":
                draft.data.append(value)
            case "id":
                draft.id = value
            case _:
                pass  # `retry` is our own business; what is unknown is to be ignored


def event_of(frame: Frame) -> Event | None:
    """Return what a frame tells; None for a kind that a later server may have added.

    Raises `msgspec.DecodeError` for data that is not what its kind promises.
    """
    match frame.event:
        case "snapshot":
            return Snapshot(_batch.decode(frame.data))
        case "change":
            return Changed(_change.decode(frame.data))
        case "progress":
            return Progressed(_batch.decode(frame.data))
        case "closed":
            return Closed(_batch.decode(frame.data))
        case _:
            return None

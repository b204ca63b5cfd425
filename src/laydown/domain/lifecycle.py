"""The life of one upload: every legal move, and nothing else."""

from collections.abc import Mapping
from enum import StrEnum

from laydown.domain.errors import IllegalMove


class State(StrEnum):
    """Where an upload is."""

    DECLARED = "declared"  # a row and a verdict, no bytes; also a twin waiting for its leader
    RECEIVING = "receiving"  # bytes may be landing: a part has, or may go straight to the store
    SEALING = "sealing"  # all is sent; being made, or found to be, one durable object
    CHECKING = "checking"  # one immutable object exists; nothing about it is proven yet
    PROCESSING = "processing"  # proven and published; facts and renditions being made
    READY = "ready"  # settled: published, downloadable
    DUPLICATE = "duplicate"  # settled: the bytes were already here; linked, a success
    SKIPPED = "skipped"  # settled: system junk, unchanged, or the batch said skip
    REJECTED = "rejected"  # settled: refused, with a reason code
    CANCELLED = "cancelled"  # settled: the client took it back
    EXPIRED = "expired"  # settled: the client went silent
    FAILED = "failed"  # settled: we could not finish


class Event(StrEnum):
    """What can happen to an upload."""

    GRANTED = "granted"  # bytes may go straight to the store, which tells us later
    PART_LANDED = "part_landed"  # one part of several is durable
    ARRIVED = "arrived"  # a single-part upload is durable as one object
    REPLACED = "replaced"  # another file was declared under its key: a new attempt begins
    SENT = "sent"  # all bytes are said to be with the store, by the client or the store
    JOINED = "joined"  # they are one durable object
    PROVEN = "proven"  # length, digest and type hold; a version is published
    FINISHED = "finished"  # proven, published, and nothing is left to be made from it
    MATCHED = "matched"  # the bytes were here already; a version links them
    SKIPPED = "skipped"  # nothing to do with it
    REFUSED = "refused"  # not acceptable, for a reason
    CANCELLED = "cancelled"  # taken back
    WENT_SILENT = "went_silent"  # nothing came for too long
    GAVE_UP = "gave_up"  # the last attempt of the last job failed
    RETRIED = "retried"  # somebody asked to try again


MOVES: Mapping[tuple[State, Event], State] = {
    (State.DECLARED, Event.GRANTED): State.RECEIVING,
    (State.DECLARED, Event.PART_LANDED): State.RECEIVING,
    (State.RECEIVING, Event.GRANTED): State.RECEIVING,
    (State.RECEIVING, Event.PART_LANDED): State.RECEIVING,
    (State.DECLARED, Event.ARRIVED): State.CHECKING,
    (State.DECLARED, Event.REPLACED): State.DECLARED,
    (State.RECEIVING, Event.REPLACED): State.DECLARED,
    (State.RECEIVING, Event.SENT): State.SEALING,
    (State.SEALING, Event.JOINED): State.CHECKING,
    (State.CHECKING, Event.PROVEN): State.PROCESSING,
    (State.CHECKING, Event.FINISHED): State.READY,
    (State.PROCESSING, Event.FINISHED): State.READY,
    (State.DECLARED, Event.MATCHED): State.DUPLICATE,
    (State.CHECKING, Event.MATCHED): State.DUPLICATE,
    (State.DECLARED, Event.SKIPPED): State.SKIPPED,
    (State.CHECKING, Event.SKIPPED): State.SKIPPED,
    (State.DECLARED, Event.REFUSED): State.REJECTED,
    (State.SEALING, Event.REFUSED): State.REJECTED,
    (State.CHECKING, Event.REFUSED): State.REJECTED,
    (State.DECLARED, Event.CANCELLED): State.CANCELLED,
    (State.RECEIVING, Event.CANCELLED): State.CANCELLED,
    (State.DECLARED, Event.WENT_SILENT): State.EXPIRED,
    (State.RECEIVING, Event.WENT_SILENT): State.EXPIRED,
    (State.SEALING, Event.GAVE_UP): State.FAILED,
    (State.CHECKING, Event.GAVE_UP): State.FAILED,
    (State.PROCESSING, Event.GAVE_UP): State.FAILED,
    (State.FAILED, Event.RETRIED): State.CHECKING,
    (State.EXPIRED, Event.RETRIED): State.DECLARED,
    (State.REJECTED, Event.RETRIED): State.DECLARED,
}

SETTLED = frozenset(
    {
        State.READY,
        State.DUPLICATE,
        State.SKIPPED,
        State.REJECTED,
        State.CANCELLED,
        State.EXPIRED,
        State.FAILED,
    },
)
"""Where an upload rests until somebody retries it."""

TAKES_BYTES = frozenset({State.DECLARED, State.RECEIVING})
"""Where a grant or a PUT makes sense; in any other state it answers `not_receiving`."""


def advance(state: State, event: Event) -> State:
    """Return the state that follows, or raise `IllegalMove`."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise IllegalMove(state, event) from None

"""The state machine is one table, and everything about it follows from the table."""

from itertools import product
from typing import get_args

import pytest

from laydown import wire
from laydown.domain.batch import OnConflict
from laydown.domain.errors import IllegalMove
from laydown.domain.lifecycle import MOVES, SETTLED, TAKES_BYTES, Event, State, advance
from laydown.domain.upload import VerdictKind


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_is_a_move_or_an_error(state, event):
    """What the table has happens; anything else raises and names both."""
    if (state, event) in MOVES:
        assert advance(state, event) is MOVES[state, event]
        return
    with pytest.raises(IllegalMove) as error:
        advance(state, event)
    assert (error.value.state, error.value.event) == (state, event)


def reachable(start: State) -> set[State]:
    """Return the states that some events lead to."""
    found, front = {start}, {start}
    while front:
        front = {MOVES[state, event] for state, event in MOVES if state in front} - found
        found |= front
    return found


def test_every_state_can_be_reached():
    """Nothing in the table is beyond the reach of a declared file."""
    assert reachable(State.DECLARED) == set(State)


@pytest.mark.parametrize("state", [state for state in State if state not in SETTLED])
def test_every_file_can_end(state):
    """From each state on the way, some settled one can be reached."""
    assert reachable(state) & SETTLED


def test_only_a_retry_leaves_a_settled_state():
    """Once settled, nothing but `retried` moves a file, and a success never moves."""
    leaving = {(state, event) for state, event in MOVES if state in SETTLED}
    assert {event for _, event in leaving} == {Event.RETRIED}
    assert {state for state, _ in leaving} == {State.FAILED, State.EXPIRED, State.REJECTED}


def test_who_takes_bytes_can_be_taken_back():
    """A file can be cancelled exactly while it takes bytes."""
    cancellable = {state for state, event in MOVES if event is Event.CANCELLED}
    assert cancellable == TAKES_BYTES


def test_every_event_happens_somewhere():
    """No event is left over."""
    assert {event for _, event in MOVES} == set(Event)


def test_the_wire_says_the_same():
    """The shapes of the API name the same states, verdicts and rules as the domain."""
    assert list(get_args(wire.UploadState)) == [state.value for state in State]
    assert {state.value for state in SETTLED} == wire.SETTLED
    assert list(get_args(wire.VerdictKind)) == [kind.value for kind in VerdictKind]
    assert list(get_args(wire.OnConflict)) == [rule.value for rule in OnConflict]

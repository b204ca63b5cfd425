"""When a store is asked and when it isn't, by a clock that is moved by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from laydown.domain.errors import StoreUnavailable
from laydown.objects.circuit import Circuit

PAUSE = (1.0, 5.0)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Probe:
    """Asks a store that is away until it is back, and counts how often."""

    def __init__(self, circuit: Circuit, *, wait: asyncio.Event | None = None) -> None:
        self.circuit = circuit
        self.wait = wait
        self.is_back = False
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1
        if self.wait is not None:
            await self.wait.wait()
        if not self.is_back:
            raise StoreUnavailable("still away")
        self.circuit.answered()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock) -> Circuit:
    return Circuit(in_a_row=3, pause=PAUSE, clock=clock)


def given_up(circuit: Circuit, clock: Clock, *, times: int) -> None:
    """Let requests fail one after the other, each after a second without an answer."""
    for _ in range(times):
        began = clock.now
        clock.now += 1
        circuit.failed(since=began)


async def is_let_through(circuit: Circuit, probe: Callable[[], Awaitable[None]]) -> bool:
    try:
        await circuit.passed(probe)
    except StoreUnavailable:
        return False
    return True


async def test_few_failures_turn_nobody_away(circuit, clock):
    """Up to two in a row, or any number with an answer in between, every caller goes on."""
    probe = Probe(circuit)
    for _ in range(5):
        given_up(circuit, clock, times=2)
        assert await is_let_through(circuit, probe)
        circuit.answered()
    assert probe.count == 0


async def test_a_failure_while_others_are_answered_says_nothing(circuit, clock):
    """A request that hangs in a store that answers others does not count."""
    for _ in range(10):
        began = clock.now
        clock.now += 1
        circuit.answered()
        clock.now += 1
        circuit.failed(since=began)
    assert await is_let_through(circuit, Probe(circuit))


async def test_a_store_that_is_away_is_asked_once_a_pause(circuit, clock):
    """After three failures callers are turned away; each probe that fails begins another pause."""
    given_up(circuit, clock, times=3)
    probe = Probe(circuit)
    asked: list[float] = []
    end = clock.now + 60
    while clock.now < end:
        before = probe.count
        assert not await is_let_through(circuit, probe)
        asked += [clock.now] * (probe.count - before)
        clock.now += 0.125
    assert 60 / PAUSE[1] - 2 <= len(asked) <= 60 / PAUSE[0]
    assert all(PAUSE[0] <= b - a <= PAUSE[1] + 0.125 for a, b in pairwise(asked))


async def test_one_caller_probes_and_its_answer_lets_all_in(circuit, clock):
    """While one asks the others are turned away; once it was answered all go on."""
    given_up(circuit, clock, times=3)
    clock.now += PAUSE[1]
    probe = Probe(circuit, wait=asyncio.Event())
    asking = asyncio.create_task(is_let_through(circuit, probe))
    await asyncio.sleep(0)
    assert [await is_let_through(circuit, probe) for _ in range(5)] == [False] * 5

    probe.is_back = True
    probe.wait.set()
    assert await asking
    assert [await is_let_through(circuit, probe) for _ in range(5)] == [True] * 5
    assert probe.count == 1


async def test_a_prober_that_leaves_makes_room_for_the_next(circuit, clock):
    """A caller that is cancelled while it asks does not keep others from asking."""
    given_up(circuit, clock, times=3)
    clock.now += PAUSE[1]
    probe = Probe(circuit, wait=asyncio.Event())
    asking = asyncio.create_task(is_let_through(circuit, probe))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])

    probe.is_back = True
    probe.wait.set()
    assert await is_let_through(circuit, probe)


async def test_any_answer_lets_all_in(circuit, clock):
    """What was under way when the store went away notices its return for everybody."""
    given_up(circuit, clock, times=4)
    probe = Probe(circuit)
    assert not await is_let_through(circuit, probe)
    circuit.answered()
    assert await is_let_through(circuit, probe)
    assert probe.count == 0

"""When a client asks again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.client.backoff import FIRST_PAUSE, LONGEST_PAUSE, LONGEST_WISH, pause, wished

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_pause_is_anything_up_to_its_ceiling(attempt: int, chance: float):
    """Jitter is full, and no pause is longer than the longest."""
    longest = pause(attempt, chance=lambda: 1.0)

    assert 0 <= pause(attempt, chance=lambda: chance) <= longest <= LONGEST_PAUSE


def test_ceilings_double_until_the_longest():
    """The first failures cost little."""
    ceilings = [pause(attempt, chance=lambda: 1.0) for attempt in range(8)]

    assert ceilings[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert ceilings[-1] == LONGEST_PAUSE


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("3", 3),
        ("100000", LONGEST_WISH),
        ("-3", 0),
        ("soon", 0),
        (format_datetime(NOW + timedelta(seconds=20)), 20),
        (format_datetime(NOW - timedelta(seconds=20)), 0),
        (format_datetime(NOW + timedelta(days=20)), LONGEST_WISH),
    ],
)
def test_retry_after_is_understood(header: str | None, seconds: float):
    """A number, a date, and nonsense (RFC 9110 §10.2.3)."""
    assert wished(header, now=NOW) == seconds

"""When a job is tried again, and what new things are called."""

import random
import time
from datetime import timedelta

from laydown.domain.jobs import MOST_ATTEMPTS, delay_after, is_last
from laydown.services.identifiers import new_id


def test_delays_grow_and_are_bounded():
    """Each delay is at least half a second; its bound doubles up to five minutes."""
    luck = random.Random(1)
    for attempt in range(1, 30):
        delays = [delay_after(attempt, luck=luck) for _ in range(200)]
        bound = timedelta(seconds=min(300, 2**attempt))
        assert timedelta(seconds=0.5) <= min(delays)
        assert max(delays) <= bound
        assert max(delays) > bound * 0.8


def test_delays_spread():
    """Jobs that fail together don't come back together."""
    luck = random.Random(2)
    assert len({delay_after(5, luck=luck) for _ in range(100)}) == 100


def test_only_the_last_attempt_is_the_last():
    """A job has as many attempts as are promised."""
    assert [is_last(attempt) for attempt in range(1, MOST_ATTEMPTS + 1)].index(True) == (
        MOST_ATTEMPTS - 1
    )


def test_identifiers_are_of_version_7():
    """They carry the time, the version and the variant of RFC 9562, and no two are alike."""
    before = time.time_ns() // 1_000_000
    made = [new_id() for _ in range(1_000)]
    after = time.time_ns() // 1_000_000
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
    assert all(before <= each.int >> 80 <= after for each in made)
    assert len(set(made)) == len(made)
    assert [each.int >> 80 for each in made] == sorted(each.int >> 80 for each in made)

"""How files are cut into parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.plan import (
    LARGEST_FILE,
    MIB,
    S3_LARGEST_OBJECT,
    S3_LARGEST_PART,
    S3_LARGEST_PUT,
    S3_MOST_PARTS,
    S3_SMALLEST_PART,
    SINGLE_UP_TO,
    Plan,
    PlanKind,
    part_range,
    plan_for,
)

SINGLE = Plan(kind=PlanKind.SINGLE, part_size=None, parts=1)

sizes = st.one_of(
    st.integers(0, 200 * MIB),
    st.integers(0, LARGEST_FILE),
    st.integers(0, 9_000).map(lambda parts: parts * 8 * MIB),
    st.integers(1, 9_000).map(lambda parts: parts * 8 * MIB + 1),
)


@pytest.mark.parametrize("size", [0, 1, 5 * MIB, SINGLE_UP_TO])
def test_a_small_file_goes_in_one_piece(size):
    """Up to the threshold, itself included, there is one part and nothing to join."""
    assert plan_for(size) == SINGLE
    assert part_range(SINGLE, size, 1) == (0, size)


@pytest.mark.parametrize(
    ("size", "part_size", "parts"),
    [
        (SINGLE_UP_TO + 1, 8 * MIB, 5),
        (72_000 * MIB, 8 * MIB, 9_000),  # the most that parts of 8 MiB are made for
        (72_000 * MIB + 1, 9 * MIB, 8_001),
        (LARGEST_FILE, 11 * MIB, 8_670),
    ],
)
def test_a_large_file_goes_in_parts(size, part_size, parts):
    """Parts are 8 MiB until 9,000 of them don't suffice, then grow by whole MiB."""
    plan = plan_for(size)
    assert plan == Plan(kind=PlanKind.MULTIPART, part_size=part_size, parts=parts)


def test_the_threshold_is_a_choice():
    """A setting moves it; a file that is one part anyway is never multipart."""
    assert plan_for(100 * MIB, single_up_to=100 * MIB) == SINGLE
    assert plan_for(8 * MIB, single_up_to=0) == SINGLE
    assert plan_for(8 * MIB + 1, single_up_to=0).parts == 2


@given(sizes, st.sampled_from([0, SINGLE_UP_TO, S3_LARGEST_PUT]))
def test_every_plan_is_one_that_s3_takes(size, single_up_to):
    """Never more than 10,000 parts, none too large, none but the last too small."""
    plan = plan_for(size, single_up_to=single_up_to)
    assert 1 <= plan.parts <= S3_MOST_PARTS
    if plan.part_size is None:
        assert size <= max(single_up_to, 8 * MIB)
    else:
        assert S3_SMALLEST_PART <= plan.part_size <= S3_LARGEST_PART
        assert plan.part_size % MIB == 0


@given(sizes, st.integers(1, 9_000))
def test_parts_cover_the_file_without_gap_or_overlap(size, number):
    """A part begins where the one before ends; the first begins the file, the last ends it."""
    plan = plan_for(size)
    number = min(number, plan.parts)
    offset, length = part_range(plan, size, number)
    if number == 1:
        assert offset == 0
    else:
        before, previous = part_range(plan, size, number - 1)
        assert offset == before + previous
        assert previous == plan.part_size
    if number == plan.parts:
        assert offset + length == size
    assert length > 0 or size == 0


@pytest.mark.parametrize("size", [-1, S3_LARGEST_OBJECT, S3_LARGEST_OBJECT + 1])
def test_no_plan_for_what_can_not_be_stored(size):
    """Negative sizes, and those that no 9,000 parts hold, are refused."""
    with pytest.raises(ValueError, match="bytes"):
        plan_for(size)


@pytest.mark.parametrize("single_up_to", [-1, S3_LARGEST_PUT + 1])
def test_no_single_request_beyond_s3(single_up_to):
    """A threshold that S3 would refuse is refused here."""
    with pytest.raises(ValueError, match="single request"):
        plan_for(1, single_up_to=single_up_to)


@pytest.mark.parametrize("number", [0, -1, 6])
def test_a_part_outside_the_plan_is_refused(number):
    """Parts count from 1 to their number."""
    plan = plan_for(SINGLE_UP_TO + 1)
    with pytest.raises(ValueError, match="no part"):
        part_range(plan, SINGLE_UP_TO + 1, number)


def test_a_plan_belongs_to_a_size():
    """Asking for a range of another size is a mistake, not another range."""
    with pytest.raises(ValueError, match="are not"):
        part_range(plan_for(SINGLE_UP_TO + 1), SINGLE_UP_TO * 2, 1)

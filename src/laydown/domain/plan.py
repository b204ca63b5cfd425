"""How a file is cut: in one piece, or in parts that travel side by side and resume one by one."""

from dataclasses import dataclass
from enum import StrEnum

MIB = 1 << 20  # bytes
GIB = 1 << 30
TIB = 1 << 40

# "Amazon S3 multipart upload limits", Amazon S3 User Guide. They hold on every store, so that a
# plan made in embedded mode is one that S3 takes too.
S3_MOST_PARTS = 10_000
S3_SMALLEST_PART = 5 * MIB  # the last part may be smaller
S3_LARGEST_PART = 5 * GIB
S3_LARGEST_PUT = 5 * GIB  # of an object in one request
S3_LARGEST_OBJECT = int(48.8 * TIB)

LARGEST_FILE = 100 * 10**9
"""Bytes the product takes in one file: the largest object the malware scanner of AWS judges."""

SINGLE_UP_TO = 32 * MIB
"""Up to here one request is simpler and as fast; a broken one costs at most these bytes again."""

_SMALLEST_PART = 8 * MIB  # 5 MiB would do; fewer requests and flushes are worth more
_AIMED_PARTS = 9_000  # below 10,000, so that rounding up leaves room


class PlanKind(StrEnum):
    """Whether the parts of a file need joining."""

    SINGLE = "single"
    MULTIPART = "multipart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a file's bytes are to be sent."""

    kind: PlanKind
    part_size: int | None  # bytes of every part but the last; None: the file is the part
    parts: int  # at least 1


_IN_ONE_PIECE = Plan(kind=PlanKind.SINGLE, part_size=None, parts=1)


def plan_for(size: int, *, single_up_to: int = SINGLE_UP_TO) -> Plan:
    """Return the plan for a file of *size* bytes; at most *single_up_to* bytes go in one piece.

    Parts of max(8 MiB, size / 9,000 rounded up to a MiB) stay under S3's 10,000 at any size, and
    whole MiB keep offsets aligned. Raises `ValueError` for what S3 could not hold.
    """
    if not 0 <= size <= S3_LARGEST_OBJECT:
        raise ValueError(f"no object has {size} bytes")
    if not 0 <= single_up_to <= S3_LARGEST_PUT:
        raise ValueError(f"no single request carries {single_up_to} bytes")
    if size <= max(single_up_to, _SMALLEST_PART):
        return _IN_ONE_PIECE
    part_size = max(_SMALLEST_PART, _rounded_up(-(-size // _AIMED_PARTS), MIB))
    parts = -(-size // part_size)
    if part_size > S3_LARGEST_PART:
        raise ValueError(f"{size} bytes need parts larger than S3 takes")
    return Plan(kind=PlanKind.MULTIPART, part_size=part_size, parts=parts)


def part_range(plan: Plan, size: int, number: int) -> tuple[int, int]:
    """Return the offset and length in bytes of part *number*, counted from 1, of *size* bytes.

    Raises `ValueError` for a number the plan doesn't have, or a size it was not made for.
    """
    if not 1 <= number <= plan.parts:
        raise ValueError(f"there is no part {number} of {plan.parts}")
    if plan.part_size is None:
        return 0, size
    if -(-size // plan.part_size) != plan.parts:
        raise ValueError(f"{plan.parts} parts of {plan.part_size} bytes are not {size} bytes")
    offset = (number - 1) * plan.part_size
    return offset, min(plan.part_size, size - offset)


def _rounded_up(number: int, step: int) -> int:
    return -(-number // step) * step

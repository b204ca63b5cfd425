"""Lists are read a page at a time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which rows of a list: those after the cursor, at most so many."""

    after: str | None = None  # what the last row of the previous page said, opaque to callers
    limit: int = 100

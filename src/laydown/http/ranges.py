"""Parts of content, as `Range` asks for them (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

from laydown.domain.errors import RangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,30})-([0-9]{0,30})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a whole: the first one's offset, and how many there are."""

    start: int
    length: int

    def content_range(self, size: int) -> str:
        """Return the header that says which bytes of *size* these are."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def asked(header: str | None, *, size: int) -> Span | None:
    """Return the span that a `Range` header asks for, None for the whole.

    What is no range of bytes, or several ranges at once, is ignored, as the RFC allows. Raises
    `RangeNotSatisfiable` for a range that begins behind the end.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(int(last), size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable(f"The content has {size:,} bytes.")
    end = min(int(last), size - 1) if last else size - 1
    return Span(start, end - start + 1)


def _suffix(length: int, size: int) -> Span | None:
    if length == 0:
        raise RangeNotSatisfiable("The last 0 bytes are no range.")
    if size == 0:
        return None  # all of nothing, which no Content-Range can say
    return Span(max(0, size - length), min(length, size))

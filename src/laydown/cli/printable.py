"""Names, sizes and times as a terminal can show them."""

from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size

_KILO = 1_000
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF  # surrogate escapes of bytes that are no text (PEP 383)
_SHORTEST = 3  # cells in which an ellipsis still has company


def printable(text: str) -> str:
    """Return a name in which nothing moves the cursor, reverses text or breaks the encoding."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def shortened(text: str, width: int) -> str:
    """Return a printable name in at most *width* cells, the middle left out if need be.

    The end keeps more than the beginning: that is where the file's own name is.
    """
    text = printable(text)
    if cell_len(text) <= width:
        return text
    if width < _SHORTEST:
        return set_cell_size(text, max(width, 0))
    tail_width = (width - 1) * 2 // 3
    tail = text[-tail_width:]
    while cell_len(tail) > tail_width:
        tail = tail[1:]
    head = set_cell_size(text, width - 1 - cell_len(tail)).rstrip()
    return f"{head}…{tail}"


def size(count: float) -> str:
    """Return bytes as people say them: `74.8 MB`."""
    amount, unit = float(count), 0
    while amount >= _KILO and unit < len(_UNITS) - 1:
        amount, unit = amount / _KILO, unit + 1
    if unit == 0:
        return "1 byte" if amount == 1 else f"{amount:.0f} bytes"
    return f"{amount:.1f} {_UNITS[unit]}"


def files(count: int) -> str:
    """Return a number of files."""
    return "1 file" if count == 1 else f"{count:,} files"


def duration(seconds: float) -> str:
    """Return a time span, coarser the longer it is."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - digits
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:.0f} h"


def moment(when: datetime | None) -> str:
    """Return a point in time, in this machine's zone."""
    return (
        ""
        if when is None
        else when.replace(tzinfo=when.tzinfo or UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    )


def _escaped(char: str) -> str:
    code = ord(char)
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - _FIRST_BYTE + 0x80:02x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - two digits

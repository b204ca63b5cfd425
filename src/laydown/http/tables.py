"""Tables for spreadsheets (RFC 4180, UTF-8), written row by row, however many there are."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from typing import Any

import msgspec

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

# Spreadsheets run cells that begin like this (OWASP, "CSV Injection"); an apostrophe stops them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes UTF-8 for the system's old code page


def cell(value: object) -> object:
    """Return a value as a spreadsheet may have it: text that looks like a formula is defused."""
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


async def table(shape: type, pages: AsyncIterator[Sequence[Any]]) -> AsyncIterator[bytes]:
    """Yield a table of wire shapes, one row each; its columns are the fields of *shape*."""
    text = io.StringIO()
    rows = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    text.write(_BYTE_ORDER_MARK)
    rows.writerow([field.name for field in fields(shape)])
    yield text.getvalue().encode()
    async for page in pages:
        text.seek(0)
        text.truncate()
        plain: list[dict[str, object]] = msgspec.to_builtins(page)
        rows.writerows([cell(value) for value in row.values()] for row in plain)
        yield text.getvalue().encode()

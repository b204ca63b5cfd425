"""Pages of lists: a clamped limit, and a cursor that only we can read."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BeforeValidator

from laydown.domain.errors import InvalidRequest
from laydown.http.bodies import UNSOUND
from laydown.ports import Page

T = TypeVar("T")

LARGEST_PAGE = 1_000
_LARGEST_NUMBER = 2**63 - 1  # bigint of Postgres

_LIMIT = Query(description=f"How many at most; 1 to {LARGEST_PAGE:,}, clamped.")
_CURSOR = Query(description="`next_cursor` of the page before.", max_length=4_096)

Text = Annotated[str | None, Query(max_length=1_024, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A text to filter by, or none."""

_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written_out(given: object) -> object:
    if isinstance(given, str) and not _DATE_AND_TIME.match(given):
        raise ValueError("Expected a date and a time, as in RFC 3339")
    return given


Moment = Annotated[datetime, BeforeValidator(_written_out)]
"""A point in time to filter by, and no number, which pydantic would take for seconds."""


def number(text: str) -> str:
    """Return *text* if it is a number that a cursor may hold, else raise `ValueError`."""
    if not text.isascii() or not text.isdigit() or int(text) > _LARGEST_NUMBER:
        raise ValueError(text)
    return text


def identifier(text: str) -> str:
    """Return *text* if it is an id, else raise `ValueError`."""
    return str(UUID(text))


def words(text: str) -> str:
    """Return *text* if the ledger can compare it, else raise `ValueError`."""
    if UNSOUND.search(text):
        raise ValueError(text)
    return text


def paged(shape: Callable[[str], str]) -> Any:  # noqa: ANN401 - what FastAPI's Depends is
    """Return the dependency that reads `limit` and `cursor`; *shape* checks what cursors hold.

    It asks for one row more than the client did, which `cut` takes away again.
    """

    async def page(
        limit: Annotated[int, _LIMIT] = 100, cursor: Annotated[str | None, _CURSOR] = None
    ) -> Page:
        after = None if cursor is None else opened(cursor, shape)
        return Page(after=after, limit=max(1, min(limit, LARGEST_PAGE)) + 1)

    return Depends(page)


def cut(rows: Sequence[T], page: Page, after: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """Return the rows of a page, and the cursor of the next one, None when this is the last."""
    if len(rows) < page.limit:
        return rows, None
    kept = rows[: page.limit - 1]
    return kept, sealed(after(kept[-1]))


def sealed(after: str) -> str:
    """Return the cursor for the rows after *after*."""
    return base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def opened(cursor: str, shape: Callable[[str], str]) -> str:
    """Return what `sealed` took, or raise `InvalidRequest` for a cursor that we never gave."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return shape(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError):
        fault = ("/query/cursor", "Not a cursor of this list")
        raise InvalidRequest("A parameter of the request can't be read.", (fault,)) from None

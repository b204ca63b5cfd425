"""Transactions that met others are done again before anybody hears of it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from laydown.domain.errors import Conflict

T = TypeVar("T")

_TIMES = 4


async def repeated(transaction: Callable[[], Awaitable[T]]) -> T:
    """Return what a whole transaction returns, done again when another one was in its way.

    Raises `Conflict` only when that happens several times in a row.
    """
    for _ in range(_TIMES - 1):
        try:
            return await transaction()
        except Conflict:
            continue
    return await transaction()

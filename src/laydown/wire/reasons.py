"""The catalogue of reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonText:
    """What a reason means, and what to do about it."""

    code: str
    severity: Literal["info", "error"]
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """All reasons there are."""

    items: Sequence[ReasonText]

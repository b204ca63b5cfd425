"""What a malware scanner says about bytes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NOBODY: Final = "none"
"""Stands where a scanner's name would, for bytes that were taken without being looked through."""


UNSCANNED: Final = "unscanned"
"""Stands there for bytes that a scanner could not judge and that were accepted all the same."""


class Verdict(StrEnum):
    """What was found in an object."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNABLE = "unscannable"  # too large, encrypted or of an unsupported kind: nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One look through an object."""

    scanner: str  # its name, such as `clamav`
    verdict: Verdict
    threat: str | None = None  # what it is called, or why it could not be scanned
    version: str | None = None  # the store's name of the bytes it looked at, if it has one

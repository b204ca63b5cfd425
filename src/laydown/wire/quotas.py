"""Quotas, and what is used of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much an organization, or one of its projects, may use; null: as much as it likes."""

    bytes: int | None = None  # of what is on its way or published
    files: int | None = None  # on their way or published, linked ones too
    uploads: int | None = None  # on their way at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is used now, counted as quotas count it, and the quota that binds it."""

    bytes: int
    files: int
    uploads: int
    quota: Quota

"""Quotas: how much an organization and its projects may use, and what each upload uses of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID

from laydown.domain.access import PrincipalId
from laydown.domain.lifecycle import SETTLED, State
from laydown.domain.upload import ProjectId, Upload

MOST = (1 << 63) - 1
"""The largest quota: what the ledger's numbers hold."""


class Measure(StrEnum):
    """What is counted; the names of the fields of `Usage` and `Quota`."""

    BYTES = "bytes"  # declared sizes of what is in flight or published
    FILES = "files"  # in flight or published, linked ones too
    UPLOADS = "uploads"  # in flight at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """An amount of each measure."""

    bytes: int = 0
    files: int = 0
    uploads: int = 0

    def __add__(self, other: Self) -> Self:
        """Return both together."""
        return type(self)(
            bytes=self.bytes + other.bytes,
            files=self.files + other.files,
            uploads=self.uploads + other.uploads,
        )

    def __sub__(self, other: Self) -> Self:
        """Return what is left without *other*."""
        return type(self)(
            bytes=self.bytes - other.bytes,
            files=self.files - other.files,
            uploads=self.uploads - other.uploads,
        )


NOTHING = Usage()
LINK = Usage(files=1)
"""What a file uses whose bytes were here already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much may be used of each measure; None: as much as it likes."""

    project: ProjectId | None  # None: the whole organization
    bytes: int | None = None
    files: int | None = None
    uploads: int | None = None
    link: PrincipalId | None = None  # what came through this drop link, and nothing else

    @property
    def holder(self) -> UUID | None:
        """Whose quota it is: a link's, a project's, or with None the organization's."""
        return self.link or self.project

    @property
    def is_unlimited(self) -> bool:
        """Whether it allows everything."""
        return self.bytes is None and self.files is None and self.uploads is None


def usage_of(upload: Upload) -> Usage:
    """Return what one upload uses; the ledger's function of this name is held to it."""
    is_in_flight = upload.state not in SETTLED
    if not is_in_flight and upload.state not in (State.READY, State.DUPLICATE):
        return NOTHING
    has_bytes = upload.state is not State.DUPLICATE and upload.leader is None  # a twin has none
    return Usage(
        bytes=upload.entry.size if has_bytes else 0, files=1, uploads=1 if is_in_flight else 0
    )


class Room:
    """What the quotas of an organization leave, while file after file is taken in or let go.

    *used* is by the quotas' holders; what no quota binds needn't be in it.
    """

    def __init__(self, quotas: Sequence[Quota], used: Mapping[UUID | None, Usage]) -> None:
        self._quotas = quotas
        self._used = {quota.holder: used.get(quota.holder, NOTHING) for quota in quotas}

    @property
    def is_limited(self) -> bool:
        """Whether there is any quota."""
        return bool(self._quotas)

    def take(self, project: ProjectId, wanted: Usage) -> str | None:
        """Count *wanted* as used; where it doesn't fit, count nothing and return why."""
        for quota in self._binding(project):
            if short := _short(quota, self._used[quota.holder], wanted):
                return short
        for quota in self._binding(project):
            self._used[quota.holder] += wanted
        return None

    def give_back(self, project: ProjectId, usage: Usage) -> None:
        """Count *usage* as used no longer."""
        for quota in self._binding(project):
            self._used[quota.holder] -= usage

    def excess(self, project: ProjectId | None) -> str | None:
        """Return which quota is exceeded by what is stored, None when none is.

        Uploads under way are left out: one that ends is one less.
        """
        for quota in self._binding(project):
            used = self._used[quota.holder]
            for measure in (Measure.BYTES, Measure.FILES):
                most = getattr(quota, measure)
                if most is not None and getattr(used, measure) > most:
                    return f"{_told(quota, measure)}; {getattr(used, measure):,} are used"
        return None

    @property
    def is_exceeded(self) -> bool:
        """Whether what is stored exceeds any quota."""
        return any(self.excess(quota.project) for quota in self._quotas)

    def _binding(self, project: ProjectId | None) -> Sequence[Quota]:
        return [quota for quota in self._quotas if quota.project in (None, project)]


def _short(quota: Quota, used: Usage, wanted: Usage) -> str | None:
    """Return why *wanted* does not fit into a quota, and how much would; None when it does."""
    for measure in Measure:
        most, needed = getattr(quota, measure), getattr(wanted, measure)
        if most is None or not needed:
            continue
        left = max(most - getattr(used, measure), 0)
        if needed > left:
            have = f"{left:,} left" if left else "nothing left"
            asks = f", this file has {needed:,}" if measure is Measure.BYTES else ""
            return f"{_told(quota, measure)}; {have}{asks}"
    return None


def _told(quota: Quota, measure: Measure) -> str:
    whose = "link" if quota.link else "project" if quota.project else "organization"
    most = getattr(quota, measure)
    what = "uploads under way at once" if measure is Measure.UPLOADS else measure
    return f"the {whose} has a quota of {most:,} {what}"

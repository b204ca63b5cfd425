"""One delivery: files declared together, tracked to the last one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from laydown.domain.access import PrincipalId
from laydown.domain.lifecycle import SETTLED, State
from laydown.domain.reasons import Reason
from laydown.domain.upload import BatchId, OrganizationId, ProjectId

ENTRIES_PER_REQUEST = 5_000
ENTRIES_PER_BATCH = 100_000


class OnConflict(StrEnum):
    """What becomes of a file whose path has a document with other content."""

    NEW_VERSION = "new_version"
    SKIP = "skip"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A construction project."""

    id: ProjectId
    organization: OrganizationId
    code: str
    name: str
    time_zone: str | None
    position: tuple[float, float] | None  # latitude, longitude in degrees (WGS 84)
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A delivery; open until closed."""

    id: BatchId
    organization: OrganizationId
    project: ProjectId
    reference: str
    label: str | None
    on_conflict: OnConflict
    declared_by: PrincipalId
    created_at: datetime
    closed_at: datetime | None
    declared_by_name: str | None = None  # a member's, or for whom a drop link is

    @property
    def is_open(self) -> bool:
        """Whether it takes entries."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A batch in numbers; the counts by state add up to what was declared."""

    counts: Mapping[State, int] = field(default_factory=dict)
    sizes: Mapping[State, int] = field(default_factory=dict)  # declared bytes by state
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    received: int = 0  # durable bytes
    last_moved_at: datetime | None = None  # when an upload last changed

    @property
    def declared(self) -> int:
        """The number of files declared."""
        return sum(self.counts.values())

    @property
    def declared_bytes(self) -> int:
        """The bytes of all files declared."""
        return sum(self.sizes.values())

    @property
    def is_settled(self) -> bool:
        """Whether every file has reached a settled state."""
        return all(state in SETTLED for state, count in self.counts.items() if count)

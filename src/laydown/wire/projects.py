"""Projects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on Earth, WGS 84."""

    latitude: float  # degrees, north positive
    longitude: float  # degrees, east positive


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What `POST /v1/projects` takes."""

    code: str
    name: str | None = None
    time_zone: str | None = None  # IANA name
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChange:
    """What `PATCH /v1/projects/{id}` takes; absent fields stay as they are."""

    name: str | None = None
    time_zone: str | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A construction project."""

    id: UUID
    code: str
    name: str
    created_at: datetime
    time_zone: str | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage:
    """Some projects, and where the next page begins."""

    items: Sequence[Project]
    next_cursor: str | None = None

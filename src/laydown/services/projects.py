"""Projects: what documents belong to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from laydown.domain.batch import Project
from laydown.domain.errors import InvalidRequest
from laydown.domain.upload import ProjectId
from laydown.ports import Ledger, Page
from laydown.services.identifiers import new_id
from laydown.services.identity import Caller

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_LONGEST_NAME = 200
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True)
class Projects:
    """Use cases around projects."""

    ledger: Ledger

    async def create(
        self,
        caller: Caller,
        *,
        code: str,
        name: str | None,
        time_zone: str | None,
        position: tuple[float, float] | None,
    ) -> Project:
        """Make a project; raise `ProjectExists` or `InvalidRequest`."""
        if not _CODE.fullmatch(code):
            raise InvalidRequest(
                "a project code has 1 to 64 letters, digits, dots, hyphens or underscores, "
                "and begins with a letter or digit",
                (("/code", f"{code[:80]!r} is not such a code"),),
            )
        project = Project(
            id=ProjectId(new_id()),
            organization=caller.organization,
            code=code,
            name=name or code,
            time_zone=time_zone,
            position=position,
            created_at=_EPOCH,  # the ledger's clock decides
        )
        _check(project)
        async with self.ledger.begin(caller.organization) as tx:
            return await tx.add_project(project)

    async def change(
        self,
        caller: Caller,
        project_id: ProjectId,
        *,
        name: str | None,
        time_zone: str | None,
        position: tuple[float, float] | None,
    ) -> Project:
        """Change what is given; raise `NotFound` or `InvalidRequest`."""
        async with self.ledger.begin(caller.organization) as tx:
            project = await tx.project(project_id)
            changed = replace(
                project,
                name=name or project.name,
                time_zone=time_zone or project.time_zone,
                position=position or project.position,
            )
            _check(changed)
            return await tx.change_project(changed)

    async def get(self, caller: Caller, project_id: ProjectId) -> Project:
        """Return a project, or raise `NotFound`."""
        async with self.ledger.begin(caller.organization) as tx:
            return await tx.project(project_id)

    async def page(
        self, caller: Caller, page: Page, *, code: str | None = None
    ) -> Sequence[Project]:
        """Return projects by code; the cursor is the case-folded code."""
        async with self.ledger.begin(caller.organization) as tx:
            return await tx.projects(page, code=code)


def _check(project: Project) -> None:
    """Raise `InvalidRequest` for facts that can't be true of a project."""
    if not 0 < len(project.name) <= _LONGEST_NAME or not project.name.isprintable():
        raise InvalidRequest(
            f"a project's name has 1 to {_LONGEST_NAME} printable characters",
            (("/name", "too long, empty or unprintable"),),
        )
    if project.time_zone is not None and not _is_time_zone(project.time_zone):
        raise InvalidRequest(
            "a time zone is an IANA name such as Europe/Zurich",
            (("/time_zone", f"{project.time_zone[:80]!r} is not one"),),
        )
    if project.position is not None:
        latitude, longitude = project.position
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees
            raise InvalidRequest(
                "a position has a latitude of -90 to 90 and a longitude of -180 to 180 degrees",
                (("/position", "off the Earth"),),
            )


def _is_time_zone(name: str) -> bool:
    """Say whether there is a time zone of this name; listing all of them reads 600 files."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True

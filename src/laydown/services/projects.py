"""Projects: what documents belong to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from laydown.domain.access import Act
from laydown.domain.audit import Deed
from laydown.domain.batch import Project
from laydown.domain.errors import InvalidRequest
from laydown.domain.people import LONGEST_LABEL, is_label
from laydown.domain.upload import ProjectId
from laydown.ports import Ledger, Page
from laydown.services.access import allow, project_for
from laydown.services.identifiers import EPOCH, new_id
from laydown.services.identity import Caller

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


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
        """Make a project; raise `Forbidden`, `ProjectExists` or `InvalidRequest`."""
        allow(caller, Act.MAKE_PROJECT)
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
            created_at=EPOCH,  # the ledger's clock decides
        )
        _check(project)
        async with self.ledger.begin(caller.organization) as tx:
            made = await tx.add_project(project)
            await tx.note(
                caller.did(Deed.PROJECT_MADE, subject=made.id, project=made.id, code=made.code)
            )
            return made

    async def change(
        self,
        caller: Caller,
        project_id: ProjectId,
        *,
        name: str | None,
        time_zone: str | None,
        position: tuple[float, float] | None,
    ) -> Project:
        """Change what is given; raise `NotFound`, `Forbidden` or `InvalidRequest`."""
        async with self.ledger.begin(caller.organization) as tx:
            project = await project_for(tx, caller, Act.CHANGE_PROJECT, project_id)
            changed = replace(
                project,
                name=name or project.name,
                time_zone=time_zone or project.time_zone,
                position=position or project.position,
            )
            _check(changed)
            await tx.note(caller.did(Deed.PROJECT_CHANGED, subject=project_id, project=project_id))
            return await tx.change_project(changed)

    async def get(self, caller: Caller, project_id: ProjectId) -> Project:
        """Return a project, or raise `NotFound`."""
        async with self.ledger.begin(caller.organization) as tx:
            return await project_for(tx, caller, Act.SEE_PROJECT, project_id)

    async def page(
        self, caller: Caller, page: Page, *, code: str | None = None
    ) -> Sequence[Project]:
        """Return projects that the caller sees, by code; the cursor is the case-folded code."""
        visible = caller.rights.where(Act.SEE_PROJECT)
        async with self.ledger.begin(caller.organization) as tx:
            return await tx.projects(page, visible=visible, code=code)


def _check(project: Project) -> None:
    """Raise `InvalidRequest` for facts that can't be true of a project."""
    if not is_label(project.name):
        raise InvalidRequest(
            f"a project's name has 1 to {LONGEST_LABEL} printable characters",
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

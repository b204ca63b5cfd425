"""Who may do what: one table, from which the documents and the tests are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NewType
from uuid import UUID

from laydown.domain.upload import ProjectId

PrincipalId = NewType("PrincipalId", UUID)
"""A member's id, or a drop link's: whoever delivers."""


class Role(StrEnum):
    """What a member is, in the whole organization or in one project."""

    OWNER = "owner"  # answers for the organization
    MANAGER = "manager"  # runs projects, and decides who takes part
    CONTRIBUTOR = "contributor"  # delivers, and reads everything
    UPLOADER = "uploader"  # delivers, and sees nothing but that
    VIEWER = "viewer"  # reads


class Act(StrEnum):
    """What a caller may want to do; most acts are done in one project."""

    SEE_PROJECT = "see_project"
    MAKE_PROJECT = "make_project"
    CHANGE_PROJECT = "change_project"
    DELIVER = "deliver"  # declare, send, complete, close, take back, try again
    SEE_OWN_DELIVERIES = "see_own_deliveries"
    SEE_DELIVERIES = "see_deliveries"  # of everybody
    READ_DOCUMENTS = "read_documents"
    MANAGE_LINKS = "manage_links"
    MANAGE_MEMBERS = "manage_members"  # and the tokens of others
    OPERATE = "operate"  # jobs that failed, scanning again
    READ_AUDIT = "read_audit"
    SET_QUOTAS = "set_quotas"


_DELIVERING = frozenset({Act.DELIVER, Act.SEE_OWN_DELIVERIES})
_READING = frozenset(
    {Act.SEE_PROJECT, Act.SEE_OWN_DELIVERIES, Act.SEE_DELIVERIES, Act.READ_DOCUMENTS}
)
_EVERYTHING = frozenset(Act)

MAY: Mapping[Role, frozenset[Act]] = MappingProxyType(
    {
        Role.OWNER: _EVERYTHING,
        Role.MANAGER: _EVERYTHING - {Act.SET_QUOTAS},
        Role.CONTRIBUTOR: _READING | _DELIVERING,
        Role.UPLOADER: _DELIVERING | {Act.SEE_PROJECT},
        Role.VIEWER: _READING,
    }
)
"""What each role allows. A member has what the roles in the organization and the project add up to;
a token of theirs may have less, never more."""

LINK_MAY = _DELIVERING
"""What a drop link allows, in its project: to deliver, and to see what it delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a caller may do: everywhere in the organization, and beyond that in some projects."""

    everywhere: frozenset[Act] = frozenset()
    in_projects: Mapping[ProjectId, frozenset[Act]] = field(default_factory=dict)

    def may(self, act: Act, project: ProjectId | None = None) -> bool:
        """Say whether *act* is allowed in *project*; None: in the whole organization."""
        if act in self.everywhere:
            return True
        return project is not None and act in self.in_projects.get(project, frozenset())

    def where(self, act: Act) -> frozenset[ProjectId] | None:
        """Return the projects in which *act* is allowed; None: in all of them."""
        if act in self.everywhere:
            return None
        return frozenset(id_ for id_, acts in self.in_projects.items() if act in acts)

    def acts(self) -> frozenset[Act]:
        """Return everything that is allowed anywhere."""
        return self.everywhere.union(*self.in_projects.values())

    def include(self, others: "Rights") -> bool:
        """Say whether these allow all that *others* do."""
        return others.everywhere <= self.everywhere and all(
            self.may(act, project) for project, acts in others.in_projects.items() for act in acts
        )

    def covers(self, role: Role, project: ProjectId | None) -> bool:
        """Say whether these include all that *role* allows: nobody gives more than they have."""
        return all(self.may(act, project) for act in MAY[role])


def rights_of(
    role: Role | None,
    project_roles: Mapping[ProjectId, Role],
    *,
    most: Role | None = None,
    only: ProjectId | None = None,
) -> Rights:
    """Return what a member's roles add up to.

    A token that says so allows at *most* what that role does, and *only* in one project.
    """
    limit = _EVERYTHING if most is None else MAY[most]
    everywhere = limit & (frozenset() if role is None else MAY[role])
    in_projects = {
        project: (limit & MAY[given]) | everywhere for project, given in project_roles.items()
    }
    if only is None:
        return Rights(everywhere=everywhere, in_projects=in_projects)
    return Rights(in_projects={only: in_projects.get(only, everywhere)})

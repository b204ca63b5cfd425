"""Members: who belongs to an organization, and what they are there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from laydown.domain.access import Act, PrincipalId, Role
from laydown.domain.audit import Deed
from laydown.domain.errors import Forbidden, InvalidRequest, LastOwner, NotFound
from laydown.domain.people import LONGEST_LABEL, Member, PrincipalKind, is_label
from laydown.domain.upload import ProjectId
from laydown.ports import Ledger, Page, Tx
from laydown.services.access import allow, project_for
from laydown.services.completing import give_up_deliveries
from laydown.services.identifiers import EPOCH, new_id
from laydown.services.identity import Caller

_LONGEST_ADDRESS = 254  # characters: RFC 5321 §4.5.3.1.3, less the angle brackets


@dataclass(frozen=True, kw_only=True)
class Members:
    """Use cases of those who decide who takes part.

    Nobody gives a role that allows more than they may themselves, and nobody changes or removes
    a member who may do more.
    """

    ledger: Ledger

    async def add(
        self, caller: Caller, *, name: str, email: str | None, role: Role | None
    ) -> Member:
        """Make somebody a member; raise `Forbidden`, `MemberExists` or `InvalidRequest`.

        With an e-mail address, whoever proves to have it to the identity provider is this member.
        """
        allow(caller, Act.MANAGE_MEMBERS)
        _check_may_give(caller, role, None)
        member = Member(
            id=PrincipalId(new_id()),
            organization=caller.organization,
            name=label(name, "/name"),
            email=_address(email),
            role=role,
            created_at=EPOCH,
        )
        async with self.ledger.begin(caller.organization) as tx:
            made = await tx.add_member(member)
            await tx.note(
                caller.did(
                    Deed.MEMBER_ADDED, subject=made.id, name=made.name, role=str(role or "none")
                )
            )
            return made

    async def organization(self, caller: Caller) -> str:
        """Return what the caller's organization is called."""
        async with self.ledger.snapshot(caller.organization) as tx:
            return await tx.organization_name()

    async def page(
        self, caller: Caller, page: Page, *, project: ProjectId | None = None
    ) -> Sequence[Member]:
        """Return members by id; with *project*, those who have a role in it."""
        async with self.ledger.snapshot(caller.organization) as tx:
            if project is None:
                allow(caller, Act.MANAGE_MEMBERS)
            else:
                await project_for(tx, caller, Act.MANAGE_MEMBERS, project)
            return await tx.members(page, project=project)

    async def get(self, caller: Caller, member_id: PrincipalId) -> Member:
        """Return a member; everybody may read about themselves. Raises `NotFound`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            return await _seen(tx, caller, member_id)

    async def change(
        self,
        caller: Caller,
        member_id: PrincipalId,
        *,
        name: str | None,
        email: str | None,
        role: Role | None,
        drops_role: bool = False,
    ) -> Member:
        """Change what is given; *drops_role* takes the role in the organization.

        Raises `NotFound`, `Forbidden`, `MemberExists`, `LastOwner` or `InvalidRequest`.
        """
        async with self.ledger.begin(caller.organization) as tx:
            before = await _changed(tx, caller, member_id)
            after = replace(
                before,
                name=before.name if name is None else label(name, "/name"),
                email=before.email if email is None else _address(email),
                role=None if drops_role else before.role if role is None else role,
            )
            if after.role is not before.role:
                _check_may_give(caller, after.role, None)
                await _keep_an_owner(tx, before)
            await tx.change_member(after)
            await tx.note(
                caller.did(
                    Deed.MEMBER_CHANGED,
                    subject=member_id,
                    name=after.name,
                    role=str(after.role or "none"),
                )
            )
            return after

    async def remove(self, caller: Caller, member_id: PrincipalId) -> None:
        """End a membership at once; what they were delivering is given up.

        Raises `NotFound`, `Forbidden` or `LastOwner`.
        """
        async with self.ledger.begin(caller.organization) as tx:
            member = await _changed(tx, caller, member_id)
            await _keep_an_owner(tx, member)
            await tx.remove_member(member_id)
            await give_up_deliveries(tx, member_id)
            await tx.note(caller.did(Deed.MEMBER_REMOVED, subject=member_id, name=member.name))

    async def give_role(
        self, caller: Caller, project_id: ProjectId, member_id: PrincipalId, role: Role | None
    ) -> Member:
        """Write a member's role in a project; None takes it. Repeatable.

        Raises `NotFound` and `Forbidden`.
        """
        async with self.ledger.begin(caller.organization) as tx:
            await project_for(tx, caller, Act.MANAGE_MEMBERS, project_id)
            member = await tx.member(member_id, lock=True)
            before = member.project_roles.get(project_id)
            _check_may_give(caller, before, project_id)
            _check_may_give(caller, role, project_id)
            await tx.give_role(member_id, project_id, role)
            deed = Deed.ROLE_TAKEN if role is None else Deed.ROLE_GIVEN
            await tx.note(
                caller.did(
                    deed,
                    subject=member_id,
                    project=project_id,
                    name=member.name,
                    role=str(role or before or "none"),
                )
            )
            return await tx.member(member_id)


def label(text: str, pointer: str) -> str:
    """Return *text* if it is fit to be shown as a name, else raise `InvalidRequest`."""
    text = text.strip()
    if not is_label(text):
        fault = (pointer, f"Expected 1 to {LONGEST_LABEL} printable characters")
        raise InvalidRequest("The body is not what this route takes.", (fault,))
    return text


async def _seen(tx: Tx, caller: Caller, member_id: PrincipalId) -> Member:
    """Return a member that the caller may read about, or raise `NotFound`."""
    is_self = caller.kind is PrincipalKind.MEMBER and member_id == caller.principal
    if not is_self and not caller.rights.may(Act.MANAGE_MEMBERS):
        raise NotFound("member", member_id)
    return await tx.member(member_id)


async def _changed(tx: Tx, caller: Caller, member_id: PrincipalId) -> Member:
    """Return a member that the caller may change, locked."""
    await _seen(tx, caller, member_id)
    allow(caller, Act.MANAGE_MEMBERS)
    member = await tx.member(member_id, lock=True)
    _check_may_give(caller, member.role, None)
    return member


def _check_may_give(caller: Caller, role: Role | None, project: ProjectId | None) -> None:
    if role is not None and not caller.rights.covers(role, project):
        raise Forbidden(f"only somebody who may do all that a role allows decides on it: {role}")


async def _keep_an_owner(tx: Tx, member: Member) -> None:
    """Raise `LastOwner` when nobody but *member* answers for the organization."""
    if member.role is Role.OWNER and await tx.count_owners() == 1:
        raise LastOwner(f"{member.name} is the only owner; make another member an owner first")


def _address(email: str | None) -> str | None:
    if email is None:
        return None
    email = email.strip()
    local, at, host = email.rpartition("@")
    is_plain = email.isascii() and email.isprintable()  # folded, other letters may equal these
    if not (local and at and host and is_plain) or len(email) > _LONGEST_ADDRESS:
        fault = ("/email", "Expected an e-mail address such as name@example.com")
        raise InvalidRequest("The body is not what this route takes.", (fault,))
    return email

"""Tokens and drop links: what opens the door, until it expires or is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from laydown.domain.access import Act, PrincipalId, Role, rights_of
from laydown.domain.audit import Deed
from laydown.domain.errors import Forbidden, InvalidRequest, NotFound
from laydown.domain.names import RefusedName, normalised
from laydown.domain.people import DropLink, PrincipalKind, Token, TokenId
from laydown.domain.upload import ProjectId
from laydown.ports import Ledger, Page, SecretKind, Tx
from laydown.services.access import allow, project_for
from laydown.services.completing import give_up_deliveries
from laydown.services.identifiers import EPOCH
from laydown.services.identity import Caller, secret
from laydown.services.members import label
from laydown.services.repeating import repeated

LINK_LIFE = timedelta(days=30)
"""How long a drop link holds when nobody says otherwise."""

LONGEST_LINK_LIFE = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Use cases around tokens. Everybody makes and revokes their own."""

    ledger: Ledger

    async def make(
        self,
        caller: Caller,
        *,
        name: str,
        member: PrincipalId | None,
        most: Role | None,
        only: ProjectId | None,
        expires_at: datetime | None,
    ) -> tuple[Token, str]:
        """Return a new token, and its text, which is shown to nobody again.

        It is the caller's own, or with *member* somebody else's, and never allows more than what
        the caller showed.
        Raises `NotFound`, `Forbidden` and `InvalidRequest`.
        """
        _check_is_member(caller)
        _check_future(expires_at, None)
        made = secret(SecretKind.TOKEN)
        async with self.ledger.begin(caller.organization) as tx:
            owner = await tx.member(caller.principal if member is None else member)
            if owner.id != caller.principal and not caller.rights.may(Act.MANAGE_MEMBERS):
                raise NotFound("member", owner.id)
            if only is not None:
                await project_for(tx, caller, Act.SEE_PROJECT, only)
            wanted = rights_of(owner.role, owner.project_roles, most=most, only=only)
            if not caller.rights.include(wanted):
                raise Forbidden("nobody makes a token that allows more than they may themselves")
            token = await tx.add_token(
                Token(
                    id=TokenId(made.id),
                    member=owner.id,
                    name=label(name, "/name"),
                    most=most,
                    only=only,
                    created_at=EPOCH,
                    expires_at=expires_at,
                    revoked_at=None,
                    last_used_at=None,
                ),
                made.sha256,
            )
            await tx.note(
                caller.did(
                    Deed.TOKEN_MADE,
                    subject=token.id,
                    project=only,
                    name=token.name,
                    member=owner.name,
                )
            )
        return token, made.text

    async def page(self, caller: Caller, page: Page, *, everybodys: bool) -> Sequence[Token]:
        """Return the caller's tokens by id; *everybodys* for those who manage members."""
        _check_is_member(caller)
        if everybodys:
            allow(caller, Act.MANAGE_MEMBERS)
        async with self.ledger.snapshot(caller.organization) as tx:
            return await tx.tokens(page, member=None if everybodys else caller.principal)

    async def revoke(self, caller: Caller, token_id: TokenId) -> None:
        """End a token at once. Repeatable. Raises `NotFound`."""
        async with self.ledger.begin(caller.organization) as tx:
            token = await tx.token(token_id)
            is_own = token.member == caller.principal
            if not is_own and not caller.rights.may(Act.MANAGE_MEMBERS):
                raise NotFound("token", token_id)
            await tx.revoke_token(token_id)
            await tx.note(caller.did(Deed.TOKEN_REVOKED, subject=token_id, name=token.name))


@dataclass(frozen=True, kw_only=True)
class Links:
    """Use cases around drop links: somebody without an account delivers into one folder."""

    ledger: Ledger

    async def make(
        self,
        caller: Caller,
        project_id: ProjectId,
        *,
        label_: str,
        folder: str,
        most_files: int | None,
        most_bytes: int | None,
        expires_at: datetime | None,
    ) -> tuple[DropLink, str]:
        """Return a new link, and its text, which is shown to nobody again.

        Raises `NotFound`, `Forbidden` and `InvalidRequest`.
        """
        now = datetime.now(UTC)
        _check_future(expires_at, now + LONGEST_LINK_LIFE)
        made = secret(SecretKind.LINK)
        link = DropLink(
            id=PrincipalId(made.id),
            organization=caller.organization,
            project=project_id,
            folder=_folder(folder),
            label=label(label_, "/label"),
            most_files=_positive(most_files, "/most_files"),
            most_bytes=_positive(most_bytes, "/most_bytes"),
            created_at=EPOCH,
            expires_at=expires_at or now + LINK_LIFE,
            revoked_at=None,
            last_used_at=None,
        )
        async with self.ledger.begin(caller.organization) as tx:
            await project_for(tx, caller, Act.MANAGE_LINKS, project_id)
            link = await tx.add_link(link, made.sha256)
            await tx.note(
                caller.did(
                    Deed.LINK_MADE,
                    subject=link.id,
                    project=project_id,
                    label=link.label,
                    folder=link.folder,
                )
            )
        return link, made.text

    async def page(self, caller: Caller, project_id: ProjectId, page: Page) -> Sequence[DropLink]:
        """Return a project's links by id, those that hold no longer too."""
        async with self.ledger.snapshot(caller.organization) as tx:
            await project_for(tx, caller, Act.MANAGE_LINKS, project_id)
            return await tx.links(project_id, page)

    async def get(self, caller: Caller, link_id: PrincipalId) -> DropLink:
        """Return a link; a link may read about itself. Raises `NotFound`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            return await _seen(tx, caller, link_id)

    async def revoke(self, caller: Caller, link_id: PrincipalId) -> None:
        """End a link at once; what was on its way through it is given up. Repeatable.

        Raises `NotFound` and `Forbidden`.
        """

        async def revoke() -> None:
            async with self.ledger.begin(caller.organization) as tx:
                link = await _seen(tx, caller, link_id)
                allow(caller, Act.MANAGE_LINKS, link.project)
                await tx.revoke_link(link_id)
                await give_up_deliveries(tx, link_id)
                await tx.note(
                    caller.did(
                        Deed.LINK_REVOKED, subject=link_id, project=link.project, label=link.label
                    )
                )

        await repeated(revoke)


async def _seen(tx: Tx, caller: Caller, link_id: PrincipalId) -> DropLink:
    link = await tx.link(link_id)
    is_self = caller.kind is PrincipalKind.LINK and caller.principal == link_id
    if not is_self and not caller.rights.may(Act.MANAGE_LINKS, link.project):
        raise NotFound("link", link_id)
    return link


def _check_is_member(caller: Caller) -> None:
    if caller.kind is not PrincipalKind.MEMBER:
        raise Forbidden("a drop link has no tokens")


def _check_future(moment: datetime | None, latest: datetime | None) -> None:
    if moment is None:
        return
    if moment.tzinfo is None or moment <= datetime.now(UTC):
        wrong = "Expected a moment in the future, with its offset from UTC"
    elif latest is not None and moment > latest:
        wrong = f"Expected {latest:%Y-%m-%d} at the latest"
    else:
        return
    raise InvalidRequest("The body is not what this route takes.", (("/expires_at", wrong),))


def _positive(number: int | None, pointer: str) -> int | None:
    if number is not None and not 0 < number < 1 << 63:
        fault = (pointer, "Expected a number above 0")
        raise InvalidRequest("The body is not what this route takes.", (fault,))
    return number


def _folder(folder: str) -> str:
    folder = folder.strip("/")
    if not folder:
        return ""
    try:
        return normalised(folder).path
    except RefusedName as refused:
        fault = ("/folder", refused.detail)
        raise InvalidRequest("The body is not what this route takes.", (fault,)) from None

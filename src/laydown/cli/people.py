"""`laydown whoami` and `laydown member`: who belongs to the organization, and who you are."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from laydown import wire
from laydown.cli.choosing import ProjectOption, RoleName, member_of, project_of
from laydown.cli.printable import printable
from laydown.cli.session import (
    Exit,
    JsonOption,
    TokenOption,
    UrlOption,
    converse,
    output,
    say,
)
from laydown.cli.show import print_json, wire_object
from laydown.cli.tables import Column, show_table

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient


class RoleOrNone(StrEnum):
    """What a member is, or that they are nothing any more."""

    OWNER = "owner"
    MANAGER = "manager"
    CONTRIBUTOR = "contributor"
    UPLOADER = "uploader"
    VIEWER = "viewer"
    NONE = "none"


MemberArgument = Annotated[
    str, typer.Argument(help="An id, a name or an e-mail address.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    app.command()(whoami)
    members = typer.Typer(no_args_is_help=True, help="Who belongs to the organization.")
    members.command("add")(add_member)
    members.command("list")(list_members)
    members.command("role")(give_role)
    members.command("remove")(remove_member)
    app.add_typer(members, name="member")


def whoami(
    *, as_json: JsonOption = False, url: UrlOption = None, token: TokenOption = None
) -> None:
    """Show who the server takes you for, and what you may do."""

    async def talk(client: "AsyncClient") -> Exit:
        me = await client.me()
        if as_json:
            return print_json(wire_object(me))
        console = output()
        console.print(Text(f"{printable(me.name)}, {me.kind} of {printable(me.organization)}"))
        if me.may:
            console.print(Text(f"everywhere: {_acts(me.may)}"))
        for project, acts in me.projects.items():
            console.print(Text(f"in project {project}: {_acts(acts)}"))
        return Exit.DONE

    converse(url, token, talk)


def add_member(
    name: Annotated[str, typer.Argument(help="What they are called.", show_default=False)],
    *,
    email: Annotated[str | None, typer.Option(help="Who signs in with it is this member.")] = None,
    role: Annotated[RoleName | None, typer.Option(help="What they are.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Make somebody a member; `laydown token create --member` makes a token for them."""

    async def talk(client: "AsyncClient") -> Exit:
        everywhere = role if project is None else None
        made = await client.add_member(
            name, email=email, role=None if everywhere is None else everywhere.value
        )
        if project is not None and role is not None:
            made = await client.give_role(await project_of(client, project), made.id, role.value)
        if as_json:
            return print_json(wire_object(made))
        return say(f"member {made.name} has the id {made.id}")

    converse(url, token, talk)


def list_members(
    *,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """List the members and their roles."""

    async def talk(client: "AsyncClient") -> Exit:
        within = None if project is None else await project_of(client, project)
        found = [each async for each in client.members(project_id=within)]
        if as_json:
            return print_json([wire_object(each) for each in found])
        codes = {str(each.id): each.code async for each in client.projects()}
        rows = [
            [str(each.id), printable(each.name), _roles(each, codes), each.email or ""]
            for each in found
        ]
        columns = (
            Column(name="Id"),
            Column(name="Name", gives_way=True),
            Column(name="Roles"),
            Column(name="E-mail", is_optional=True),
        )
        show_table(output(), columns, rows)
        return Exit.DONE

    converse(url, token, talk)


def give_role(
    member: MemberArgument,
    role: Annotated[RoleOrNone, typer.Argument(help="`none` takes it.", show_default=False)],
    *,
    project: ProjectOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Give a member a role everywhere, or in one project."""

    async def talk(client: "AsyncClient") -> Exit:
        who = await member_of(client, member)
        if project is None:
            await client.change_member(who, role=role.value)
        elif role is RoleOrNone.NONE:
            await client.take_role(await project_of(client, project), who)
        else:
            within = await project_of(client, project)
            await client.give_role(within, who, RoleName(role.value).value)
        where = "everywhere" if project is None else f"in {project}"
        return say(f"{member} is {role.value} {where}")

    converse(url, token, talk)


def remove_member(
    member: MemberArgument, *, url: UrlOption = None, token: TokenOption = None
) -> None:
    """End a membership at once, with its tokens and open deliveries."""

    async def talk(client: "AsyncClient") -> Exit:
        await client.remove_member(await member_of(client, member))
        return say(f"{member} is a member no longer")

    converse(url, token, talk)


def _acts(acts: Iterable[str]) -> str:
    return ", ".join(act.replace("_", " ") for act in acts)


def _roles(member: wire.Member, codes: Mapping[str, str]) -> str:
    """Return what a member is, everywhere and in projects."""
    roles: list[str] = [] if member.role is None else [member.role]
    roles += [f"{role} in {codes.get(id_, id_)}" for id_, role in member.projects.items()]
    return ", ".join(roles) or "none"

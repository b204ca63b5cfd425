"""`laydown token` and `laydown link`: what opens the door."""

import sys
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from laydown import wire
from laydown.cli.choosing import (
    ExpiresOption,
    ProjectOption,
    RoleName,
    bytes_of,
    ends_at,
    member_of,
    project_of,
)
from laydown.cli.printable import files as counted
from laydown.cli.printable import moment, printable, size
from laydown.cli.session import Exit, JsonOption, TokenOption, UrlOption, converse, output, say
from laydown.cli.show import print_json, wire_object
from laydown.cli.tables import Column, show_table

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    tokens = typer.Typer(no_args_is_help=True, help="What programs show to come in.")
    tokens.command("create")(make_token)
    tokens.command("list")(list_tokens)
    tokens.command("revoke")(revoke_token)
    app.add_typer(tokens, name="token")
    links = typer.Typer(no_args_is_help=True, help="For who delivers without an account.")
    links.command("create")(make_link)
    links.command("list")(list_links)
    links.command("revoke")(revoke_link)
    app.add_typer(links, name="link")


def make_token(
    name: Annotated[str, typer.Argument(help="What it is for.", show_default=False)],
    *,
    member: Annotated[str | None, typer.Option(help="Whose; else your own.")] = None,
    role: Annotated[RoleName | None, typer.Option(help="Allows no more than this.")] = None,
    project: ProjectOption = None,
    expires: ExpiresOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Make a token and print it; nobody is shown it again."""

    async def talk(client: "AsyncClient") -> Exit:
        made = await client.make_token(
            name,
            member_id=None if member is None else await member_of(client, member),
            role=None if role is None else role.value,
            project_id=None if project is None else await project_of(client, project),
            expires_at=ends_at(expires),
        )
        if as_json:
            return print_json(wire_object(made))
        sys.stdout.write(f"{made.secret}\n")
        return say(f"keep it: nobody is shown it again; `laydown token revoke {made.token.id}`")

    converse(url, token, talk)


def list_tokens(
    *,
    everybodys: Annotated[bool, typer.Option("--all", help="Those of all members.")] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """List tokens: what for, until when, last used when."""

    async def talk(client: "AsyncClient") -> Exit:
        found = [each async for each in client.tokens(everybodys=everybodys)]
        if as_json:
            return print_json([wire_object(each) for each in found])
        columns = (
            Column(name="Id"),
            Column(name="Name", gives_way=True),
            Column(name="Holds"),
            Column(name="Last used", is_optional=True),
        )
        rows = [
            [str(each.id), printable(each.name), _holds(each), moment(each.last_used_at)]
            for each in found
        ]
        show_table(output(), columns, rows)
        return Exit.DONE

    converse(url, token, talk)


def revoke_token(
    token_id: Annotated[UUID, typer.Argument(help="Its id.", show_default=False)],
    *,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """End a token at once."""

    async def talk(client: "AsyncClient") -> Exit:
        await client.revoke_token(token_id)
        return say(f"token {token_id} holds no longer")

    converse(url, token, talk)


def make_link(  # noqa: PLR0913 - a parameter for each option
    label: Annotated[str, typer.Argument(help="For whom.", show_default=False)],
    *,
    project: Annotated[str, typer.Option(help="The code of the project.", show_default=False)],
    folder: Annotated[str, typer.Option(help="What they deliver lies below.")] = "",
    files: Annotated[int | None, typer.Option(min=1, help="No more files than this.")] = None,
    most: Annotated[
        str | None, typer.Option("--bytes", help="No more bytes than this: 500MB, 20GB.")
    ] = None,
    expires: ExpiresOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Make a drop link and print it; nobody is shown it again."""

    async def talk(client: "AsyncClient") -> Exit:
        made = await client.make_link(
            await project_of(client, project),
            label,
            folder=folder,
            max_files=files,
            max_bytes=bytes_of(most),
            expires_at=ends_at(expires),
        )
        if as_json:
            return print_json(wire_object(made))
        sys.stdout.write(f"{made.secret}\n")
        say(f"holds until {moment(made.link.expires_at)}; nobody is shown it again")
        return say("its holder runs `laydown push --url … --token LINK FOLDER`")

    converse(url, token, talk)


def list_links(
    *,
    project: Annotated[str, typer.Option(help="The code of the project.", show_default=False)],
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """List a project's drop links."""

    async def talk(client: "AsyncClient") -> Exit:
        found = [each async for each in client.links(await project_of(client, project))]
        if as_json:
            return print_json([wire_object(each) for each in found])
        columns = (
            Column(name="Id"),
            Column(name="For"),
            Column(name="Folder", gives_way=True),
            Column(name="Takes", is_optional=True),
            Column(name="Holds"),
        )
        rows = [
            [str(each.id), printable(each.label), each.folder or "/", _takes(each), _holds(each)]
            for each in found
        ]
        show_table(output(), columns, rows)
        return Exit.DONE

    converse(url, token, talk)


def revoke_link(
    link_id: Annotated[UUID, typer.Argument(help="Its id.", show_default=False)],
    *,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """End a drop link at once; what was on its way through it is given up."""

    async def talk(client: "AsyncClient") -> Exit:
        await client.revoke_link(link_id)
        return say(f"link {link_id} holds no longer")

    converse(url, token, talk)


def _holds(what: wire.Token | wire.Link) -> str:
    """Return until when something opens the door."""
    if what.revoked_at is not None:
        return f"revoked {moment(what.revoked_at)}"
    return "for good" if what.expires_at is None else f"until {moment(what.expires_at)}"


def _takes(link: wire.Link) -> str:
    amounts = [
        None if link.max_files is None else counted(link.max_files),
        None if link.max_bytes is None else size(link.max_bytes),
    ]
    return ", ".join(amount for amount in amounts if amount is not None) or "anything"

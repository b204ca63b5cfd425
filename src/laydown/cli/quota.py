"""`laydown quota`: how much the organization, or a project, may use, and how much it does."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from laydown import wire
from laydown.cli.choosing import ProjectOption, project_of
from laydown.cli.printable import printable, size
from laydown.cli.session import (
    Exit,
    JsonOption,
    Stop,
    TokenOption,
    UrlOption,
    converse,
    output,
)
from laydown.cli.show import print_json, wire_object
from laydown.cli.tables import Column, show_table

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

_AMOUNT = re.compile(r"(\d{1,19})([kMGTP]?)B?", re.ASCII | re.IGNORECASE)
_UNITS = "kmgtp"
_UNLIMITED = "none"
_COLUMNS = (
    Column(name="What"),
    Column(name="Used", is_right=True),
    Column(name="Quota", is_right=True),
    Column(name="Left", is_right=True),
)


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    quotas = typer.Typer(
        no_args_is_help=True, help="How much the organization, or a project, may use."
    )
    quotas.command("show")(show)
    quotas.command("set")(set_)
    app.add_typer(quotas, name="quota")


def show(
    *,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Show what is used, and how much may be."""

    async def talk(client: "AsyncClient") -> Exit:
        usage = await client.usage(await _place(client, project))
        return print_json(wire_object(usage)) if as_json else _shown(usage)

    converse(url, token, talk)


def set_(
    *,
    project: ProjectOption = None,
    most_bytes: Annotated[
        str | None, typer.Option("--bytes", help="At most so many: 500GB, 2TB; or none.")
    ] = None,
    most_files: Annotated[
        str | None, typer.Option("--files", help="At most so many files; or none.")
    ] = None,
    most_uploads: Annotated[
        str | None, typer.Option("--uploads", help="At most so many on their way at once; or none.")
    ] = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Set how much may be used.

    What is not named stays as it is; "none" is without limit. What is in stays in, whatever the
    quota. After one was raised, push the folder again: what was refused is sent then.
    """

    async def talk(client: "AsyncClient") -> Exit:
        given = {"bytes": most_bytes, "files": most_files, "uploads": most_uploads}
        changes = {name: _amount(text) for name, text in given.items() if text is not None}
        if not changes:
            raise Stop("say --bytes, --files or --uploads", Exit.USAGE)
        place = await _place(client, project)
        await client.set_quota(replace(await client.quota(place), **changes), place)
        usage = await client.usage(place)
        return print_json(wire_object(usage)) if as_json else _shown(usage)

    converse(url, token, talk)


async def _place(client: "AsyncClient", code: str | None) -> UUID | None:
    return None if code is None else await project_of(client, code)


def _amount(text: str) -> int | None:
    """Return the number that `500GB` means, None for no limit, or raise `Stop`."""
    if text == _UNLIMITED:
        return None
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise Stop(
            f"{printable(text)!r} is no number such as 5000, 500GB or 2TB, nor none", Exit.USAGE
        )
    power = _UNITS.index(match[2].lower()) + 1 if match[2] else 0
    return int(match[1]) * int(1_000**power)


def _shown(usage: wire.Usage) -> Exit:
    quota = usage.quota
    rows = [
        _row("bytes", usage.bytes, quota.bytes, is_size=True),
        _row("files", usage.files, quota.files),
        _row("uploads under way", usage.uploads, quota.uploads),
    ]
    show_table(output(), _COLUMNS, rows)
    return Exit.DONE


def _row(what: str, used: int, most: int | None, *, is_size: bool = False) -> list[str]:
    def told(count: int) -> str:
        return size(count) if is_size else f"{count:,}"

    if most is None:
        return [what, told(used), "unlimited", ""]
    return [what, told(used), told(most), told(max(most - used, 0))]

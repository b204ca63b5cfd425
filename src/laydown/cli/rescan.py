"""`laydown rescan`: what is here is looked through for malware again."""

from typing import TYPE_CHECKING, Annotated

import typer

from laydown.cli.printable import files, printable
from laydown.cli.session import Exit, TokenOption, UrlOption, converse, say
from laydown.cli.show import project_named

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient


def rescan(
    what: Annotated[
        str, typer.Argument(metavar="PROJECT[:PATH]", help="What.", show_default=False)
    ],
    *,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Scan a project, a folder or a document for malware again, every version of it."""

    async def talk(client: "AsyncClient") -> Exit:
        code, _, path = what.partition(":")
        project = await project_named(client, code)
        count = await client.rescan(project.id, under=path.strip("/") or None)
        if not count:
            return say(f"{printable(what)} holds nothing to scan", Exit.INCOMPLETE)
        return say(
            f"{files(count)} will be scanned again; what is infected can't be fetched any more, "
            "and `laydown receipt` says so"
        )

    converse(url, token, talk)

"""`laydown get`: a document comes out again."""

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from laydown import wire
from laydown.cli.printable import printable, size
from laydown.cli.session import Exit, Stop, TokenOption, UrlOption, converse, say
from laydown.cli.show import project_named

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_LONGEST_NAME = 200  # characters; a file system takes 255 bytes, and a suffix is added meanwhile


def get(
    what: Annotated[
        str, typer.Argument(metavar="VERSION|PROJECT:PATH", help="What.", show_default=False)
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="To this file or folder.")
    ] = None,
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace what is there.")] = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Fetch a version of a document, or the current one; its bytes are proven on arrival."""

    async def talk(client: "AsyncClient") -> Exit:
        version = await _version(client, what)
        target = target_of(version.path, output)
        if target.exists() and not force:
            raise Stop(f"{target} is there already; -f replaces it", Exit.USAGE)
        await client.download(version.id, target)
        name = printable(str(target))
        return say(f"{name}, {size(version.size)}, version {version.number}")

    converse(url, token, talk, interrupted="stopped; run the same command again to resume")


def target_of(path: str, output: Path | None) -> Path:
    """Return the file that a document of this path is to be written to."""
    if output is not None and not output.is_dir():
        return output
    return (output or Path()) / safe_name(path)


def safe_name(path: str) -> str:
    """Return a document's own name as any system takes it, and no shell is surprised by it."""
    name = unicodedata.normalize("NFC", path.rpartition("/")[2])
    name = _NOT_IN_NAMES.sub("_", name).strip(" .").lstrip("-~")
    stem, dot, extension = name.rpartition(".")
    if len(name) > _LONGEST_NAME and dot:
        name = stem[: _LONGEST_NAME - len(extension) - 1] + dot + extension
    return name[:_LONGEST_NAME] or "document"


async def _version(client: "AsyncClient", what: str) -> wire.Version:
    try:
        return await client.version(UUID(what))
    except ValueError:
        pass
    code, colon, path = what.partition(":")
    path = path.strip("/")
    if not colon or not path:
        raise Stop(
            f"{printable(what)} is neither a version's id nor PROJECT:PATH, such as "
            "TOWER-B:Drawings/A-101.pdf",
            Exit.USAGE,
        )
    project = await project_named(client, code)
    wanted = _folded(path)
    async for document in client.documents(project.id, under=path):
        if _folded(document.path) == wanted:
            return document.current
    raise Stop(
        f"{printable(code)} has no document {printable(path)}; `laydown ls {printable(code)}` "
        "lists them",
        Exit.INCOMPLETE,
    )


def _folded(path: str) -> str:
    return unicodedata.normalize("NFD", path).casefold()

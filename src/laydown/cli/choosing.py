"""How people name things on the command line, and what they mean by it."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from laydown.cli.printable import printable
from laydown.cli.session import Exit, Stop

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

_LIFE = re.compile(r"([1-9]\d{0,4})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_SIZE = re.compile(r"([1-9]\d{0,8})([kMGT]?)B?", re.IGNORECASE)
_UNITS = ["", "k", "m", "g", "t"]


class RoleName(StrEnum):
    """What a member is."""

    OWNER = "owner"
    MANAGER = "manager"
    CONTRIBUTOR = "contributor"
    UPLOADER = "uploader"
    VIEWER = "viewer"


ProjectOption = Annotated[
    str | None, typer.Option("--project", help="The code of a project, instead of all of them.")
]
ExpiresOption = Annotated[
    str | None, typer.Option("--expires", help="After so long: 12h, 30d, 4w.")
]


async def project_of(client: "AsyncClient", code: str) -> UUID:
    """Return the id of the project of a code, or raise `Stop`."""
    found = await client.project_of(code)
    if found is None:
        raise Stop(f"there is no project {printable(code)}", Exit.INCOMPLETE)
    return found.id


async def member_of(client: "AsyncClient", named: str) -> UUID:
    """Return the id of the one member of an id, a name or an e-mail address, or raise `Stop`."""
    try:
        return UUID(named)
    except ValueError:
        pass
    wanted = named.casefold()
    found = [
        each.id
        async for each in client.members()
        if wanted in (each.name.casefold(), (each.email or "").casefold())
    ]
    match found:
        case [only]:
            return only
        case []:
            raise Stop(f"there is no member {printable(named)}", Exit.INCOMPLETE)
        case _:
            raise Stop(
                f"{len(found)} members are called {printable(named)}: name one by its id, as "
                "`laydown member list` shows it",
                Exit.USAGE,
            )


def ends_at(life: str | None) -> datetime | None:
    """Return when something ends that holds for `30d`, or raise `Stop`."""
    if life is None:
        return None
    match = _LIFE.fullmatch(life)
    if match is None:
        raise Stop(f"{printable(life)!r} is no time span such as 12h, 30d or 4w", Exit.USAGE)
    return datetime.now(UTC) + timedelta(hours=int(match[1]) * _HOURS[match[2]])


def bytes_of(amount: str | None) -> int | None:
    """Return the number of bytes that `500MB` means, or raise `Stop`."""
    if amount is None:
        return None
    match = _SIZE.fullmatch(amount)
    if match is None:
        raise Stop(f"{printable(amount)!r} is no size such as 500MB or 20GB", Exit.USAGE)
    return int(match[1]) * int(1_000 ** _UNITS.index(match[2].lower()))

"""`laydown audit`: who did what, when, from where."""

import sys
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from laydown import wire
from laydown.cli.printable import moment, printable
from laydown.cli.session import Exit, JsonOption, TokenOption, UrlOption, converse, output
from laydown.cli.show import print_json, wire_object
from laydown.cli.tables import Column, show_table

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

_COLUMNS = (
    Column(name="When"),
    Column(name="Who"),
    Column(name="Did"),
    Column(name="What", gives_way=True),
    Column(name="From", is_optional=True),
)


def audit(
    *,
    deed: Annotated[str | None, typer.Option(help="Only this, such as token.made.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Not before.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all of it as CSV.")] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Show who did what in the organization, newest first."""
    begin, end = _aware(since), _aware(until)

    async def talk(client: "AsyncClient") -> Exit:
        if as_csv:
            async for chunk in client.audit_csv(deed=deed, since=begin, until=end):
                sys.stdout.buffer.write(chunk)
            return Exit.DONE
        lines: list[wire.AuditLine] = []
        async for line in client.audit(deed=deed, since=begin, until=end):
            lines.append(line)
            if len(lines) == limit:
                break
        if as_json:
            return print_json([wire_object(line) for line in lines])
        rows = [
            [moment(line.at), printable(line.name), line.deed, _what(line), line.address or ""]
            for line in lines
        ]
        show_table(output(), _COLUMNS, rows)
        return Exit.DONE

    converse(url, token, talk)


def _what(line: wire.AuditLine) -> str:
    """Return what a deed was done to, and how."""
    told = chain.from_iterable((f"{name} {value}",) for name, value in line.detail.items())
    return printable(", ".join(told))


def _aware(when: datetime | None) -> datetime | None:
    """Return a moment that somebody typed, in this machine's zone."""
    return None if when is None else when.astimezone()

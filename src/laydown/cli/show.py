"""Looking at what a server has: projects, batches, receipts, documents."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from laydown import wire
from laydown.cli.outcome import show_groups, show_problems
from laydown.cli.printable import (
    duration,
    files,
    moment,
    printable,
    shortened,
    size,
)
from laydown.cli.session import (
    Exit,
    JsonOption,
    Stop,
    TokenOption,
    UrlOption,
    converse,
    output,
    say,
)

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

T = TypeVar("T")

_RECENT = 10  # batches that `status` lists
_PATH_SHARE = 0.6  # of the terminal's width

BatchArgument = Annotated[UUID, typer.Argument(help="Its id.", show_default=False)]


def status(
    batch: Annotated[
        UUID | None, typer.Argument(help="Its id; else the latest are listed.", show_default=False)
    ] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it, or the latest.")] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Show how a batch is doing, or the latest batches."""

    async def talk(client: "AsyncClient") -> Exit:
        if batch is None and not watch:
            recent = await _first(client.batches(), _RECENT)
            if as_json:
                return print_json([wire_object(each) for each in recent])
            return _show_batches(output(), recent)
        chosen = batch
        if chosen is None:
            latest = await _first(client.batches(), 1)
            if not latest:
                raise Stop("there is no batch yet", Exit.INCOMPLETE)
            chosen = latest[0].id
        seen = await _watched(client, chosen) if watch else await client.batch(chosen)
        if as_json:
            return print_json(wire_object(seen))
        return _show_batch(output(), seen)

    converse(url, token, talk)


def receipt(
    batch: BatchArgument,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every file as CSV.")] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Print the ledger of a batch: what came of every file, and what can be done."""

    async def talk(client: "AsyncClient") -> Exit:
        if as_csv:
            async with aclosing(client.receipt_csv(batch)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(sys.stdout.buffer.write, piece)
            sys.stdout.flush()
            return Exit.DONE
        ledger = await client.receipt(batch)
        return print_json(wire_object(ledger)) if as_json else _show_receipt(output(), ledger)

    if as_csv and as_json:
        raise typer.Exit(say("say --csv or --json, not both", Exit.USAGE))
    converse(url, token, talk)


def projects(
    *, as_json: JsonOption = False, url: UrlOption = None, token: TokenOption = None
) -> None:
    """List the projects."""

    async def talk(client: "AsyncClient") -> Exit:
        found = [project async for project in client.projects()]
        if as_json:
            return print_json([wire_object(each) for each in found])
        table = _table("Code", "Name", "Since")
        for project in found:
            table.add_row(
                Text(project.code), Text(printable(project.name)), moment(project.created_at)
            )
        return _print(output(), table, nothing="there is no project yet", count=len(found))

    converse(url, token, talk)


def ls(
    project: Annotated[str, typer.Argument(help="Its code.", show_default=False)],
    path: Annotated[
        str | None, typer.Argument(help="A folder or a document in it.", show_default=False)
    ] = None,
    *,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """List the documents of a project."""

    async def talk(client: "AsyncClient") -> Exit:
        found = await project_named(client, project)
        under = (path or "").strip("/") or None
        documents = [each async for each in client.documents(found.id, under=under)]
        if as_json:
            return print_json([wire_object(each) for each in documents])
        console = output()
        table = _table("Path", "Version", "Size", "Kind", "Since", right=(1, 2))
        for each in documents:
            table.add_row(
                Text(shortened(each.path, max(int(console.width * _PATH_SHARE), 20))),
                str(each.current.number),
                size(each.current.size),
                Text(each.current.kind),
                moment(each.current.created_at),
            )
        return _print(console, table, nothing="there is no such document", count=len(documents))

    converse(url, token, talk)


async def project_named(client: "AsyncClient", code: str) -> wire.Project:
    """Return the project of a code, or raise `Stop`."""
    found = await client.project_of(code)
    if found is None:
        raise Stop(
            f"there is no project {printable(code)}; `laydown projects` lists them",
            Exit.INCOMPLETE,
        )
    return found


def wire_object(value: object) -> object:
    """Return a wire shape as what JSON is made of."""
    import msgspec  # noqa: PLC0415 - `--help` needs none of it

    return msgspec.to_builtins(value)


def print_json(value: object) -> Exit:
    """Print what JSON is made of."""
    import msgspec  # noqa: PLC0415 - `--help` needs none of it

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
    return Exit.DONE


async def _first(items: AsyncIterator[T], count: int) -> list[T]:
    found: list[T] = []
    async for item in items:
        found.append(item)
        if len(found) == count:
            break
    return found


async def _watched(client: "AsyncClient", batch_id: UUID) -> wire.Batch:
    """Return a batch once it is closed and settled, telling how far it is on the way."""
    from laydown.client.sse import Changed  # noqa: PLC0415 - `--help` needs none of it

    seen = await client.batch(batch_id)
    if seen.state == "settled":
        return seen
    async with aclosing(client.events(batch_id)) as events:
        async for event in events:
            if isinstance(event, Changed) or event.batch.settled == seen.settled:
                continue
            seen = event.batch
            line = f"{seen.settled.count:,} of {files(seen.declared.count)} settled"
            if seen.seconds_left:
                line += f", about {duration(seen.seconds_left)} left"
            say(line)
    return await client.batch(batch_id)


def _show_batches(console: Console, batches: list[wire.Batch]) -> Exit:
    table = _table("Batch", "Since", "State", "Settled", "Size", "Label", right=(3, 4))
    for each in batches:
        table.add_row(
            str(each.id),
            moment(each.created_at),
            each.state,
            f"{each.settled.count:,}/{each.declared.count:,}",
            size(each.declared.bytes),
            Text(printable(each.label or "")),
        )
    return _print(console, table, nothing="there is no batch yet", count=len(batches))


def _show_batch(console: Console, batch: wire.Batch) -> Exit:
    name = f", {printable(batch.label)}" if batch.label else ""
    console.print(Text(f"Batch {batch.id}{name}: {batch.state}"), soft_wrap=True)
    console.print(
        f"{batch.settled.count:,} of {files(batch.declared.count)} settled, "
        f"{size(batch.received_bytes)} received"
    )
    if batch.seconds_left:
        console.print(f"about {duration(batch.seconds_left)} left")
    table = _table("State", "Files", right=(1,))
    for state, count in sorted(batch.counts.items(), key=lambda item: -item[1]):
        table.add_row(state, f"{count:,}")
    console.print(table)
    if batch.reasons:
        reasons = _table("Reason", "Files", right=(1,))
        for reason, count in sorted(batch.reasons.items(), key=lambda item: -item[1]):
            reasons.add_row(reason, f"{count:,}")
        console.print(reasons)
    return Exit.DONE


def _show_receipt(console: Console, ledger: wire.Receipt) -> Exit:
    from laydown.client.result import grouped  # noqa: PLC0415 - `--help` needs none of it

    batch = ledger.batch
    standing = "final" if ledger.final else f"not final yet, the batch is {batch.state}"
    console.print(Text(f"Receipt of batch {batch.id}: {standing}"), soft_wrap=True)
    scanner = "nothing was scanned for malware" if ledger.scanner == "none" else ledger.scanner
    console.print(Text(f"Declared {moment(batch.created_at)}; scanner: {scanner}"))
    console.print()
    show_groups(console, grouped(ledger.rows))
    lost = [
        row for row in ledger.rows if row.state in wire.SETTLED and row.state not in wire.SUCCEEDED
    ]
    show_problems(console, lost, at_most=None, more="")
    return Exit.DONE


def _table(*names: str, right: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, name in enumerate(names):
        table.add_column(
            name, justify="right" if index in right else "left", no_wrap=True, overflow="ellipsis"
        )
    return table


def _print(console: Console, table: Table, *, nothing: str, count: int) -> Exit:
    if count:
        console.print(table)
    else:
        say(nothing)
    return Exit.DONE

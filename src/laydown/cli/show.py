"""Looking at what a server has: projects, batches, receipts, documents."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text

from laydown import wire
from laydown.cli.outcome import show_groups, show_problems
from laydown.cli.printable import duration, files, moment, printable, size
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
from laydown.cli.tables import Column, show_table

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

T = TypeVar("T")

_RECENT = 10  # batches that `status` lists

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
            return _show_batches(recent)
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
        rows = [[each.code, each.name, moment(each.created_at)] for each in found]
        columns = [
            Column(name="Code"),
            Column(name="Name", gives_way=True),
            Column(name="Since", is_optional=True),
        ]
        return _listed(columns, rows, nothing="there is no project yet")

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
        rows = [
            [
                each.path,
                str(each.current.number),
                size(each.current.size),
                each.current.kind,
                moment(each.current.created_at),
            ]
            for each in documents
        ]
        columns = [
            Column(name="Path", gives_way=True),
            Column(name="Version", is_right=True),
            Column(name="Size", is_right=True),
            Column(name="Kind"),
            Column(name="Since", is_optional=True),
        ]
        return _listed(columns, rows, nothing="there is no such document")

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
            if isinstance(event, Changed) or event.batch.settled.count <= seen.settled.count:
                continue
            seen = event.batch
            line = f"{seen.settled.count:,} of {files(seen.declared.count)} settled"
            if seen.seconds_left:
                line += f", about {duration(seen.seconds_left)} left"
            say(line)
    return await client.batch(batch_id)


def _show_batches(batches: list[wire.Batch]) -> Exit:
    rows = [
        [
            str(each.id),
            each.state,
            f"{each.settled.count:,}/{each.declared.count:,}",
            size(each.declared.bytes),
            each.label or "",
            moment(each.created_at),
            each.declared_by_name or "",
        ]
        for each in batches
    ]
    columns = [
        Column(name="Batch"),
        Column(name="State"),
        Column(name="Settled", is_right=True),
        Column(name="Size", is_right=True),
        Column(name="Label", gives_way=True, is_optional=True),
        Column(name="Since", is_optional=True),
        Column(name="By", is_optional=True),
    ]
    return _listed(columns, rows, nothing="there is no batch yet")


def _show_batch(console: Console, batch: wire.Batch) -> Exit:
    name = f", {printable(batch.label)}" if batch.label else ""
    console.print(Text(f"Batch {batch.id}{name}: {batch.state}"), soft_wrap=True)
    console.print(Text(_declared(batch)), soft_wrap=True)
    console.print(
        f"{batch.settled.count:,} of {files(batch.declared.count)} settled, "
        f"{size(batch.received_bytes)} received"
    )
    if batch.seconds_left:
        console.print(f"about {duration(batch.seconds_left)} left")
    for title, counts in (("State", batch.counts), ("Reason", batch.reasons)):
        rows = [
            [name, f"{count:,}"]
            for name, count in sorted(counts.items(), key=lambda item: -item[1])
        ]
        if rows:
            console.print()
            show_table(console, [Column(name=title), Column(name="Files", is_right=True)], rows)
    return Exit.DONE


def _declared(batch: wire.Batch) -> str:
    """Say when a batch was declared, and by whom."""
    by = f" by {printable(batch.declared_by_name)}" if batch.declared_by_name else ""
    return f"Declared {moment(batch.created_at)}{by}"


def _show_receipt(console: Console, ledger: wire.Receipt) -> Exit:
    from laydown.client.result import grouped  # noqa: PLC0415 - `--help` needs none of it

    batch = ledger.batch
    standing = "final" if ledger.final else f"not final yet, the batch is {batch.state}"
    console.print(Text(f"Receipt of batch {batch.id}: {standing}"), soft_wrap=True)
    console.print(Text(f"{_declared(batch)}; {_scanned(ledger)}"), soft_wrap=True)
    console.print()
    show_groups(console, grouped(ledger.rows))
    lost = [
        row
        for row in ledger.rows
        if row.infected or (row.state in wire.SETTLED and row.state not in wire.SUCCEEDED)
    ]
    show_problems(console, lost, at_most=None, more="")
    return Exit.DONE


def _scanned(ledger: wire.Receipt) -> str:
    """Return who looks for malware, and in how many published files nobody did."""
    published = [row for row in ledger.rows if row.scanned_by is not None]
    blind = [row for row in published if row.scanned_by in ("none", "unscanned")]
    if ledger.scanner == "none" and len(blind) == len(published):
        return "nothing was scanned for malware"
    who = "no scanner now" if ledger.scanner == "none" else f"scanner: {ledger.scanner}"
    return f"{who}; {files(len(blind))} came in without a scan" if blind else who


def _listed(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, nothing: str) -> Exit:
    if rows:
        show_table(output(), columns, rows)
    else:
        say(nothing)
    return Exit.DONE

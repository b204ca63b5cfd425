"""`laydown jobs`: later work that waits, runs, or could not be done."""

import asyncio
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.text import Text

from laydown.cli.places import data_directory
from laydown.cli.printable import duration, moment
from laydown.cli.session import Exit, JsonOption, TokenOption, UrlOption, converse, output, say
from laydown.cli.show import print_json, wire_object
from laydown.cli.tables import Column, show_table
from laydown.domain.errors import LaydownError
from laydown.settings import BadSettings, Settings

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient

_LISTED = 50
_COLUMNS = (
    Column(name="Job"),
    Column(name="Kind"),
    Column(name="State"),
    Column(name="Tries", is_right=True),
    Column(name="Last error", gives_way=True),
    Column(name="Next", is_optional=True),
)


class JobState(StrEnum):
    """Which jobs to list."""

    WAITING = "waiting"
    RUNNING = "running"
    DEAD = "dead"


def jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="Only these.")] = None,
    replay: Annotated[UUID | None, typer.Option(help="Let this dead job run again.")] = None,
    discard: Annotated[UUID | None, typer.Option(help="Forget this dead job.")] = None,
    redrive: Annotated[
        bool,
        typer.Option(help="For who runs the server: bring back what LAYDOWN_QUEUE set aside."),
    ] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """List later work; replay or discard what could not be done."""
    if redrive:
        bring_back()
        return

    async def talk(client: "AsyncClient") -> Exit:
        if replay is not None:
            await client.replay_job(replay)
            return say(f"job {replay} runs again")
        if discard is not None:
            await client.discard_job(discard)
            return say(f"job {discard} is forgotten")
        page = await client.jobs(state=None if state is None else state.value, limit=_LISTED)
        if as_json:
            return print_json(wire_object(page))
        console = output()
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(page.counts.items()))
        oldest = page.oldest_waiting_seconds
        since = f"; the oldest waits for {duration(oldest)}" if oldest else ""
        console.print(Text(f"{counts or 'no jobs'}{since}"))
        rows = [
            [
                str(job.id),
                job.kind,
                job.state,
                str(job.attempt),
                job.last_error or "",
                moment(job.run_at),
            ]
            for job in page.items
        ]
        if rows:
            show_table(console, _COLUMNS, rows)
        if page.next_cursor is not None:
            console.print("… and more")
        return Exit.DONE

    converse(url, token, talk)


def bring_back() -> None:
    """Send the messages that the queue of the settings had set aside into it again."""
    from laydown.bootstrap.doctoring import redriven  # noqa: PLC0415 - `--help` needs none of it

    try:
        settings = Settings.from_env(os.environ, data=data_directory(os.environ))
        moved = asyncio.run(redriven(settings))
    except (BadSettings, LaydownError) as error:
        typer.echo(f"laydown: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{moved:,} messages are in the queue again"
        if moved != 1
        else "1 message is in the queue again"
    )

"""`laydown organization`: for who runs the server, on the server."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from laydown.cli.places import data_directory, sign_in_link
from laydown.domain.errors import LaydownError
from laydown.domain.people import LONGEST_LABEL, is_label
from laydown.settings import BadSettings, Settings

if TYPE_CHECKING:
    from laydown.embedded.instance import Connection

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    organizations = typer.Typer(
        no_args_is_help=True, help="Tenants, for who runs the server, on the server."
    )
    organizations.command("add")(add)
    organizations.command("sign-in")(sign_in)
    app.add_typer(organizations, name="organization")


def add(
    name: Annotated[str, typer.Argument(help="What it is called.", show_default=False)],
    *,
    owner: Annotated[str, typer.Option(help="The member who answers for it.")] = "owner",
) -> None:
    """Make an organization with an owner, and print a token of theirs. Safe to repeat.

    Works on the database of the laydown that runs on this machine, or on LAYDOWN_DATABASE.
    """
    from laydown.bootstrap.database import issue_token  # noqa: PLC0415 - `--help` needs none of it

    called, answering = named(name), named(owner)
    token = done(
        issue_token(own_settings(), organization=called, name="first token", owner=answering)
    )
    sys.stdout.write(f"{token}\n")
    typer.echo(f"laydown: a token of {answering} of {called}; nobody is shown it again", err=True)


def sign_in(
    name: Annotated[str, typer.Argument(help="What the organization is called.")] = "local",
) -> None:
    """Print a link that opens the console once, within 15 minutes, as an organization's owner."""
    from laydown.bootstrap.database import offer_sign_in  # noqa: PLC0415 - as late as the rest
    from laydown.embedded.instance import ConnectionUnknown  # noqa: PLC0415 - as late as the rest

    url = "http://HOST:PORT"
    with suppress(ConnectionUnknown):
        url = _connection(data_directory(os.environ)).url
    code = done(offer_sign_in(own_settings(), organization=named(name)))
    sys.stdout.write(f"{sign_in_link(url, code)}\n")


def own_settings() -> Settings:
    """Return the settings, with the database of this machine's own laydown if none is named."""
    from laydown.embedded.instance import ConnectionUnknown  # noqa: PLC0415 - as late as the rest

    try:
        settings = Settings.from_env(os.environ, data=data_directory(os.environ))
        if settings.database:
            return settings
        own = _connection(settings.data).database
    except (BadSettings, ConnectionUnknown) as error:
        refuse(str(error))
    if own is None:
        refuse("the laydown of this machine has a database elsewhere: name it, LAYDOWN_DATABASE")
    return replace(settings, database=own)


def _connection(data: Path) -> "Connection":
    """Return how to reach this machine's own laydown, or raise `ConnectionUnknown`."""
    from laydown.embedded.instance import (  # noqa: PLC0415 - as late as the rest
        CONNECTION_FILE,
        read_connection,
    )

    return read_connection(data / CONNECTION_FILE)


def named(text: str) -> str:
    """Return a name that somebody typed, or end the command."""
    text = text.strip()
    if not is_label(text):
        refuse(f"a name has 1 to {LONGEST_LABEL} printable characters")
    return text


def done(work: Coroutine[Any, Any, T]) -> T:
    """Return what some work comes to, or end the command with a sentence."""
    try:
        return asyncio.run(work)
    except (BadSettings, LaydownError) as error:
        refuse(str(error))


def refuse(sentence: str) -> NoReturn:
    """End the command with a sentence on stderr."""
    typer.echo(f"laydown: {sentence}", err=True)
    raise typer.Exit(1)

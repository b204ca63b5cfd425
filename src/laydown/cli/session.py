"""What every client command needs: a server, an event loop, and an exit code for each ending."""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from laydown import wire
from laydown.cli.places import data_directory

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient
    from laydown.client.errors import ClientError

URL_VARIABLE = "LAYDOWN_URL"
TOKEN_VARIABLE = "LAYDOWN_TOKEN"  # noqa: S105 - a name

_URL = re.compile(r"https?://[^/\s?#]+(/[^\s?#]*)?")

UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar=URL_VARIABLE, help="The server; else the one of this machine."),
]
TokenOption = Annotated[
    str | None,
    typer.Option("--token", envvar=TOKEN_VARIABLE, help="A token of your organization."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


class Exit(IntEnum):
    """How a client command ends."""

    DONE = 0
    INCOMPLETE = 1  # some files are not in, or the server refused
    USAGE = 2
    UNREACHABLE = 3
    INTERRUPTED = 130  # 128 + SIGINT


class Stop(Exception):
    """Ends the command with a sentence on stderr."""

    def __init__(self, sentence: str, code: Exit) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Server:
    """Where to go, and where we know it from."""

    url: str
    token: str
    source: str


def server(url: str | None, token: str | None) -> Server:
    """Return the server that the options or the environment name, else this machine's own.

    Raises `Stop` with a sentence when there is none.
    """
    from laydown.embedded.instance import (  # noqa: PLC0415 - `--help` needs none of it
        CONNECTION_FILE,
        ConnectionUnknown,
        read_connection,
    )

    if url and token:
        return Server(url, token, f"--url or {URL_VARIABLE}")
    path = data_directory(os.environ) / CONNECTION_FILE
    try:
        known = read_connection(path)
    except ConnectionUnknown as error:
        if url:
            raise Stop(f"{url} needs a token: --token or {TOKEN_VARIABLE}", Exit.USAGE) from error
        raise Stop(str(error), Exit.USAGE) from error
    if url and url.rstrip("/") != known.url:
        raise Stop(f"{url} needs a token: --token or {TOKEN_VARIABLE}", Exit.USAGE)
    return Server(known.url, token or known.token, str(path))


def is_link(token: str | None) -> bool:
    """Say whether a token is the secret of a drop link, which leads to one project only."""
    return (token or "").startswith(wire.LINK_PREFIX)


def converse(
    url: str | None,
    token: str | None,
    talk: Callable[["AsyncClient"], Awaitable[Exit]],
    *,
    interrupted: str = "stopped",
    timeout: float | None = None,
) -> NoReturn:
    """Have a conversation with the server and exit as it ended; errors are sentences on stderr."""
    sys.exit(
        ended(
            lambda: converse_with(server(url, token), talk, timeout=timeout),
            interrupted=interrupted,
        )
    )


def converse_with(
    where: Server,
    talk: Callable[["AsyncClient"], Awaitable[Exit]],
    *,
    timeout: float | None = None,
) -> Exit:
    """Have a conversation with *where*; *timeout* is the silence in seconds that ends it."""
    import uvloop  # noqa: PLC0415 - as late as the rest

    from laydown.client.aio import AsyncClient  # noqa: PLC0415 - as late as the rest
    from laydown.client.conversation import PATIENCE  # noqa: PLC0415 - as late as the rest

    async def conversation() -> Exit:
        patience = PATIENCE.lasting if timeout is None else timeout
        async with AsyncClient(where.url, where.token, timeout=patience) as client:
            return await talk(client)

    if not _URL.fullmatch(where.url):
        raise Stop(f"{where.url} is no server's URL, such as http://127.0.0.1:8383", Exit.USAGE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(conversation())


def ended(work: Callable[[], Exit], *, interrupted: str = "stopped") -> Exit:
    """Do some work and return how it ended, with a sentence on stderr unless it went well."""
    from laydown.client.errors import ClientError  # noqa: PLC0415 - as late as the rest

    try:
        return work()
    except Stop as stop:
        return say(str(stop), stop.code)
    except ClientError as error:
        return say(*_told(error))
    except KeyboardInterrupt:
        return say(interrupted, Exit.INTERRUPTED)
    except BrokenPipeError:  # `… | head` has seen enough; nothing more can be written there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.INCOMPLETE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return say(f"{where}{(error.strerror or str(error)).lower()}", Exit.INCOMPLETE)


def say(sentence: str, code: Exit = Exit.DONE) -> Exit:
    """Print a sentence on stderr and return *code*."""
    errors().print(f"laydown: {sentence}", markup=False, highlight=False, soft_wrap=True)
    return code


def output() -> Console:
    """Return the console for what was asked for."""
    return Console(highlight=False, soft_wrap=False)


def errors() -> Console:
    """Return the console for everything else."""
    return Console(stderr=True, highlight=False)


def exists(path: Path) -> Path:
    """Return *path*, or raise `Stop` when there is nothing."""
    if not path.expanduser().exists():
        raise Stop(f"there is no {path}", Exit.USAGE)
    return path


def _told(error: "ClientError") -> tuple[str, Exit]:
    """Return the sentence and the exit code for an error of the conversation."""
    from laydown.client.errors import (  # noqa: PLC0415 - as late as the rest
        NoSuchPath,
        TooManyFiles,
        Unauthorized,
        Unreachable,
    )

    match error:
        case Unreachable():
            return f"{error}; is it running? `laydown doctor` looks closer", Exit.UNREACHABLE
        case Unauthorized():
            sentence = "the server does not accept this token; give another one with --token or "
            return sentence + TOKEN_VARIABLE, Exit.USAGE
        case NoSuchPath() | TooManyFiles():
            return str(error), Exit.USAGE
        case _:
            return str(error), Exit.INCOMPLETE

"""`laydown doctor`: what is wrong, and what to do about it."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from laydown.cli.ailments import ailments
from laydown.cli.findings import Finding, Findings, ill, well
from laydown.cli.places import data_directory
from laydown.cli.printable import duration, printable, size
from laydown.cli.session import (
    TOKEN_VARIABLE,
    Exit,
    JsonOption,
    Server,
    Stop,
    TokenOption,
    UrlOption,
    converse_with,
    ended,
    output,
    server,
)
from laydown.cli.show import print_json

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient
    from laydown.settings import Settings

_PATIENCE = 3.0  # seconds: who asks a doctor waits no longer
_SKEW = 60.0  # seconds between two clocks; signed URLs live for minutes
_LITTLE_ROOM = 2 * 10**9  # bytes
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


def doctor(
    *,
    url: UrlOption = None,
    token: TokenOption = None,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Make and set what bucket and queues lack."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at everything a push needs, and at what keeps files from being done.

    That is connection, server, token, clock and room; and, where the token may operate, queue,
    workers, dead jobs, files that don't move, and quotas. Where the variables of a server are set
    (LAYDOWN_DATABASE, _STORE, _QUEUE, _NOTICES, _SCANNER, _OIDC_ISSUER), what they name, too.
    """
    sys.exit(ended(lambda: _told(url, token, fix=fix, as_json=as_json)))


def _told(url: str | None, token: str | None, *, fix: bool, as_json: bool) -> Exit:
    findings = Findings(console=None if as_json else output())
    code = _examine(findings, url, token, fix=fix)
    if as_json:
        print_json(findings.as_json())
    return code


def _examine(findings: Findings, url: str | None, token: str | None, *, fix: bool) -> Exit:
    settings = _server_settings(is_needed=fix)
    engines = Exit.DONE if settings is None else asyncio.run(_engines(findings, settings, fix=fix))
    if fix:
        return engines
    try:
        where = server(url, token)
    except Stop as stop:
        if settings is not None:  # of a server that was never started on this machine
            return engines
        findings.add(ill(str(stop), ""))
        return Exit.INCOMPLETE
    findings.add(well(f"{where.url}, known from {where.source}"))
    return max(engines, _conversation(findings, where))


def _conversation(findings: Findings, where: Server) -> Exit:
    """Say what there is to say about a server."""
    from laydown.client.errors import Unreachable  # noqa: PLC0415 - as late as the rest

    async def talk(client: "AsyncClient") -> Exit:
        async for finding in _findings(client, where):
            findings.add(finding)
        return Exit.DONE if findings.is_well else Exit.INCOMPLETE

    try:
        return converse_with(where, talk, timeout=_PATIENCE)
    except Unreachable as error:
        findings.add(ill(str(error), "Start it with `laydown up`, or name it with --url."))
        return Exit.UNREACHABLE


def _server_settings(*, is_needed: bool) -> "Settings | None":
    """Return the settings of the environment if they name anything outside this machine."""
    from laydown.settings import PREFIX, BadSettings, Settings  # noqa: PLC0415 - as late as can be

    fixed = [f"{PREFIX}{name}" for name in ("STORE", "QUEUE", "NOTICES")]
    named = [*fixed, *(f"{PREFIX}{name}" for name in ("DATABASE", "SCANNER", "OIDC_ISSUER"))]
    if not any(os.environ.get(name) for name in named):
        if is_needed:
            raise Stop(f"there is nothing to fix: set {', '.join(fixed)}", Exit.USAGE)
        return None
    try:
        return Settings.from_env(os.environ)
    except BadSettings as error:
        raise Stop(str(error), Exit.USAGE) from error


async def _engines(findings: Findings, settings: "Settings", *, fix: bool) -> Exit:
    """Say what there is to say about what a server stands on, putting right what may be."""
    from laydown.bootstrap.doctoring import examine  # noqa: PLC0415 - as late as can be

    async with aclosing(examine(settings, fix=fix)) as seen:
        async for each in seen:
            findings.add(Finding(is_well=each.is_well, sentence=each.sentence, remedy=each.remedy))
    return Exit.DONE if findings.is_well else Exit.INCOMPLETE


async def _findings(client: "AsyncClient", where: Server) -> AsyncIterator[Finding]:
    """Yield what there is to say about a server, in the order in which things depend."""
    from laydown.client.errors import Unauthorized  # noqa: PLC0415 - `--help` needs none of it

    began = time.monotonic()
    answer = await client.transport.call("GET", "/livez")
    took = time.monotonic() - began
    health = await client.health()
    yield well(f"laydown {health.version} answers in {took * 1000:.0f} ms")
    for check in health.checks:
        remedy = check.remedy or ""
        if not check.ok:
            remedy = remedy or "The server's log says more; it recovers by itself if it can."
        yield Finding(is_well=not remedy, sentence=f"{check.name}: {check.detail}", remedy=remedy)
    try:
        async for _ in client.projects():
            break
        yield well("the token is accepted")
        for finding in await ailments(client):
            yield finding
    except Unauthorized:
        yield ill("the token is not accepted", f"Give another one: --token or {TOKEN_VARIABLE}.")
    yield _clock(answer.headers.get("Date"))
    if urlsplit(where.url).hostname in _HERE:
        yield _room(data_directory(os.environ))


def _clock(date: str | None) -> Finding:
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return well("the server does not tell the time")
    skew = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(skew) <= _SKEW:
        return well("this clock and the server's agree")
    relation = "ahead of" if skew > 0 else "behind"
    return ill(
        f"this clock is {duration(abs(skew))} {relation} the server's",
        "Turn on time synchronisation (NTP) on both.",
    )


def _room(data: Path) -> Finding:
    place = next(path for path in (data, *data.parents) if path.exists())
    free = shutil.disk_usage(place).free
    sentence = f"{size(free)} free where {printable(str(data))} is"
    if free >= _LITTLE_ROOM:
        return well(sentence)
    return ill(sentence, "Make room, or start laydown with --data on a larger disk; files wait.")

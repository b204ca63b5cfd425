"""`laydown legacy`: leaving another system, for who runs the server, on the server."""

import csv
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from laydown.cli.choosing import RoleName
from laydown.cli.organization import done, named, own_settings, refuse
from laydown.cli.printable import files, printable, size
from laydown.cli.session import Exit, JsonOption, errors, output, say
from laydown.cli.show import print_json
from laydown.cli.tables import Column, show_table

if TYPE_CHECKING:
    from laydown.bootstrap.legacy import Leaving
    from laydown.domain.legacy import OldDocument, OldObject

T = TypeVar("T")

_NAMED = 20  # differences that are shown; JSON has all
_COUNTED = (
    Column(name="What"),
    Column(name="Files", is_right=True),
    Column(name="Size", is_right=True),
)
_HEAD = ("found", "id", "project", "row_bytes", "object_bytes", "key")
OrganizationOption = Annotated[str, typer.Option("--organization", help="Whose they are.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    legacy = typer.Typer(
        no_args_is_help=True,
        help="Leaving another system, for who runs the server: see docs/migration.md.",
    )
    legacy.command("prepare")(prepare)
    legacy.command("map")(map_projects)
    legacy.command("write-back")(write_back)
    legacy.command("key")(key)
    legacy.command("scan")(scan)
    legacy.command("import")(import_)
    legacy.command("verify")(verify)
    legacy.command("forget")(forget)
    app.add_typer(legacy, name="legacy")


def prepare() -> None:
    """Make our schema beside the old table, bring it up to date, and let us read that table.

    LAYDOWN_DATABASE names the old system's database and a schema of our own, as in
    `…?options=-csearch_path=laydown`, for a user who may grant rights on `public.documents`. Undone
    by dropping that schema.
    """
    from laydown.bootstrap.legacy import prepare as prepared  # noqa: PLC0415 - `--help` needs none

    new = done(prepared(own_settings()))
    what = f"{len(new)} migrations were missing" if new else "nothing was missing"
    say(f"beside the old system's table, {what}")


def map_projects(
    pairs: Annotated[
        list[str],
        typer.Argument(metavar="OLD=CODE...", help="An old id and a code.", show_default=False),
    ],
    *,
    organization: OrganizationOption = "local",
) -> None:
    """Say which projects of ours old ones are, such as 7=TOWER; a new code makes a project."""
    codes = dict(map(_pair, pairs))
    owner = named(organization)

    async def work(tools: "Leaving") -> None:
        caller = await tools.matchmaking.owner(owner)
        prefix = tools.in_common or ""
        found = await tools.matchmaking.projects(caller, codes, prefix=prefix)
        for mapped, project in found:
            say(f"old project {mapped.old} is {printable(project.code)} of {printable(owner)}")

    _work(work)


def write_back(
    *,
    organization: OrganizationOption = "local",
    is_off: Annotated[bool, typer.Option("--off", help="End it.")] = False,
) -> None:
    """Tell the old table of every new version in mapped projects, so that old readers see them.

    Takes LAYDOWN_STORE in the old system's bucket: where else would it read the bytes?
    """

    async def work(tools: "Leaving") -> None:
        if tools.in_common is None and not is_off:
            refuse("the old system can't read our store: use its bucket, LAYDOWN_STORE")
        if not is_off and (refusals := await tools.refusals()):
            refuse(
                f"public.documents would refuse rows, and their files with them: "
                f"{'; '.join(refusals)}. Change that first: ALTER TABLE"
            )
        caller = await tools.matchmaking.owner(named(organization))
        mapped = await tools.matchmaking.writing_back(
            caller, is_on=not is_off, prefix=tools.in_common or ""
        )
        told = "is told no more" if is_off else "is told of new versions"
        say(f"the old table {told} in {len(mapped)} mapped projects")

    _work(work)


def key(
    name: Annotated[str, typer.Argument(help="Whose key that is.", show_default=False)],
    *,
    organization: OrganizationOption = "local",
    most: Annotated[
        RoleName, typer.Option("--role", help="It allows what this role does.")
    ] = RoleName.CONTRIBUTOR,
) -> None:
    """Let a key of the old API stand for a new token of an owner, at the old routes only.

    The key is read from standard input. `laydown token revoke` ends it.
    """
    from laydown.domain.access import Role  # noqa: PLC0415 - `--help` needs none of it

    old_key = sys.stdin.readline().strip()
    if not old_key:
        refuse("give the old key on standard input")

    async def work(tools: "Leaving") -> None:
        caller = await tools.matchmaking.owner(named(organization))
        token = await tools.matchmaking.key(caller, old_key, name=named(name), most=Role(most))
        say(f"the key stands for the token {token.id}, {most} at most")

    _work(work)


def scan(
    *,
    csv_path: Annotated[
        Path | None, typer.Option("--csv", help="Write what doesn't match to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the old table with the old bucket: what matches, and what is alone."""
    from laydown.services.legacy_scan import Found, Summary  # noqa: PLC0415 - as late as the rest

    async def work(tools: "Leaving") -> Summary:
        summary = Summary()
        with ExitStack() as stack:
            lines = None
            if csv_path is not None:
                lines = csv.writer(stack.enter_context(csv_path.open("w", newline="")))
                lines.writerow(_HEAD)
            async with aclosing(tools.scanning.pairs()) as pairs:
                async for found, pair in pairs:
                    summary.add(found, pair)
                    if lines is not None and found is not Found.MATCHED:
                        lines.writerow(_line(found, *pair))
        return summary

    summary = _work(work)
    if as_json:
        print_json({found.value: asdict(summed) for found, summed in summary.sums.items()})
        return
    rows = [
        [found.replace("_", " "), f"{summed.files:,}", size(summed.bytes)]
        for found, summed in summary.sums.items()
    ]
    show_table(output(), _COUNTED, rows)


def import_(
    *,
    at_once: Annotated[
        int, typer.Option(min=1, help="An organization's files that are read at a time.")
    ] = 2_000,
    waits: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Until workers have read them all.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Make documents of the old rows that have an object; workers read each once, where it is.

    Safe to repeat: it goes on where it was. Nothing in the old bucket is changed.
    """
    from laydown.services.legacy_import import Progress  # noqa: PLC0415 - as late as the rest

    progress = Progress()

    async def work(tools: "Leaving") -> dict[str, dict[str, int]]:
        async for now in tools.importing.run(progress, most_at_once=at_once):
            if not as_json:
                say(f"{files(now.seen)} seen, {now.declared:,} declared, {now.known:,} known")
        organizations = await tools.importing.organizations()
        if waits:
            say("waiting for workers to read what was declared")
            await tools.importing.settled(organizations)
        fates = await tools.importing.fates(organizations)
        return {name: {"files": each.files, "bytes": each.bytes} for name, each in fates.items()}

    fates = _work(work, imports=True)
    told = {
        "seen": progress.seen,
        "declared": progress.declared,
        "known": progress.known,
        "row_without_object": progress.without_object,
        "unmapped": progress.unmapped,
    }
    if as_json:
        print_json({**told, "imported": fates})
        return
    for name, count in told.items():
        say(f"{name.replace('_', ' ')}: {count:,}")
    rows = [[name, f"{fate['files']:,}", size(fate["bytes"])] for name, fate in fates.items()]
    show_table(output(), _COUNTED, rows)


def verify(
    *,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of the files, to be read and hashed.")
    ] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Compare what the old system gives with what we give: status, size, SHA-256.

    Ends with 1 and a list when anything differs.
    """
    from laydown.services.legacy_verify import Compared  # noqa: PLC0415 - as late as the rest

    async def work(tools: "Leaving") -> tuple[dict[str, int], list[Compared]]:
        counts = {"compared": 0, "read": 0, "absent_from_both": 0}
        differing: list[Compared] = []
        async for each in tools.verifying.compared(share=share):
            counts["compared"] += 1
            counts["read"] += each.has_been_read
            counts["absent_from_both"] += each.is_absent
            if each.difference is not None:
                differing.append(each)
        return counts, differing

    counts, differing = _work(work)
    if as_json:
        shown = [
            {"id": each.id, "difference": each.difference, "detail": each.detail}
            for each in differing
        ]
        print_json({**counts, "differences": shown})
    else:
        for each in differing[:_NAMED]:
            why = "" if each.detail is None else f": {printable(each.detail)}"
            errors().print(f"{each.id}  {each.difference}{why}", markup=False, soft_wrap=True)
        say(f"{files(counts['compared'])} compared, {len(differing):,} differ")
    if differing:
        raise typer.Exit(Exit.INCOMPLETE)


def forget(
    *,
    organization: OrganizationOption = "local",
    is_sure: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete what was imported for an organization, and nothing else; no store is touched."""
    owner = named(organization)
    if not is_sure:
        typer.confirm(f"Delete all that was imported for {owner}?", abort=True)

    async def work(tools: "Leaving") -> tuple[int, int]:
        caller = await tools.matchmaking.owner(owner)
        return await tools.forgetting.forget(caller.organization, caller.principal, caller.name)

    gone, kept = _work(work)
    if as_json:
        print_json({"forgotten": gone, "kept": kept})
        return
    say(f"{files(gone)} forgotten; {kept:,} have been delivered to since, and stay")


def _work(work: "Callable[[Leaving], Awaitable[T]]", *, imports: bool = False) -> T:
    """Do some work with the tools; end the command with a sentence where that can't be."""
    from laydown.bootstrap.legacy import leaving  # noqa: PLC0415 - `--help` needs none of it

    settings = own_settings()

    async def opened() -> T:
        async with leaving(settings, imports=imports) as tools:
            return await work(tools)

    return done(opened())


def _pair(text: str) -> tuple[int, str]:
    old, _, code = text.partition("=")
    if not old.isdecimal() or not code:
        refuse(f"{printable(text)} is no pair such as 7=TOWER")
    return int(old), code


def _line(found: str, row: "OldDocument | None", stored: "OldObject | None") -> list[object]:
    """Return what the CSV says of a row and an object that don't match."""
    key = stored.key if stored is not None else row.key if row is not None else ""
    who: list[object] = ["", "", ""] if row is None else [row.id, row.project, row.size]
    return [found, *who, "" if stored is None else stored.size, _cell(key)]


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text

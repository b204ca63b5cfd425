"""`laydown push`: a folder goes in."""

import json
import re
import sys
import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from laydown.cli.outcome import NAMED, show_groups, show_problems, show_troubles
from laydown.cli.printable import duration, files, printable, size
from laydown.cli.session import (
    Exit,
    JsonOption,
    Stop,
    TokenOption,
    UrlOption,
    converse,
    ended,
    errors,
    exists,
    is_link,
    output,
    say,
)

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient
    from laydown.client.result import PushResult

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_LONGEST_CODE = 64
_NAMELESS = "PROJECT"
_LONGEST_LABEL = 200
_PASSED_OVER_NAMED = 5
_AGAIN = "stopped; run the same command again to resume"


class OnConflict(StrEnum):
    """What becomes of a file whose path is taken by other content."""

    NEW_VERSION = "new_version"
    SKIP = "skip"
    REJECT = "reject"


def push(  # noqa: PLR0913 - a parameter for each option
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Folders and files.", show_default=False)
    ],
    *,
    project: Annotated[
        str | None, typer.Option(help="Its code; else it is named after the folder.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="What people call this delivery.")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Parts sent at once.")] = 8,
    on_conflict: Annotated[
        OnConflict, typer.Option(help="Where a path has other content already.")
    ] = OnConflict.NEW_VERSION,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a server that is away.")
    ] = 120,
    as_json: JsonOption = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Send folders and files, and see every one through. Run it again to resume.

    Exits with 0 when every file is in, 1 when some are not, 2 on usage, 3 when the server can't
    be reached.
    """

    def begin() -> Exit:
        for path in paths:
            exists(path)
        check(project, label)
        return Exit.DONE

    code = ended(begin)
    if code is not Exit.DONE:
        raise typer.Exit(code)
    chosen = project or project_code(paths[0])
    if project is None and not is_link(token):
        say(f"project {chosen}, after the folder's name; --project chooses another")

    async def talk(client: "AsyncClient") -> Exit:
        from laydown.cli.bar import Bars  # noqa: PLC0415 - `--help` needs none of it

        with Bars(errors()) as bars:
            result = await client.push(
                paths,
                project=chosen,
                label=label,
                jobs=jobs,
                on_conflict=on_conflict.value,
                progress=bars.show,
            )
        if as_json:
            sys.stdout.write(as_object(result) + "\n")
        else:
            show(output(), result)
        return Exit.DONE if result.is_success else Exit.INCOMPLETE

    converse(url, token, talk, interrupted=_AGAIN, timeout=patience)


def check(project: str | None, label: str | None) -> None:
    """Raise `Stop` for what the server would refuse."""
    if project is not None and not _CODE.fullmatch(project):
        raise Stop(
            f"{printable(project)!r} is no project code: 1 to {_LONGEST_CODE} letters, digits, "
            "dots, hyphens or underscores, the first a letter or digit",
            Exit.USAGE,
        )
    if label is not None and (len(label) > _LONGEST_LABEL or not label.isprintable()):
        raise Stop(f"a label has up to {_LONGEST_LABEL} printable characters", Exit.USAGE)


def project_code(path: Path) -> str:
    """Return a project code made of a folder's name; a file's folder's, when it is a file."""
    real = path.expanduser().resolve()
    name = real.parent.name if real.is_file() else real.name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    code = re.sub(r"[^A-Z0-9._]+", "-", plain.upper()).strip("-._")
    return code[:_LONGEST_CODE].rstrip("-._") or _NAMELESS


def as_object(result: "PushResult") -> str:
    """Return a result as one JSON object."""
    batch = result.batch
    said = {
        "batch": None if batch is None else str(batch.id),
        "counts": {} if batch is None else dict(batch.counts),
        "reasons": {} if batch is None else dict(batch.reasons),
        "declared": {
            "count": 0 if batch is None else batch.declared.count,
            "bytes": 0 if batch is None else batch.declared.bytes,
        },
        "bytes_sent": result.bytes_sent,
        "seconds": round(result.seconds, 3),
        "unreadable": [
            {"path": printable(each.path), "why": each.why} for each in result.unreadable
        ],
    }
    return json.dumps(said, ensure_ascii=True)


def show(console: Console, result: "PushResult") -> None:
    """Print what became of a push."""
    batch = result.batch
    if batch is None:
        console.print("There is nothing to send.")
    else:
        show_groups(console, result.groups)
        more = f"laydown receipt {batch.id}"
        ours = {_composed(trouble.path) for trouble in result.unreadable}  # named below, with why
        lost = [row for row in result.problems if row.path not in ours]
        show_problems(console, lost, at_most=NAMED, more=more)
    show_troubles(console, "Not sent from here", result.unreadable, at_most=NAMED)
    show_troubles(console, "Passed over", result.passed_over, at_most=_PASSED_OVER_NAMED)
    if batch is not None:
        out = len(result.problems)
        what = "all are in" if not out else f"{batch.declared.count - out:,} are in, {out:,} not"
        console.print()
        console.print(
            Text(
                f"{files(batch.declared.count)}, {size(batch.declared.bytes)}: {what}. "
                f"Sent {size(result.bytes_sent)} in {duration(result.seconds)}."
            )
        )
        console.print(Text(f"Ledger: laydown receipt {batch.id}", "dim"), soft_wrap=True)


def _composed(path: str) -> str:
    """Return a path as the server writes it."""
    return unicodedata.normalize("NFC", path)

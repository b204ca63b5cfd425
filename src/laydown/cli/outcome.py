"""What became of a batch's files, as tables and named problems."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from laydown import wire
from laydown.cli.printable import files, printable, shortened, size
from laydown.cli.tables import Column, show_table

if TYPE_CHECKING:
    from laydown.client.result import Group
    from laydown.client.walk import Trouble

NAMED = 20
"""How many problem files a push names; the receipt names all."""

_STYLES = {"ready": "green", "duplicate": "cyan", "skipped": "dim"}
_BAD = "red"
_INDENT = 4
_COLUMNS = (
    Column(name="State"),
    Column(name="Reason"),
    Column(name="Files", is_right=True),
    Column(name="Size", is_right=True),
    Column(name="Meaning", is_optional=True),
)
_NARROWEST = 20  # columns into which a sentence is wrapped


def show_groups(console: Console, groups: Sequence["Group"]) -> None:
    """Print how many files and bytes fared how."""
    rows = [
        [
            group.state,
            group.reason or "",
            f"{group.files.count:,}",
            size(group.files.bytes),
            group.message or "",
        ]
        for group in groups
    ]
    styles = [_STYLES.get(group.state, _BAD) for group in groups]
    show_table(console, _COLUMNS, rows, styles=styles)


def show_problems(
    console: Console, rows: Iterable[wire.ReceiptRow], *, at_most: int | None, more: str
) -> None:
    """Name the files that are not in, by reason, and say what can be done.

    At most *at_most* of them; *more* says where the others are.
    """
    ordered = sorted(rows, key=lambda row: (*_fate(row), row.path))
    named = ordered if at_most is None else ordered[:at_most]
    for (state, reason), alike in groupby(named, key=_fate):
        first, *others = alike
        console.print()
        console.print(Text.assemble((state, _BAD), " " + reason, style="bold"))
        advice = " ".join(part for part in (first.message, first.remedy) if part)
        if advice:
            _indented(console, Text(advice), 2)
        for row in (first, *others):
            _name(console, row.path, row.detail)
    _and_more(console, len(ordered) - len(named), more)


def _fate(row: wire.ReceiptRow) -> tuple[str, str]:
    """Return what became of a file, in two words."""
    if row.infected:
        return "infected", "after it was published"
    return row.state, row.reason or ""


def show_troubles(
    console: Console, title: str, troubles: Sequence["Trouble"], *, at_most: int
) -> None:
    """Name files that did not leave this machine, and why."""
    if not troubles:
        return
    console.print()
    console.print(Text(title, "bold"))
    for trouble in troubles[:at_most]:
        _name(console, trouble.path, trouble.why)
    _and_more(console, len(troubles) - at_most, "")


def _name(console: Console, path: str, why: str | None) -> None:
    console.print(
        Text(" " * _INDENT + shortened(path, console.width - _INDENT)), no_wrap=True, crop=False
    )
    if why:
        _indented(console, Text(printable(why), "dim"), 2 * _INDENT)


def _indented(console: Console, text: Text, indent: int) -> None:
    for line in text.wrap(console, max(console.width - indent, _NARROWEST)):
        console.print(Text(" " * indent) + line, soft_wrap=True)


def _and_more(console: Console, left: int, where: str) -> None:
    if left > 0:
        pointer = f": {where}" if where else ""
        console.print(Text(f"{' ' * _INDENT}… and {files(left)} more{pointer}"), soft_wrap=True)

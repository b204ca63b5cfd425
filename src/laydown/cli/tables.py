"""Tables that fit the terminal: one column gives way, others stay whole or stay out."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from laydown.cli.printable import shortened

_GAP = 2  # cells between columns
_NARROWEST = 40  # cells in which the column that gives way still says something


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How a column behaves."""

    name: str
    is_right: bool = False  # aligned, as numbers are
    gives_way: bool = False  # shortened in the middle
    is_optional: bool = False  # left out where there is no room


def show_table(
    console: Console,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    styles: Sequence[str] = (),
) -> None:
    """Print *rows*, as many cells each as there are columns; *styles* are of their first cells."""
    needed = [
        max(cell_len(column.name), *(cell_len(row[index]) for row in rows), 0)
        for index, column in enumerate(columns)
    ]
    shown = _shown(columns, needed, console.width)
    widths = _widths(columns, needed, shown, console.width)
    head = [column.name for column in columns]
    for number, row in enumerate([head, *rows]):
        cells = [
            _cell(row[index], widths[index], is_right=columns[index].is_right) for index in shown
        ]
        line = Text((" " * _GAP).join(cells).rstrip(), "bold" if number == 0 else "")
        if number and styles:
            line.stylize(styles[number - 1], 0, len(cells[0]))
        console.print(line, soft_wrap=True)


def _shown(columns: Sequence[Column], needed: Sequence[int], width: int) -> list[int]:
    """Return the columns for which there is room; optional ones go, the last first."""
    shown = list(range(len(columns)))
    for index in reversed(range(len(columns))):
        least = sum(
            min(needed[each], _NARROWEST) if columns[each].gives_way else needed[each]
            for each in shown
        ) + _GAP * (len(shown) - 1)
        if least > width and columns[index].is_optional:
            shown.remove(index)
    return shown


def _widths(
    columns: Sequence[Column], needed: Sequence[int], shown: Sequence[int], width: int
) -> dict[int, int]:
    widths = {index: needed[index] for index in shown}
    for index in shown:
        if columns[index].gives_way:
            others = sum(widths.values()) - widths[index] + _GAP * (len(shown) - 1)
            widths[index] = min(widths[index], max(width - others, _NARROWEST))
    return widths


def _cell(text: str, width: int, *, is_right: bool) -> str:
    text = shortened(text, width)
    gap = " " * (width - cell_len(text))
    return gap + text if is_right else text + gap

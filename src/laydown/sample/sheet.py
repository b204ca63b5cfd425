"""The sheet around every drawing: border, title block, notes and revisions on A1 landscape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from laydown.sample.pdf import Drawing, Page
from laydown.sample.pen import Align, Pen, width_of
from laydown.sample.site import (
    ADDRESS,
    CLIENT,
    CONTRACTOR,
    FIRMS,
    PEOPLE,
    PROJECT,
    PROJECT_CODE,
    Discipline,
    Firm,
    dice,
)

WIDTH, HEIGHT = 841.0, 594.0
"""A1 landscape (ISO 216), in millimetres."""

LEFT, LOW, RIGHT, TOP = 20.0, 10.0, 671.0, 584.0
"""The area for drawings: inside the border (ISO 5457) and left of the title block."""

_EDGE = 831.0
_STRIP = _EDGE - RIGHT
_REVISIONS = (
    "Issued for information",
    "Issued for coordination",
    "Coordination comments included",
    "Issued for approval",
    "Issued for construction",
    "Openings moved at core walls",
)
_LEGENDS: Mapping[Discipline, tuple[str, ...]] = {
    Discipline.CIVIL: ("Building", "Tree", "Boundary", "Asphalt", "Spot level", "Contour"),
    Discipline.ARCHITECTURAL: ("Masonry", "Level", "Line above", "Wet room", "Axis", "Line below"),
    Discipline.STRUCTURAL: ("Concrete", "Column", "Beam below", "Opening", "Bar mark", "Joint"),
    Discipline.MECHANICAL: ("Supply", "Damper", "Return pipe", "Extract", "Sensor", "Access"),
    Discipline.ELECTRICAL: ("Cable tray", "Socket", "Circuit", "Board", "Luminaire", "Conduit"),
    Discipline.PLUMBING: ("Shaft", "Riser", "Hot water", "Insulation", "Valve", "Waste water"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the title block says."""

    number: str
    title: str
    discipline: Discipline
    building: int
    scale: str
    revision: str
    issued: datetime

    @property
    def firm(self) -> Firm:
        """Who drew it."""
        return FIRMS[self.discipline]


def open_sheet(pen: Pen, sheet: Sheet, *, seed: int) -> None:
    """Draw the border, its reference marks and the title block."""
    pen.ink(0)
    pen.show("Frame", 0, 0)
    _revisions(pen, sheet, seed=seed)
    _title(pen, sheet, seed=seed)


def close_sheet(pen: Pen, sheet: Sheet, drawings: Mapping[str, Drawing] | None = None) -> Page:
    """Return the page that was drawn; *drawings* are those that it shows."""
    shown = {"Frame": _frame(sheet.discipline), **(drawings or {})}
    return Page(width=WIDTH, height=HEIGHT, content=pen.content(), drawings=shown)


def notes(pen: Pen, x: float, y: float, heading: str, lines: Sequence[str]) -> None:
    """Write a numbered list under a heading, downwards from (x, y)."""
    pen.text(x, y, heading, size=4.5, bold=True)
    pen.width(0.25)
    pen.line(x, y - 1.5, x + 170, y - 1.5)
    numbered = [f"{n}.  {line}" for n, line in enumerate(lines, start=1)]
    pen.lines_of_text(x, y - 8, numbered, size=3.3, gap=2)


def view_title(pen: Pen, x: float, y: float, *, number: int, title: str, scale: str) -> None:
    """Write the bubble, the name and the scale under a view."""
    pen.width(0.35)
    pen.circle(x + 6, y, 6)
    pen.text(x + 6, y - 1.5, str(number), size=4.5, bold=True, align=Align.CENTER)
    pen.text(x + 15, y + 1.2, title, size=4.5, bold=True)
    pen.line(x + 12, y, x + 12 + max(60.0, len(title) * 3.2), y)
    pen.text(x + 15, y - 4.2, f"Scale {scale}", size=2.8)


def scale_bar(pen: Pen, x: float, y: float, *, metres: int = 10) -> None:
    """Draw a bar of *metres* at 1:100 with alternating fields."""
    pen.width(0.18)
    for metre in range(metres):
        pen.rect(x + 10 * metre, y, 10, 2, fill=metre % 2 == 0)
        pen.rect(x + 10 * metre, y, 10, 2)
        pen.text(x + 10 * metre, y + 3, str(metre), size=1.8, align=Align.CENTER)
    pen.text(x + 10 * metres, y + 3, f"{metres} m", size=1.8, align=Align.CENTER)


def north_arrow(pen: Pen, x: float, y: float) -> None:
    """Draw a circle with an arrow that points up."""
    pen.width(0.25)
    pen.circle(x, y, 9)
    pen.path([(x, y + 9), (x - 4, y - 7), (x, y - 4)], fill=True)
    pen.path([(x, y + 9), (x + 4, y - 7), (x, y - 4)], close=True)
    pen.text(x, y + 10.5, "N", size=4, bold=True, align=Align.CENTER)


@cache
def _frame(discipline: Discipline) -> Drawing:
    """Return all that is the same on every sheet of a discipline."""
    pen = Pen()
    pen.ink(0)
    pen.width(0.18)
    pen.rect(5, 5, WIDTH - 10, HEIGHT - 10)
    pen.width(0.7)
    pen.rect(LEFT, LOW, _EDGE - LEFT, TOP - LOW)
    pen.line(RIGHT, LOW, RIGHT, TOP)
    _zones(pen)
    _firm(pen, FIRMS[discipline])
    _key_plan(pen)
    _legend(pen, discipline)
    for y in (206, 142, 106, 50):
        pen.width(0.7)
        pen.line(RIGHT, LOW + y, _EDGE, LOW + y)
    for y, heading in ((198, "PROJECT"), (135, "SHEET TITLE"), (42, "SHEET NUMBER")):
        pen.text(RIGHT + 10, LOW + y, heading, size=2.5, bold=True)
    pen.line(_EDGE - 42, LOW, _EDGE - 42, LOW + 50)
    pen.text(_EDGE - 36, LOW + 42, "REVISION", size=2.5, bold=True)
    return Drawing.of(pen.content(), width=WIDTH, height=HEIGHT)


def _key_plan(pen: Pen) -> None:
    """Draw the campus, small: three buildings along the river."""
    x, y = RIGHT + 10, TOP - 180
    pen.text(x, TOP - 112, "KEY PLAN", size=2.5, bold=True)
    pen.width(0.35)
    for place, (left, low) in enumerate(((8, 8), (58, 18), (104, 30)), start=1):
        pen.rect(x + left, y + low, 38, 20)
        for bay in range(1, 8):
            pen.line(x + left + 4.75 * bay, y + low, x + left + 4.75 * bay, y + low + 20)
        pen.wipe(x + left + 15, y + low + 6, 8, 8)
        pen.text(x + left + 19, y + low + 8, str(place), size=5, bold=True, align=Align.CENTER)
    pen.ink(0.1, 0.35, 0.7)
    for bank in (0, 4):
        pen.curve(
            [(x + along, y + up - bank) for along, up in ((0, -2), (45, 3), (90, 12), (140, 20))]
        )
    pen.ink(0)
    pen.line(RIGHT, TOP - 192, _EDGE, TOP - 192)


def _legend(pen: Pen, discipline: Discipline) -> None:
    """Draw six symbols with their meaning."""
    pen.text(RIGHT + 10, TOP - 200, "LEGEND", size=2.5, bold=True)
    for place, meaning in enumerate(_LEGENDS[discipline]):
        column, row = divmod(place, 3)
        x, y = RIGHT + 10 + 72 * column, TOP - 214 - 14 * row
        pen.width(0.25)
        pen.rect(x, y, 16, 8)
        if place % 3 == 0:
            pen.hatch(x, y, 16, 8, gap=1.5 + place)
        elif place % 3 == 1:
            pen.circle(x + 8, y + 4, 2 + place / 4, fill=place == 1)
        else:
            pen.dash(3, 1)
            pen.line(x, y + 4, x + 16, y + 4)
            pen.dash()
        pen.text(x + 19, y + 2.6, meaning, size=3)
    pen.width(0.7)
    pen.line(RIGHT, TOP - 252, _EDGE, TOP - 252)


def _zones(pen: Pen) -> None:
    """Draw letters and numbers along the border by which people find a place."""
    pen.width(0.18)
    fields = 12
    for i in range(fields):
        x = LEFT + (_EDGE - LEFT) * (i + 0.5) / fields
        for y in (TOP + 1.6, LOW - 3.6):
            pen.text(x, y, str(i + 1), size=2.5, align=Align.CENTER)
        edge = LEFT + (_EDGE - LEFT) * i / fields
        pen.line(edge, TOP, edge, TOP + 5)
        pen.line(edge, LOW, edge, LOW - 5)
    for i, letter in enumerate("HGFEDCBA"):
        y = LOW + (TOP - LOW) * (i + 0.5) / 8
        for x in (LEFT - 3, _EDGE + 2.5):
            pen.text(x, y, letter, size=2.5, align=Align.CENTER)


def _firm(pen: Pen, firm: Firm) -> None:
    x, y = RIGHT + 10, TOP - 30
    pen.width(0.5)
    pen.rect(x, y, 20, 20)
    pen.rect(x + 2, y + 2, 11, 16, fill=True)
    pen.path([(x + 13, y + 2), (x + 18, y + 2), (x + 13, y + 18)], fill=True)
    pen.text(x + 26, y + 11, firm.name, size=7, bold=True)
    pen.text(x + 26, y + 4, firm.trade, size=4)
    pen.line(RIGHT, TOP - 40, _EDGE, TOP - 40)
    pen.text(x, TOP - 47, "DESIGN TEAM", size=2.5, bold=True)
    for i, member in enumerate(FIRMS.values()):
        column, row = divmod(i, 3)
        pen.text(x + 72 * column, TOP - 54 - 9 * row, member.name, size=3.2, bold=True)
        pen.text(x + 72 * column, TOP - 58 - 9 * row, member.trade, size=2.2)
    pen.line(RIGHT, TOP - 82, _EDGE, TOP - 82)
    pen.lines_of_text(
        x,
        TOP - 88,
        (
            "This drawing is copyright of its author. Do not scale; figured dimensions govern.",
            "Check all dimensions on site before work begins, and report discrepancies at once.",
            "Read together with the drawings of all other disciplines and the specification.",
        ),
        size=2.4,
    )
    pen.line(RIGHT, TOP - 104, _EDGE, TOP - 104)


def _revisions(pen: Pen, sheet: Sheet, *, seed: int) -> None:
    chance = dice(seed, "revisions", sheet.building, sheet.number)
    letters = [chr(code) for code in range(ord("A"), ord(sheet.revision) + 1)]
    x, low = RIGHT + 10, LOW + 218
    pen.width(0.25)
    for column in (0, 14, 90, 115, 140):
        pen.line(x + column, low, x + column, low + 7 * 8)
    for row in range(9):
        pen.line(x, low + 7 * row, x + 140, low + 7 * row)
    heads = ((1, "Rev"), (16, "Description"), (92, "Date"), (117, "By"))
    for column, head in heads:
        pen.text(x + column, low + 7 * 8 + 1.5, head, size=2.6, bold=True)
    issued: date = sheet.issued.date()
    for row, letter in reversed(list(enumerate(letters))):
        author = chance.choice(PEOPLE)
        for column, text in (
            (4, letter),
            (16, _REVISIONS[row % len(_REVISIONS)]),
            (92, f"{issued:%Y-%m-%d}"),
            (117, "".join(part[0] for part in author.split())),
        ):
            pen.text(x + column, low + 7 * row + 2.2, text, size=2.8)
        issued -= timedelta(days=chance.randrange(9, 40))


def _title(pen: Pen, sheet: Sheet, *, seed: int) -> None:
    chance = dice(seed, "title", sheet.building, sheet.number)
    x = RIGHT + 10
    pen.text(x, LOW + 186, f"{PROJECT}, Building {sheet.building}", size=7.5, bold=True)
    pen.lines_of_text(
        x, LOW + 176, (ADDRESS, f"Client: {CLIENT}", f"Contractor: {CONTRACTOR}"), size=3.8
    )
    size = min(8.0, 8 * (_STRIP - 20) / width_of(sheet.title, 8.6))
    pen.text(x, LOW + 119, sheet.title, size=size, bold=True)
    drawn, checked = chance.sample(PEOPLE, 2)
    cells = (
        ("Drawn", drawn),
        ("Checked", checked),
        ("Date", f"{sheet.issued:%Y-%m-%d}"),
        ("Scale (A1)", sheet.scale),
        ("Project no.", f"{PROJECT_CODE}-{2400 + sheet.building}"),
        ("Status", "For construction" if sheet.revision > "C" else "For coordination"),
    )
    pen.width(0.25)
    pen.line(RIGHT + _STRIP / 2, LOW + 50, RIGHT + _STRIP / 2, LOW + 106)
    for i, (head, text) in enumerate(cells):
        column, row = divmod(i, 3)
        y = LOW + 100 - 18.6 * row
        pen.text(x + _STRIP / 2 * column, y, head, size=2.5, bold=True)
        pen.text(x + _STRIP / 2 * column, y - 7.5, text, size=4.2)
        if row:
            pen.line(RIGHT, y + 6, _EDGE, y + 6)
    pen.text(x, LOW + 12, sheet.number, size=24, bold=True)
    pen.text(_EDGE - 21, LOW + 12, sheet.revision, size=24, bold=True, align=Align.CENTER)

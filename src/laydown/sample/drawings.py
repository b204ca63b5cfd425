"""The drawing office: which sheets the project has, and each of them as a PDF file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count, islice
from random import Random
from typing import assert_never

from laydown.sample.building import Building, Storey, design
from laydown.sample.details import DOOR_COLUMNS, detail, door_rows, site, table
from laydown.sample.facades import elevation, riser, section
from laydown.sample.overlays import OVERLAYS
from laydown.sample.pdf import Drawing, Page, document
from laydown.sample.pen import Pen
from laydown.sample.plan import MARGIN, background
from laydown.sample.sheet import (
    LEFT,
    LOW,
    TOP,
    Sheet,
    close_sheet,
    north_arrow,
    notes,
    open_sheet,
    scale_bar,
    view_title,
)
from laydown.sample.site import PROJECT, Discipline, dice, past_moment


class View(Enum):
    """What a sheet shows."""

    PLAN = auto()
    ELEVATION = auto()
    SECTION = auto()
    DETAILS = auto()
    DOORS = auto()
    RISER = auto()
    SITE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A sheet to draw: what, and of which storey or the how-manieth of its kind."""

    sheet: Sheet
    view: View
    subject: str
    place: int


# For each discipline: the first number, what it shows, and the titles; none means all storeys.
_PROGRAMME: dict[Discipline, tuple[tuple[int, View, str, Sequence[str]], ...]] = {
    Discipline.ARCHITECTURAL: (
        (101, View.PLAN, "Layout Plan", ()),
        (121, View.PLAN, "Ceiling Plan", ()),
        (141, View.PLAN, "Finishes Plan", ()),
        (201, View.ELEVATION, "Elevation", ("North", "East", "South", "West")),
        (301, View.SECTION, "Section", ("A-A", "B-B", "C-C", "D-D", "E-E", "F-F")),
        (501, View.DETAILS, "Details", [f"Envelope {n}" for n in range(1, 11)]),
        (601, View.DOORS, "Door Schedule", ()),
    ),
    Discipline.STRUCTURAL: (
        (101, View.PLAN, "Framing Plan", ()),
        (121, View.PLAN, "Reinforcement Bottom", ()),
        (141, View.PLAN, "Reinforcement Top", ()),
        (301, View.SECTION, "Section", ("1-1", "2-2", "3-3")),
        (501, View.DETAILS, "Details", [f"Concrete {n}" for n in range(1, 9)]),
    ),
    Discipline.MECHANICAL: (
        (101, View.PLAN, "Ventilation Plan", ()),
        (121, View.PLAN, "Heating Plan", ()),
        (501, View.DETAILS, "Details", [f"Mechanical {n}" for n in range(1, 5)]),
        (601, View.RISER, "Riser Diagram", ("Supply Air", "Extract Air", "Heating")),
    ),
    Discipline.ELECTRICAL: (
        (101, View.PLAN, "Power Plan", ()),
        (121, View.PLAN, "Lighting Plan", ()),
        (141, View.PLAN, "Fire Alarm Plan", ()),
        (501, View.DETAILS, "Details", [f"Electrical {n}" for n in range(1, 4)]),
        (601, View.RISER, "Riser Diagram", ("Power", "Data", "Fire Alarm")),
    ),
    Discipline.PLUMBING: (
        (101, View.PLAN, "Water Supply Plan", ()),
        (121, View.PLAN, "Drainage Plan", ()),
        (501, View.DETAILS, "Details", [f"Plumbing {n}" for n in range(1, 5)]),
        (601, View.RISER, "Riser Diagram", ("Cold Water", "Hot Water", "Drainage")),
    ),
    Discipline.CIVIL: (
        (101, View.SITE, "Plan", ("Existing Site", "Demolition", "Grading", "Utilities", "Paving")),
        (501, View.DETAILS, "Details", [f"Site {n}" for n in range(1, 5)]),
    ),
}
_NOTES = (
    "Levels are in metres, dimensions in millimetres unless noted.",
    "Do not drill or cut concrete without the structural engineer's written consent.",
    "All openings larger than 150 mm are shown; smaller ones are set out on site.",
    "Fire stopping of penetrations as the fire strategy drawings require.",
    "Tolerances for concrete as DIN 18202, table 3, row 6.",
    "Samples of all visible finishes are to be approved before ordering.",
    "Coordinate ceiling heights with the services drawings before fixing.",
    "Provide access panels at all valves, dampers and cleaning eyes.",
    "Door numbers refer to the door schedule, sheets A-601 and following.",
    "Existing services are to be located by hand digging before excavation.",
    "Contractor's drawings are to be submitted three weeks before fabrication.",
    "Protect finished surfaces until handover.",
)


@dataclass(slots=True)
class DrawingOffice:
    """Draws the sheets of one seed; what sheets share is drawn once."""

    seed: int
    _buildings: dict[int, Building] = field(default_factory=dict)
    _backgrounds: dict[tuple[int, int, bool], Drawing] = field(default_factory=dict)

    def building(self, number: int) -> Building:
        """Return a building of the campus."""
        if number not in self._buildings:
            self._buildings[number] = design(self.seed, number)
        return self._buildings[number]

    def assignments(self, wanted: int) -> list[Assignment]:
        """Return the first sheets of the project, all disciplines from the start."""
        return list(islice(self._all(), wanted))

    def single(self, assignment: Assignment) -> bytes:
        """Return one sheet as a PDF file."""
        sheet = assignment.sheet
        info = {
            "Title": f"{sheet.number} {sheet.title}",
            "Author": sheet.firm.name,
            "Subject": PROJECT,
            "Creator": "Planwerk 2026",
        }
        return document([self._page(assignment)], info=info, at=sheet.issued)

    def bound(self, assignments: Sequence[Assignment], *, title: str) -> bytes:
        """Return several sheets as one PDF file."""
        last = max(assignment.sheet.issued for assignment in assignments)
        info = {
            "Title": title,
            "Author": assignments[0].sheet.firm.name,
            "Subject": PROJECT,
            "Creator": "Planwerk 2026",
        }
        return document([self._page(assignment) for assignment in assignments], info=info, at=last)

    def _all(self) -> Iterator[Assignment]:
        """List every sheet of every building; in a building the disciplines take turns by share."""
        for number in count(1):
            ordered: list[tuple[float, Assignment]] = []
            for discipline in Discipline:
                sheets = list(self._programme(number, discipline))
                ordered += [(place / len(sheets), sheet) for place, sheet in enumerate(sheets)]
            yield from (sheet for _, sheet in sorted(ordered, key=lambda pair: pair[0]))

    def _programme(self, number: int, discipline: Discipline) -> Iterator[Assignment]:
        storeys = [storey.name for storey in self.building(number).storeys]
        for first, view, subject, titles in _PROGRAMME[discipline]:
            for place, title in enumerate(titles or storeys):
                mark = f"{discipline}-{first + place}"
                chance = dice(self.seed, "sheet", number, mark)
                sheet = Sheet(
                    number=mark,
                    title=f"{title} {subject}",
                    discipline=discipline,
                    building=number,
                    scale=_SCALES.get(view, "1:100"),
                    revision=chance.choice("ABBCCCDDE"),
                    issued=past_moment(chance),
                )
                yield Assignment(sheet=sheet, view=view, subject=subject, place=place)

    def _page(self, assignment: Assignment) -> Page:
        sheet, pen = assignment.sheet, Pen()
        chance = dice(self.seed, "page", sheet.building, sheet.number)
        open_sheet(pen, sheet, seed=self.seed)
        building = self.building(sheet.building)
        match assignment.view:
            case View.PLAN:
                return self._plan(pen, assignment, chance)
            case View.ELEVATION | View.SECTION:
                _side(pen, assignment, building, chance)
            case View.DETAILS:
                for place in range(9):
                    x, y = LEFT + 12 + 213 * (place % 3), LOW + 14 + 187 * (place // 3)
                    detail(pen, x, y, number=place + 1, chance=chance)
            case View.DOORS:
                _doors(pen, building.storeys[assignment.place], chance)
            case View.RISER:
                with pen.moved(LEFT + 45, LOW + 130):
                    riser(pen, building, chance, kind=sheet.number[0])
                _foot(pen, sheet, chance)
            case View.SITE:
                with pen.moved(LEFT + 25, LOW + 135):
                    site(pen, building, chance)
                north_arrow(pen, LEFT + 615, TOP - 30)
                _foot(pen, sheet, chance)
            case _:
                assert_never(assignment.view)
        return close_sheet(pen, sheet)

    def _plan(self, pen: Pen, assignment: Assignment, chance: Random) -> Page:
        sheet = assignment.sheet
        building = self.building(sheet.building)
        storey = building.storeys[assignment.place]
        is_furnished = assignment.subject in {"Layout Plan", "Power Plan"}
        drawing = self._background(building, storey, furnished=is_furnished)
        x = (LEFT + 671 - drawing.width) / 2
        y = TOP - 14 - drawing.height
        is_own = sheet.discipline is Discipline.ARCHITECTURAL
        pen.ink(0.12 if is_own else 0.62)
        pen.show("Plan", x, y)
        with pen.moved(x, y):
            OVERLAYS[assignment.subject](pen, building, storey, chance)
        pen.ink(0)
        pen.dash()
        scale_bar(pen, LEFT + 480, LOW + 20)
        north_arrow(pen, LEFT + 615, LOW + 30)
        view_title(pen, x + MARGIN, y - 6, number=1, title=sheet.title, scale=sheet.scale)
        _foot(pen, sheet, chance)
        return close_sheet(pen, sheet, {"Plan": drawing})

    def _background(self, building: Building, storey: Storey, *, furnished: bool) -> Drawing:
        key = (building.number, storey.index, furnished)
        if key not in self._backgrounds:
            self._backgrounds[key] = background(self.seed, building, storey, furnished=furnished)
        return self._backgrounds[key]


_SCALES = {View.DETAILS: "1:10", View.DOORS: "none", View.RISER: "none", View.SITE: "1:250"}


def _side(pen: Pen, assignment: Assignment, building: Building, chance: Random) -> None:
    draw = elevation if assignment.view is View.ELEVATION else section
    for number, low in enumerate((LOW + 370, LOW + 85), start=1):
        x = LEFT + (651 - building.width / 100) / 2
        with pen.moved(x, low):
            draw(pen, building, chance)
        title = f"{assignment.sheet.title} {number}"
        view_title(pen, x, low - 57, number=number, title=title, scale="1:100")


def _doors(pen: Pen, storey: Storey, chance: Random) -> None:
    rows = door_rows(storey, chance)
    for column, x in enumerate((LEFT + 12, LEFT + 225, LEFT + 438)):
        part = rows[column::3]
        table(pen, x, TOP - 30, columns=DOOR_COLUMNS, rows=part)
    pen.text(LEFT + 15, TOP - 20, f"Door schedule {storey.name}", size=6, bold=True)
    for place in range(3):
        x, y = LEFT + 12 + 213 * place, LOW + 14
        detail(pen, x, y, number=place + 1, chance=chance)


def _foot(pen: Pen, sheet: Sheet, chance: Random) -> None:
    """Write general notes and those of the sheet's own discipline at the foot."""
    notes(pen, LEFT + 15, LOW + 96, "GENERAL NOTES", chance.sample(_NOTES, 8))
    heading = f"{sheet.firm.trade.upper()}' NOTES"
    notes(pen, LEFT + 245, LOW + 96, heading, chance.sample(_NOTES, 6))

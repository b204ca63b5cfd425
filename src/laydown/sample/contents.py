"""What a contractor hands over: every file that is worth something, with its path and its time."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count, cycle, islice
from math import ceil

from laydown.sample import docx, ifc, papers, text, xlsx
from laydown.sample.building import Building
from laydown.sample.drawings import Assignment, DrawingOffice
from laydown.sample.dxf import Content, Release, storey_plan
from laydown.sample.photo import DEVICES, Photographer
from laydown.sample.site import (
    LAST_DAY,
    PROJECT_CODE,
    Discipline,
    dice,
    moment,
    working_days,
    zone_on,
)
from laydown.sample.wording import subject

_PHOTOS_A_DAY = 35
_LETTER_SHARE = 0.14  # of the PDF files
_SET_SHARE = 0.03
_SET_PAGES = 5

_PLAIN_NAMES = {
    1: "Überblick Südseite.jpg",
    # As a Mac writes it: letters and their dots apart.
    2: unicodedata.normalize("NFD", "Gerüst Westfassade geprüft.jpg"),
    3: "View from the crane (level 4).jpg",
    9: "Wassereintritt Übergang Achse C-4.jpg",
    14: "Photo for RFI 014.jpeg",
}
"""Photos that somebody renamed, by their place in the delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A file of the delivery before it is made; `make` uses up its chance and is called once."""

    path: str
    at: datetime
    make: Callable[[], bytes]


def drawings(office: DrawingOffice, wanted: int) -> Iterator[Planned]:
    """Plan PDF files: single sheets, bound sets, letters."""
    letters, sets = round(wanted * _LETTER_SHARE), round(wanted * _SET_SHARE)
    sheets = office.assignments(wanted - letters - sets)
    for sheet in sheets:
        yield Planned(
            path=f"{_sheet_folder(sheet)}/{_sheet_name(sheet)}",
            at=sheet.sheet.issued,
            make=partial(office.single, sheet),
        )
    yield from _sets(office, sheets, sets)
    yield from islice(_letters(office.seed), letters)


def photos(seed: int, wanted: int) -> Iterator[Planned]:
    """Plan photos in dated folders, oldest day first."""
    photographer = Photographer(seed)
    days = working_days(max(2, ceil(wanted / _PHOTOS_A_DAY)))
    for place, day in enumerate(days):
        chance = dice(seed, "day", day)
        start, end = (wanted * edge // len(days) for edge in (place, place + 1))
        morning = datetime(day.year, day.month, day.day, 7, 15, tzinfo=zone_on(day))
        seconds = sorted(chance.sample(range(9 * 3600), end - start))
        for number, second in enumerate(seconds, start=start):
            at = morning + timedelta(seconds=second)
            device = chance.choices(DEVICES, weights=(5, 3, 2, 1))[0]
            name = _PLAIN_NAMES.get(number) or device.name(at, 4000 + number)
            yield Planned(
                path=f"03 Photos/{day}/{name}",
                at=at,
                make=partial(photographer.take, device, at, number),
            )


def documents(office: DrawingOffice, wanted: int) -> Iterator[Planned]:
    """Plan models, drawings for CAD, tables and texts, a mixture from the start."""
    kinds: dict[str, Iterator[Planned]] = {
        "dxf": _cad(office),
        "ifc": _models(office),
        "xlsx": _tables(office),
        "docx": _texts(office.seed),
        "txt": _plain(office.seed),
        "csv": _values(office.seed),
    }
    turns = ("ifc", "xlsx", "dxf", "csv", "docx", "txt", "dxf", "xlsx", "txt", "dxf", "csv", "docx")
    return (next(kinds[kind]) for kind in islice(cycle(turns), wanted))


def _sheet_folder(assignment: Assignment) -> str:
    sheet = assignment.sheet
    building = f"Building {sheet.building}/" if sheet.building > 1 else ""
    return f"01 Drawings/{building}{sheet.firm.folder}"


def _sheet_name(assignment: Assignment) -> str:
    """Return the name as the firm likes it: plain, with the revision, or by ISO 19650."""
    sheet = assignment.sheet
    match sheet.discipline:
        case Discipline.ARCHITECTURAL | Discipline.CIVIL:
            return f"{sheet.number} {sheet.title}.pdf"
        case Discipline.STRUCTURAL:
            return f"{sheet.number}_{sheet.title.replace(' ', '_')}_Rev{sheet.revision}.pdf"
        case Discipline.MECHANICAL | Discipline.ELECTRICAL | Discipline.PLUMBING:
            revision = ord(sheet.revision) - ord("A") + 1
            letter, digits = sheet.number.split("-")
            firm = sheet.firm.name[:3].upper()
            return (
                f"{PROJECT_CODE}-{firm}-{sheet.building:02d}-ZZ-DR-{letter}-0{digits}"
                f"-P{revision:02d}.pdf"
            )


def _sets(office: DrawingOffice, sheets: Sequence[Assignment], wanted: int) -> Iterator[Planned]:
    """Plan bound sets of one discipline each."""
    for number in range(1, wanted + 1):
        discipline = list(Discipline)[number % len(Discipline)]
        own = [each for each in sheets if each.sheet.discipline is discipline] or list(sheets)
        start = (number // len(Discipline) * _SET_PAGES) % len(own)
        bound = own[start : start + _SET_PAGES]
        last = max(each.sheet.issued for each in bound)
        title = f"{PROJECT_CODE} {bound[0].sheet.firm.folder} Set {number:02d}"
        yield Planned(
            path=f"01 Drawings/Sets/{title} {last:%Y-%m-%d}.pdf",
            at=last,
            make=partial(office.bound, bound, title=title),
        )


def _letters(seed: int) -> Iterator[Planned]:
    """Plan requests, submittals and reports in turn, the newest first."""
    kinds = (
        ("RFI", "RFI", papers.request),
        ("SUB", "Submittals", papers.submittal),
        ("REP", "Site reports", papers.report),
    )
    for place in count():
        prefix, folder, write = kinds[place % len(kinds)]
        number = f"{prefix}-{place // len(kinds) + 1:03d}"
        chance = dice(seed, "letter", number)
        at = moment(chance, LAST_DAY - timedelta(days=place))
        about = subject(chance)
        yield Planned(
            path=f"05 Correspondence/{folder}/{number} {about}.pdf",
            at=at,
            make=partial(write, chance, at, number=number, about=about),
        )


def _cad(office: DrawingOffice) -> Iterator[Planned]:
    """Plan each storey as DXF, one file for each discipline."""
    for place in count():
        building, rest = _building_of(office, place, per_building=21)
        storey = building.storeys[rest % 7]
        content = list(Content)[rest // 7]
        release = list(Release)[place % 2]
        name = f"{PROJECT_CODE}-B{building.number}-{storey.index:02d}-{content}"
        at = moment(dice(office.seed, "dxf", place), LAST_DAY - timedelta(days=3 + place % 90))
        make = partial(storey_plan, building, storey, at, content=content, release=release)
        yield Planned(path=f"02 Models/DXF/{name}.dxf", at=at, make=make)


def _models(office: DrawingOffice) -> Iterator[Planned]:
    """Plan the whole building for each discipline, then storey by storey, as IFC."""
    kinds = list(ifc.Model)
    for place in count():
        building, rest = _building_of(office, place, per_building=16)
        of = kinds[rest % 2]
        is_whole = rest < len(kinds)
        storeys = building.storeys if is_whole else (building.storeys[rest // 2 - 1],)
        level = "" if is_whole else f"-L{storeys[0].index:02d}"
        chance = dice(office.seed, "ifc", place)
        at = moment(chance, LAST_DAY - timedelta(days=1 + place % 60))
        yield Planned(
            path=f"02 Models/IFC/{PROJECT_CODE}-B{building.number}{level}-{of}.ifc",
            at=at,
            make=partial(ifc.model, chance, building, storeys, at, of=of),
        )


def _building_of(office: DrawingOffice, place: int, *, per_building: int) -> tuple[Building, int]:
    number, rest = divmod(place, per_building)
    return office.building(number + 1), rest


def _tables(office: DrawingOffice) -> Iterator[Planned]:
    """Plan door schedules, logs, registers and bills in turn."""
    for place in count():
        turn, kind = divmod(place, 4)
        chance = dice(office.seed, "xlsx", place)
        at = moment(chance, LAST_DAY - timedelta(days=7 * turn))
        if kind == 0:
            building, level = _building_of(office, turn, per_building=7)
            storey = building.storeys[level]
            title = f"Door schedule B{building.number} {storey.name}"
            make = partial(xlsx.door_schedule, chance, storey, at, title=title)
        else:
            title, write = (
                (f"RFI log {at:%Y-%m-%d}", xlsx.request_log),
                (f"Submittal register {at:%Y-%m-%d}", xlsx.submittal_register),
                (f"Bill of quantities lot {turn + 1:02d}", xlsx.bill_of_quantities),
            )[kind - 1]
            make = partial(write, chance, at, title=title)
        yield Planned(path=f"04 Schedules/{title}.xlsx", at=at, make=make)


def _texts(seed: int) -> Iterator[Planned]:
    """Plan minutes and letters in turn."""
    for place in count():
        turn, kind = divmod(place, 2)
        chance = dice(seed, "docx", place)
        at = moment(chance, LAST_DAY - timedelta(days=7 * turn + kind))
        if kind == 0:
            title = f"Coordination meeting {at:%Y-%m-%d}"
            path = f"05 Correspondence/Minutes/{title}.docx"
            make = partial(docx.protocol, chance, at, title=title)
        else:
            about = subject(chance)
            title = f"Letter {turn + 1:03d} {about}"
            path = f"05 Correspondence/Letters/{title}.docx"
            make = partial(docx.letter, chance, at, title=title, about=about)
        yield Planned(path=path, at=at, make=make)


def _plain(seed: int) -> Iterator[Planned]:
    """Plan the diary of each day and minutes of site meetings in turn."""
    for place in count():
        turn, kind = divmod(place, 2)
        chance = dice(seed, "txt", place)
        at = moment(chance, LAST_DAY - timedelta(days=turn))
        title = ("Site diary", "Site meeting")[kind] + f" {at:%Y-%m-%d}"
        folder, write = (("Diary", text.diary), ("Minutes", text.protocol))[kind]
        make = partial(write, chance, at, title=title)
        yield Planned(path=f"05 Correspondence/{folder}/{title}.txt", at=at, make=make)


def _values(seed: int) -> Iterator[Planned]:
    """Plan delivery notes and readings of the monitoring in turn."""
    for place in count():
        turn, kind = divmod(place, 2)
        chance = dice(seed, "csv", place)
        at = moment(chance, LAST_DAY - timedelta(days=turn))
        number = (f"LS-{10_482 - turn}", f"P-{turn % 12 + 1:02d}")[kind]
        path, write = (
            (f"05 Correspondence/Delivery notes/{number}.csv", text.delivery_note),
            (f"06 Monitoring/{number} {at:%Y-%m-%d}.csv", text.readings),
        )[kind]
        yield Planned(path=path, at=at, make=partial(write, chance, at, number=number))

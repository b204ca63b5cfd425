"""Storeys of the building as ASCII DXF, in releases 12 (AC1009) and 2000 (AC1015).

Group codes after Autodesk's DXF reference; release 2000 adds handles, owners, subclass markers,
the table of block records and the OBJECTS section, without which CAD programs refuse a file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from laydown.sample.building import COLUMN, Building, Storey
from laydown.sample.site import PROJECT

_LAYERS = {
    "0": 7,
    "A-WALL": 7,
    "A-DOOR": 3,
    "A-GLAZ": 4,
    "A-AREA-IDEN": 2,
    "S-GRID": 8,
    "S-COLS": 1,
    "S-BEAM": 6,
    "M-DUCT": 5,
    "X-TITL": 7,
}
_DOOR = "DOOR-1010"


class Release(StrEnum):
    """The release of the format, by its code in the header."""

    R12 = "AC1009"
    R2000 = "AC1015"


class Content(StrEnum):
    """Which discipline's entities a file holds."""

    ARCHITECTURE = "ARC"
    STRUCTURE = "STR"
    SERVICES = "MEP"


@dataclass(slots=True)
class _Tape:
    """Entities of one file as pairs of group code and value."""

    release: Release
    lines: list[str] = field(default_factory=list)
    handle: int = 0x100  # below are the fixed handles of tables and dictionaries

    def put(self, *pairs: tuple[int, object]) -> None:
        self.lines += [f"{code:>3}\n{value}" for code, value in pairs]

    def entity(self, kind: str, layer: str, *pairs: tuple[int, object], of: str = "") -> None:
        """Write an entity; *of* is its subclass in release 2000."""
        head: list[tuple[int, object]] = [(0, kind)]
        if self.release is Release.R2000:
            self.handle += 1
            head += [(5, f"{self.handle:X}"), (330, _MODEL), (100, "AcDbEntity"), (8, layer)]
            head += [(100, of or f"AcDb{kind.title()}")]
        else:
            head += [(8, layer)]
        self.put(*head, *pairs)

    def line(self, layer: str, x0: float, y0: float, x1: float, y1: float) -> None:
        self.entity("LINE", layer, (10, x0), (20, y0), (30, 0), (11, x1), (21, y1), (31, 0))

    def circle(self, layer: str, x: float, y: float, radius: float) -> None:
        self.entity("CIRCLE", layer, (10, x), (20, y), (30, 0), (40, radius))

    def text(self, layer: str, x: float, y: float, height: float, text: str) -> None:
        pairs = [(10, x), (20, y), (30, 0), (40, height), (1, text)]
        if self.release is Release.R2000:
            pairs.append((100, "AcDbText"))
        self.entity("TEXT", layer, *pairs)

    def box(self, layer: str, x: float, y: float, width: float, depth: float) -> None:
        """Write a closed polyline."""
        corners = [
            [(10, x + right), (20, y + up)]
            for right, up in ((0, 0), (width, 0), (width, depth), (0, depth))
        ]
        if self.release is Release.R2000:
            flat = [pair for corner in corners for pair in corner]
            self.entity("LWPOLYLINE", layer, (90, 4), (70, 1), *flat, of="AcDbPolyline")
            return
        self.entity("POLYLINE", layer, (66, 1), (70, 1), (10, 0), (20, 0), (30, 0))
        for corner in corners:
            self.entity("VERTEX", layer, *corner, (30, 0))
        self.entity("SEQEND", layer)

    def insert(self, layer: str, x: float, y: float, *, flip: int) -> None:
        """Place the door's block; *flip* of -1 mirrors it downwards."""
        pairs = ((2, _DOOR), (10, x), (20, y), (30, 0), (41, 1), (42, flip), (43, 1))
        self.entity("INSERT", layer, *pairs, of="AcDbBlockReference")


# Fixed handles of release 2000, hexadecimal as the format writes them.
_MODEL, _PAPER, _DOOR_RECORD = "1F", "1E", "1D"
_ROOT, _GROUPS = "C", "D"


def storey_plan(
    building: Building, storey: Storey, at: datetime, *, content: Content, release: Release
) -> bytes:
    """Return one storey as a DXF file in millimetres."""
    tape = _Tape(release)
    _axes(tape, building)
    match content:
        case Content.ARCHITECTURE:
            _architecture(tape, storey)
        case Content.STRUCTURE:
            _structure(tape, building)
        case Content.SERVICES:
            _services(tape, building, storey)
    title = f"{PROJECT}, building {building.number}, {storey.name}, {content}, {at:%Y-%m-%d}"
    tape.text("X-TITL", 0, -5000, 500, title)
    parts = [
        _header(building, release),
        _tables(release),
        _blocks(release),
        ["  0\nSECTION\n  2\nENTITIES", *tape.lines, "  0\nENDSEC"],
    ]
    if release is Release.R2000:
        parts.append(_objects())
    text = "\n".join(line for part in parts for line in part) + "\n  0\nEOF\n"
    return text.replace("\n", "\r\n").encode("cp1252")


def _axes(tape: _Tape, building: Building) -> None:
    for number, x in enumerate(building.xs, start=1):
        tape.line("S-GRID", x, -2600, x, building.depth + 2600)
        tape.circle("S-GRID", x, building.depth + 3100, 500)
        tape.text("S-GRID", x - 100, building.depth + 2950, 300, str(number))
    for letter, y in zip("ABCDEF", building.ys, strict=True):
        tape.line("S-GRID", -2600, y, building.width + 2600, y)
        tape.circle("S-GRID", -3100, y, 500)
        tape.text("S-GRID", -3200, y - 150, 300, letter)


def _architecture(tape: _Tape, storey: Storey) -> None:
    for wall in storey.walls:
        tape.box("A-WALL", *wall.box)
    for pane in storey.windows:
        tape.box("A-GLAZ", *pane.box)
        tape.line("A-GLAZ", pane.x0, pane.y0, pane.x1, pane.y1)
    for door in storey.doors:
        tape.insert("A-DOOR", door.x, door.y, flip=door.swing)
    for room in storey.rooms:
        x, y = room.x + room.width / 3, room.y + room.depth / 2
        tape.text("A-AREA-IDEN", x, y, 250, room.name)
        tape.text("A-AREA-IDEN", x, y - 400, 220, f"{room.number}  {room.area:.1f} m2")


def _structure(tape: _Tape, building: Building) -> None:
    for x in building.xs:
        for y in building.ys:
            tape.box("S-COLS", x - COLUMN / 2, y - COLUMN / 2, COLUMN, COLUMN)
        for side in (-150, 150):
            tape.line("S-BEAM", x + side, 0, x + side, building.depth)
    for y in building.ys:
        for side in (-150, 150):
            tape.line("S-BEAM", 0, y + side, building.width, y + side)


def _services(tape: _Tape, building: Building, storey: Storey) -> None:
    _, b, c, d, e, _ = building.ys
    for low, high in ((b, c), (d, e)):
        tape.box("M-DUCT", 1500, (low + high) / 2 - 300, building.width - 3000, 600)
    for room in storey.rooms:
        x, y = room.x + room.width / 2, room.y + room.depth / 2
        tape.box("M-DUCT", x - 300, y - 300, 600, 600)
        tape.line("M-DUCT", x - 300, y - 300, x + 300, y + 300)
        tape.line("M-DUCT", x - 300, y + 300, x + 300, y - 300)
        tape.text("M-DUCT", x + 400, y, 180, f"{room.area * 18:.0f} m3/h")


def _pairs(*pairs: tuple[int, object]) -> list[str]:
    return [f"{code:>3}\n{value}" for code, value in pairs]


def _header(building: Building, release: Release) -> list[str]:
    facts: list[tuple[int, object]] = [
        (0, "SECTION"),
        (2, "HEADER"),
        (9, "$ACADVER"),
        (1, release.value),
        (9, "$DWGCODEPAGE"),
        (3, "ANSI_1252"),
        *((9, "$EXTMIN"), (10, -3600), (20, -5000), (30, 0)),
        *((9, "$EXTMAX"), (10, building.width + 3600), (20, building.depth + 3600), (30, 0)),
    ]
    if release is Release.R2000:
        # The seed is the next free handle: above any that a file of ours can reach.
        facts += [(9, "$HANDSEED"), (5, "FFFFF"), (9, "$INSUNITS"), (70, 4)]
    return _pairs(*facts, (0, "ENDSEC"))


def _tables(release: Release) -> list[str]:
    is_new = release is Release.R2000
    lines = _pairs((0, "SECTION"), (2, "TABLES"))
    lines += _table("VPORT", "8", (), is_new=is_new)
    types = [("Continuous", [(3, "Solid line"), (72, 65), (73, 0), (40, 0)])]
    if is_new:
        types = [(name, types[0][1]) for name in ("ByBlock", "ByLayer", "Continuous")]
    lines += _table("LTYPE", "5", types, is_new=is_new)
    layers = [(name, [(62, colour), (6, "Continuous")]) for name, colour in _LAYERS.items()]
    lines += _table("LAYER", "2", layers, is_new=is_new)
    style = [(40, 0), (41, 1), (50, 0), (71, 0), (42, 250), (3, "txt"), (4, "")]
    lines += _table("STYLE", "3", [("Standard", style)], is_new=is_new)
    for name, handle in (("VIEW", "6"), ("UCS", "7")):
        lines += _table(name, handle, (), is_new=is_new)
    lines += _table("APPID", "9", [("ACAD", [])], is_new=is_new)
    if is_new:
        lines += _table("DIMSTYLE", "A", [("Standard", [])], is_new=True)
        lines += _records()
    return lines + _pairs((0, "ENDSEC"))


_TABLE_CLASSES = {
    "LTYPE": "Linetype",
    "LAYER": "Layer",
    "STYLE": "TextStyle",
    "APPID": "RegApp",
    "DIMSTYLE": "DimStyle",
}


def _table(
    name: str,
    handle: str,
    entries: Iterable[tuple[str, list[tuple[int, object]]]],
    *,
    is_new: bool,
) -> list[str]:
    entries = list(entries)
    lines = _pairs((0, "TABLE"), (2, name))
    if is_new:
        lines += _pairs((5, handle), (330, 0), (100, "AcDbSymbolTable"))
    lines += _pairs((70, len(entries)))
    if is_new and name == "DIMSTYLE":
        lines += _pairs((100, "AcDbDimStyleTable"))
    for place, (entry, facts) in enumerate(entries):
        lines += _pairs((0, name))
        if is_new:
            # A dimension style alone has its handle in group 105.
            own = f"{int(handle, 16) * 16 + 0x20 + place:X}"
            lines += _pairs((105 if name == "DIMSTYLE" else 5, own), (330, handle))
            lines += _pairs((100, "AcDbSymbolTableRecord"))
            lines += _pairs((100, f"AcDb{_TABLE_CLASSES[name]}TableRecord"))
        lines += _pairs((2, entry), (70, 0), *facts)
    return lines + _pairs((0, "ENDTAB"))


_BLOCKS = (("*Model_Space", _MODEL), ("*Paper_Space", _PAPER), (_DOOR, _DOOR_RECORD))


def _records() -> list[str]:
    lines = _pairs((0, "TABLE"), (2, "BLOCK_RECORD"), (5, "1"), (330, 0))
    lines += _pairs((100, "AcDbSymbolTable"), (70, len(_BLOCKS)))
    for name, handle in _BLOCKS:
        lines += _pairs((0, "BLOCK_RECORD"), (5, handle), (330, "1"))
        lines += _pairs((100, "AcDbSymbolTableRecord"), (100, "AcDbBlockTableRecord"), (2, name))
    return lines + _pairs((0, "ENDTAB"))


def _blocks(release: Release) -> list[str]:
    lines = _pairs((0, "SECTION"), (2, "BLOCKS"))
    leaf = ((10, 0), (20, 0), (30, 0), (11, 0), (21, 1010), (31, 0))
    swing = ((10, 0), (20, 0), (30, 0), (40, 1010))
    if release is Release.R12:
        lines += _pairs(
            (0, "BLOCK"), (8, "0"), (2, _DOOR), (70, 0), (10, 0), (20, 0), (30, 0), (3, _DOOR)
        )
        lines += _pairs((0, "LINE"), (8, "0"), *leaf)
        lines += _pairs((0, "ARC"), (8, "0"), *swing, (50, 0), (51, 90))
        return lines + _pairs((0, "ENDBLK"), (8, "0"), (0, "ENDSEC"))
    for place, (name, record) in enumerate(_BLOCKS):
        owner = ((330, record), (100, "AcDbEntity"), (8, "0"))
        lines += _pairs((0, "BLOCK"), (5, f"{0x20 + place:X}"), *owner, (100, "AcDbBlockBegin"))
        lines += _pairs((2, name), (70, 0), (10, 0), (20, 0), (30, 0), (3, name), (1, ""))
        if name == _DOOR:
            lines += _pairs((0, "LINE"), (5, "2A"), *owner, (100, "AcDbLine"), *leaf)
            lines += _pairs((0, "ARC"), (5, "2B"), *owner, (100, "AcDbCircle"), *swing)
            lines += _pairs((100, "AcDbArc"), (50, 0), (51, 90))
        lines += _pairs((0, "ENDBLK"), (5, f"{0x28 - place:X}"), *owner, (100, "AcDbBlockEnd"))
    return lines + _pairs((0, "ENDSEC"))


def _objects() -> list[str]:
    root = ((0, "DICTIONARY"), (5, _ROOT), (330, 0), (100, "AcDbDictionary"), (281, 1))
    groups = ((0, "DICTIONARY"), (5, _GROUPS), (330, _ROOT), (100, "AcDbDictionary"), (281, 1))
    return [
        *_pairs((0, "SECTION"), (2, "OBJECTS"), *root, (3, "ACAD_GROUP"), (350, _GROUPS)),
        *_pairs(*groups, (0, "ENDSEC")),
    ]

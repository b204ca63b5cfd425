"""The building as IFC4 in a STEP file: project, site, storeys, and walls, columns or slabs.

Entities after ISO 16739-1 (IFC4 ADD2 TC1); the file after ISO 10303-21.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random

from laydown.sample.building import COLUMN, STOREY_HEIGHT, Building, Storey
from laydown.sample.site import ADDRESS, ALTITUDE, LATITUDE, LONGITUDE, PEOPLE, PROJECT, stamp

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$"
_SLAB = 280
_BASIC = 0x7F  # the last code that STEP takes as it is


class Model(StrEnum):
    """What a model is of."""

    ARCHITECTURE = "ARC"
    STRUCTURE = "STR"


@dataclass(slots=True)
class _Step:
    """The instances of one file; numbers start at 1."""

    chance: Random
    lines: list[str] = field(default_factory=list)

    def add(self, kind: str, *values: object) -> str:
        """Write an instance and return the reference to it; texts are given with `_text`."""
        self.lines.append(f"#{len(self.lines) + 1}={kind}({','.join(map(str, values))});")
        return f"#{len(self.lines)}"

    def rooted(self, kind: str, *values: object) -> str:
        """Write an instance that has an identity of its own and no history."""
        return self.add(kind, _identity(self.chance), "$", *values)

    def point(self, *numbers: float) -> str:
        return self.add("IFCCARTESIANPOINT", _real(*numbers))

    def direction(self, *numbers: float) -> str:
        return self.add("IFCDIRECTION", _real(*numbers))


def model(
    chance: Random, building: Building, storeys: Sequence[Storey], at: datetime, *, of: Model
) -> bytes:
    """Return the given *storeys* of a building as an IFC file in millimetres."""
    step = _Step(chance)
    origin = step.point(0.0, 0.0, 0.0)
    up, east = step.direction(0.0, 0.0, 1.0), step.direction(1.0, 0.0, 0.0)
    world = step.add("IFCAXIS2PLACEMENT3D", origin, up, east)
    context = step.add("IFCGEOMETRICREPRESENTATIONCONTEXT", "$", "'Model'", 3, "1.E-05", world, "$")
    body = step.add(
        "IFCGEOMETRICREPRESENTATIONSUBCONTEXT",
        *("'Body'", "'Model'", "*", "*", "*", "*", context, "$", ".MODEL_VIEW.", "$"),
    )
    project = step.rooted(
        "IFCPROJECT", _text(PROJECT), "$", "$", "$", "$", _list([context]), _units(step)
    )
    tree = _Tree(step=step, world=world, body=body, up=up)
    place, house = _spatial(tree, project, building)
    floors = []
    for storey in storeys:
        where, floor = _floor(tree, place, storey)
        floors.append(floor)
        things = _walls(tree, where, storey) if of is Model.ARCHITECTURE else []
        if of is Model.STRUCTURE:
            things = _columns(tree, where, building)
        things.append(_slab(tree, where, building))
        step.rooted("IFCRELCONTAINEDINSPATIALSTRUCTURE", "$", "$", _list(things), floor)
    step.rooted("IFCRELAGGREGATES", "$", "$", house, _list(floors))
    return _file(step, f"{PROJECT} building {building.number} {of}", chance, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """What all geometry refers to."""

    step: _Step
    world: str
    body: str
    up: str

    def placed(self, within: str, x: float, y: float, z: float) -> str:
        """Write a place relative to another, with the same axes."""
        axes = self.step.add("IFCAXIS2PLACEMENT3D", self.step.point(x, y, z), "$", "$")
        return self.step.add("IFCLOCALPLACEMENT", within, axes)

    def block(self, width: float, depth: float, height: float) -> str:
        """Write the shape of an upright box around the origin of its own place."""
        step = self.step
        centre = step.add("IFCAXIS2PLACEMENT2D", step.point(0.0, 0.0), "$")
        profile = step.add(
            "IFCRECTANGLEPROFILEDEF", ".AREA.", "$", centre, _real_one(width), _real_one(depth)
        )
        solid = step.add("IFCEXTRUDEDAREASOLID", profile, self.world, self.up, _real_one(height))
        shape = step.add(
            "IFCSHAPEREPRESENTATION", self.body, "'Body'", "'SweptSolid'", _list([solid])
        )
        return step.add("IFCPRODUCTDEFINITIONSHAPE", "$", "$", _list([shape]))


def _spatial(tree: _Tree, project: str, building: Building) -> tuple[str, str]:
    """Write site and building; return the building's place and the building."""
    step = tree.step
    site_place = step.add("IFCLOCALPLACEMENT", "$", tree.world)
    site = step.rooted(
        "IFCSITE",
        *(_text(PROJECT), _text(ADDRESS), "$", site_place, "$", "$", ".ELEMENT."),
        *(_angle(LATITUDE), _angle(LONGITUDE), _real_one(ALTITUDE * 1000), "$", "$"),
    )
    place = tree.placed(site_place, 90_000.0 * (building.number - 1), 0.0, 0.0)
    house = step.rooted(
        "IFCBUILDING",
        *(_text(f"Building {building.number}"), "$", "$", place, "$", "$", ".ELEMENT."),
        *("$", "$", "$"),
    )
    step.rooted("IFCRELAGGREGATES", "$", "$", project, _list([site]))
    step.rooted("IFCRELAGGREGATES", "$", "$", site, _list([house]))
    return place, house


def _floor(tree: _Tree, within: str, storey: Storey) -> tuple[str, str]:
    where = tree.placed(within, 0.0, 0.0, float(storey.elevation))
    floor = tree.step.rooted(
        "IFCBUILDINGSTOREY",
        *(_text(storey.name), "$", "$", where, "$", "$", ".ELEMENT."),
        _real_one(storey.elevation),
    )
    return where, floor


def _walls(tree: _Tree, where: str, storey: Storey) -> list[str]:
    walls = []
    for number, wall in enumerate(storey.walls, start=1):
        x, y, width, depth = wall.box
        place = tree.placed(where, x + width / 2, y + depth / 2, 0.0)
        shape = tree.block(width, depth, STOREY_HEIGHT - _SLAB)
        name = _text(f"Wall {wall.thickness} mm {storey.index}.{number:03d}")
        walls.append(tree.step.rooted("IFCWALL", name, "$", "$", place, shape, "$", ".SOLIDWALL."))
    return walls


def _columns(tree: _Tree, where: str, building: Building) -> list[str]:
    columns = []
    for number, x in enumerate(building.xs, start=1):
        for letter, y in zip("ABCDEF", building.ys, strict=True):
            place = tree.placed(where, x, y, 0.0)
            shape = tree.block(COLUMN, COLUMN, STOREY_HEIGHT - _SLAB)
            name = _text(f"Column {letter}{number}")
            columns.append(
                tree.step.rooted("IFCCOLUMN", name, "$", "$", place, shape, "$", ".COLUMN.")
            )
    return columns


def _slab(tree: _Tree, where: str, building: Building) -> str:
    place = tree.placed(where, building.width / 2, building.depth / 2, -float(_SLAB))
    shape = tree.block(building.width + COLUMN, building.depth + COLUMN, _SLAB)
    return tree.step.rooted("IFCSLAB", "'Slab 280 mm'", "$", "$", place, shape, "$", ".FLOOR.")


def _units(step: _Step) -> str:
    kinds = (
        (".LENGTHUNIT.", ".MILLI.", ".METRE."),
        (".AREAUNIT.", "$", ".SQUARE_METRE."),
        (".VOLUMEUNIT.", "$", ".CUBIC_METRE."),
        (".PLANEANGLEUNIT.", "$", ".RADIAN."),
    )
    units = [step.add("IFCSIUNIT", "*", *kind) for kind in kinds]
    return step.add("IFCUNITASSIGNMENT", _list(units))


def _file(step: _Step, title: str, chance: Random, at: datetime) -> bytes:
    author, when = chance.choice(PEOPLE), stamp(at).removesuffix("Z")
    tool = "'Planwerk 2026','Planwerk 2026',''"
    head = (
        "ISO-10303-21;",
        "HEADER;",
        "FILE_DESCRIPTION(('ViewDefinition [ReferenceView_V1.2]'),'2;1');",
        f"FILE_NAME({_text(title)},'{when}',({_text(author)}),('Nordhof Architects'),{tool});",
        "FILE_SCHEMA(('IFC4'));",
        "ENDSEC;",
        "DATA;",
    )
    return ("\n".join((*head, *step.lines, "ENDSEC;", "END-ISO-10303-21;")) + "\n").encode("ascii")


def _identity(chance: Random) -> str:
    """Return a GlobalId: 128 bits as 22 letters, of which the first carries two bits."""
    letters = [_ALPHABET[chance.getrandbits(2)]]
    letters += [_ALPHABET[chance.getrandbits(6)] for _ in range(21)]
    return f"'{''.join(letters)}'"


def _text(text: str) -> str:
    r"""Return a STEP string: quotes doubled, beyond ASCII UTF-16 between \X2\ and \X0\."""
    letters = (
        letter
        if ord(letter) <= _BASIC
        else f"\\X2\\{letter.encode('utf-16-be').hex().upper()}\\X0\\"
        for letter in text.replace("'", "''")
    )
    return f"'{''.join(letters)}'"


def _list(items: Sequence[str]) -> str:
    return f"({','.join(items)})"


def _real_one(number: float) -> str:
    return f"{float(number):.1f}"


def _real(*numbers: float) -> str:
    return _list([_real_one(number) for number in numbers])


def _angle(degrees: float) -> str:
    """Return degrees, minutes, seconds and millionths of one (IfcCompoundPlaneAngleMeasure)."""
    whole, rest = divmod(round(degrees * 3_600_000_000), 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    seconds, millionths = divmod(rest, 1_000_000)
    return _list([str(part) for part in (whole, minutes, seconds, millionths)])

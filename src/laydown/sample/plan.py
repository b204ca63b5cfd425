"""Draws one storey as a floor plan, the background that every discipline draws over.

Everything is in millimetres on paper at 1:100, and takes the colour of the sheet that shows it.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from random import Random

from laydown.sample.building import COLUMN, Building, Door, Room, Storey
from laydown.sample.pdf import Drawing
from laydown.sample.pen import Align, Pen
from laydown.sample.site import dice, happens

SCALE = 100
MARGIN = 42.0
"""Between the edge of the drawing and the first axis: room for bubbles and dimensions."""

_BUBBLE = 5.0
_TAG_ROWS = (2, 3)  # of chairs: the tag of the room stands there


def background(seed: int, building: Building, storey: Storey, *, furnished: bool) -> Drawing:
    """Return the plan of a storey with its axes and dimensions, origin at the lower left."""
    pen = Pen()
    _axes(pen, building)
    _walls(pen, building, storey)
    for door in storey.doors:
        _door(pen, door)
    chance = dice(seed, "furniture", building.number, storey.index)
    for room in storey.rooms:
        if furnished:
            _FURNITURE.get(room.name, _desks)(pen, room, chance)
        _tag(pen, room)
    width, height = building.width / SCALE, building.depth / SCALE
    return Drawing.of(pen.content(), width=width + 2 * MARGIN, height=height + 2 * MARGIN)


def at(millimetres: float) -> float:
    """Return where a coordinate of the building lies on the drawing."""
    return millimetres / SCALE + MARGIN


def _axes(pen: Pen, building: Building) -> None:
    left, low = at(0), at(0)
    right, top = at(building.width), at(building.depth)
    pen.width(0.13)
    pen.dash(8, 1.5, 1, 1.5)
    for x in building.xs:
        pen.line(at(x), low - 26, at(x), top + 26)
    for y in building.ys:
        pen.line(left - 26, at(y), right + 26, at(y))
    pen.dash()
    pen.width(0.25)
    for number, x in enumerate(building.xs, start=1):
        for end in (low - 26 - _BUBBLE, top + 26 + _BUBBLE):
            pen.circle(at(x), end, _BUBBLE)
            pen.text(at(x), end - 1.3, str(number), size=3.5, bold=True, align=Align.CENTER)
    for letter, y in zip("ABCDEF", building.ys, strict=True):
        for end in (left - 26 - _BUBBLE, right + 26 + _BUBBLE):
            pen.circle(end, at(y), _BUBBLE)
            pen.text(end, at(y) - 1.3, letter, size=3.5, bold=True, align=Align.CENTER)
    _dimensions(pen, building)


def _dimensions(pen: Pen, building: Building) -> None:
    """Draw two chains on top and at the left: from axis to axis, and all of it."""
    pen.width(0.13)
    for offset, stops in ((12, building.xs), (19, (building.xs[0], building.xs[-1]))):
        y = at(building.depth) + offset
        pen.line(at(stops[0]) - 2, y, at(stops[-1]) + 2, y)
        for x in stops:
            pen.line(at(x) - 1, y - 1, at(x) + 1, y + 1)
        for a, b in pairwise(stops):
            pen.text((at(a) + at(b)) / 2, y + 0.8, str(b - a), size=2.2, align=Align.CENTER)
    for offset, stops in ((12, building.ys), (19, (building.ys[0], building.ys[-1]))):
        left = at(0) - offset
        pen.line(left, at(stops[0]) - 2, left, at(stops[-1]) + 2)
        for stop in stops:
            pen.line(left - 1, at(stop) - 1, left + 1, at(stop) + 1)
        for a, b in pairwise(stops):
            middle = (at(a) + at(b)) / 2
            pen.text(left - 0.8, middle, str(b - a), size=2.2, align=Align.CENTER, upright=True)


def _walls(pen: Pen, building: Building, storey: Storey) -> None:
    pen.width(0.35)
    for wall in storey.walls:
        x, y, width, depth = wall.box
        pen.rect(at(x), at(y), width / SCALE, depth / SCALE, fill=True)
    size = COLUMN / SCALE
    for x in building.xs:
        for y in building.ys:
            pen.rect(at(x) - size / 2, at(y) - size / 2, size, size, fill=True)
    pen.width(0.13)
    for pane in storey.windows:
        x, y, width, depth = pane.box
        pen.rect(at(x), at(y), width / SCALE, depth / SCALE)
        for share in (0.4, 0.6):
            pen.line(at(x), at(y + depth * share), at(x + width), at(y + depth * share))


def _door(pen: Pen, door: Door) -> None:
    x, y, leaf = at(door.x), at(door.y), door.width / SCALE
    pen.width(0.25)
    pen.line(x, y, x, y + leaf * door.swing)
    pen.width(0.13)
    pen.arc(x, y, leaf, 0, 90 * door.swing)
    pen.line(x, y - 0.75, x + leaf, y - 0.75)
    pen.text(x + leaf / 2, y - 2.9 * door.swing - 0.5, door.number, size=1.4, align=Align.CENTER)


def _tag(pen: Pen, room: Room) -> None:
    x, y = at(room.x + room.width / 2), at(room.y + room.depth / 2)
    pen.width(0.18)
    pen.wipe(x - 11, y - 6.5, 22, 13)
    pen.text(x, y + 2.8, room.name, size=3, bold=True, align=Align.CENTER)
    pen.rect(x - 6, y - 2.4, 12, 4.2)
    pen.text(x, y - 1.3, room.number, size=2.7, align=Align.CENTER)
    pen.text(x, y - 5.6, f"{room.area:.1f} m²", size=2.3, align=Align.CENTER)


def _desks(pen: Pen, room: Room, chance: Random) -> None:
    """Draw pairs of desks with screens and chairs along the two long walls."""
    pen.width(0.13)
    count = int(room.width // 2600)
    step = room.width / max(count, 1)
    for row, y in enumerate((room.y + 900, room.y + room.depth - 1900)):
        for i in range(count):
            x = room.x + step * (i + 0.5) - 800 + chance.randrange(-120, 120)
            left, low = at(x), at(y)
            pen.rect(left, low, 16, 8)
            pen.rect(left + 4.5, low + (1 if row == 0 else 6), 7, 1)
            seat = low + (11 if row == 0 else -3)
            pen.circle(left + 8, seat, 2.4)
            pen.arc(left + 8, seat, 3, 30 if row == 0 else 210, 90 if row == 0 else 270)
            pen.arc(left + 8, seat, 3, 90 if row == 0 else 270, 150 if row == 0 else 330)


def _seats(pen: Pen, room: Room, chance: Random) -> None:
    """Draw rows of chairs towards a board."""
    pen.width(0.13)
    pen.rect(at(room.x + room.width * 0.2), at(room.y + room.depth - 350), room.width * 0.006, 1.5)
    for row in range(int(room.depth // 1100) - 1):
        if row in _TAG_ROWS:
            continue
        for i in range(int(room.width // 800) - 1):
            x, y = at(room.x + 800 * (i + 0.75)), at(room.y + 700 + 1100 * row)
            turn = chance.randrange(-3, 4) / 10
            pen.path([(x, y), (x + 4.5, y + turn), (x + 4.5, y + 4.5), (x, y + 4.5)], close=True)
            pen.line(x, y - 0.8, x + 4.5, y - 0.8 + turn)


def _stairs(pen: Pen, room: Room, chance: Random) -> None:
    """Draw two flights, a landing and the arrow that climbs."""
    pen.width(0.18)
    left, low = at(room.x), at(room.y + chance.choice((900, 1200)))
    width, middle = room.width / SCALE, at(room.x + room.width / 2)
    for tread in range(19):
        y = low + tread * 2.8
        pen.line(left, y, middle - 0.8, y)
        pen.line(middle + 0.8, y, left + width, y)
    pen.rect(middle - 0.8, low, 1.6, 18 * 2.8)
    pen.arrow(left + width / 4, low, left + width / 4, low + 18 * 2.8, size=3)
    pen.text(left + width / 4, low - 3, "UP", size=1.8, align=Align.CENTER)


def _toilets(pen: Pen, room: Room, chance: Random) -> None:
    """Draw cubicles with bowls on one side, basins on the other, tiles on the floor."""
    pen.width(0.13)
    left, low, width = at(room.x), at(room.y), room.width / SCALE
    for i in range(int(room.depth // 1000)):
        y = low + i * 10
        pen.line(left, y + 10, left + 15, y + 10)
        pen.circle(left + 3.4 + chance.random() / 4, y + 5, 2)
        pen.rect(left, y + 3, 1.4, 4)
        pen.circle(left + width - 2.5, y + 5, 1.8)
        pen.rect(left + width - 5, y + 2, 5, 6)
    pen.width(0.05)
    pen.hatch(left, low, width, room.depth / SCALE, gap=6)


def _shelves(pen: Pen, room: Room, chance: Random) -> None:
    """Draw racks with crossed bays."""
    pen.width(0.13)
    for y in (room.y + 300, room.y + 1700, room.y + room.depth - 900):
        for i in range(int(room.width // 1000) - 1):
            x = at(room.x + 350 + 1000 * i)
            pen.rect(x, at(y), 10, 5)
            pen.line(x, at(y), x + 10, at(y) + 5)
            if happens(chance, 0.8):  # some bays stand open
                pen.line(x, at(y) + 5, x + 10, at(y))


def _machines(pen: Pen, room: Room, chance: Random) -> None:
    """Draw tanks, pumps and their plinths."""
    pen.width(0.18)
    for i in range(int(room.width // 2200)):
        x, y = at(room.x + 1100 + 2200 * i), at(room.y + 1500)
        radius = chance.choice((5.5, 7.0, 8.0))
        pen.rect(x - 9, y - 9, 18, 18)
        pen.circle(x, y, radius)
        pen.circle(x, y, radius - 1)
        pen.rect(x - 4, at(room.y + room.depth - 1600), 8, 12)


_FURNITURE: Mapping[str, Callable[[Pen, Room, Random], None]] = {
    "Seminar": _seats,
    "Meeting": _seats,
    "Stair": _stairs,
    "WC Women": _toilets,
    "WC Men": _toilets,
    "Storage": _shelves,
    "Archive": _shelves,
    "Bicycles": _shelves,
    "Copy Room": _shelves,
    "Plant Room": _machines,
    "Tank Room": _machines,
    "Switch Room": _machines,
    "Riser": _machines,
}

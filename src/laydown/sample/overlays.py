"""Draws what each discipline adds over the plan of a storey: ducts, cables, pipes, steel, tiles.

Every function draws in the plan's own coordinates (see `plan.at`).
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from random import Random

from laydown.sample.building import Building, Room, Storey
from laydown.sample.pen import Align, Pen
from laydown.sample.plan import SCALE, at

Overlay = Callable[[Pen, Building, Storey, Random], None]


def _centre(room: Room) -> tuple[float, float]:
    return at(room.x + room.width / 2), at(room.y + room.depth / 2)


def _corridors(building: Building) -> tuple[float, float]:
    """Return the middle lines of the southern and the northern corridor."""
    _, b, c, d, e, _ = building.ys
    return at((b + c) / 2), at((d + e) / 2)


def _nearest(lines: tuple[float, float], y: float) -> float:
    return min(lines, key=lambda line: abs(line - y))


def _ventilation(pen: Pen, building: Building, storey: Storey, chance: Random) -> None:
    """Draw supply ducts along the corridors, a branch and diffusers in every room."""
    pen.ink(0.05, 0.25, 0.65)
    mains = _corridors(building)
    for y in mains:
        pen.width(0.5)
        pen.rect(at(1500), y - 3, (building.width - 3000) / SCALE, 6)
        pen.width(0.13)
        pen.line(at(1500), y, at(building.width - 1500), y)
        for axis in building.xs[1:-1]:
            size = chance.choice(("800x300", "600x300", "500x250"))
            pen.text(at(axis) + 12, y + 3.6, f"SUP {size}", size=1.9)
            pen.arrow(at(axis) + 4, y, at(axis) + 11, y, size=3)
    for room in storey.rooms:
        x, y = _centre(room)
        main = _nearest(mains, y)
        side = 1 if y > main else -1
        pen.width(0.35)
        for edge in (-1.5, 1.5):
            pen.line(x + edge, main + 3 * side, x + edge, y + 9 * side)
        flow = round(room.area * chance.choice((14, 18, 22)), -1)
        for i in range(max(1, round(room.width / 3000))):
            _diffuser(
                pen,
                at(room.x + room.width * (i + 0.5) / max(1, round(room.width / 3000))),
                y + 12 * side,
            )
        pen.line(at(room.x + 900), y + 9 * side, at(room.x + room.width - 900), y + 9 * side)
        pen.text(x, y + 17 * side, f"{flow:.0f} m³/h", size=1.9, align=Align.CENTER)


def _diffuser(pen: Pen, x: float, y: float) -> None:
    pen.width(0.25)
    pen.rect(x - 3, y - 3, 6, 6)
    pen.line(x - 3, y - 3, x + 3, y + 3)
    pen.line(x - 3, y + 3, x + 3, y - 3)
    for reach in (1, 2):
        pen.rect(x - reach, y - reach, 2 * reach, 2 * reach)


def _heating(pen: Pen, building: Building, storey: Storey, chance: Random) -> None:
    """Draw loops of floor heating and their manifolds."""
    mains = _corridors(building)
    for room in storey.rooms:
        left, right = at(room.x) + 3, at(room.x + room.width) - 3
        low, top = at(room.y) + 4, at(room.y + room.depth) - 4
        legs: list[tuple[float, float]] = []
        y, turn = low, 0
        while y < top:
            ends = [(left, y), (right, y)]
            legs += ends if turn % 2 == 0 else ends[::-1]
            y, turn = y + 2.5, turn + 1
        pen.ink(0.75, 0.1, 0.1)
        pen.width(0.3)
        pen.path(legs)
        x, middle = _centre(room)
        main = _nearest(mains, middle)
        pen.ink(0.1, 0.2, 0.7)
        pen.dash(3, 1)
        pen.line(x - 1.5, main, x - 1.5, middle)
        pen.dash()
        pen.text(x, middle + 7, f"{len(room.number) * chance.randrange(12, 31)} W/m", size=1.9)
    for y in mains:
        for edge, colour in ((1.0, (0.75, 0.1, 0.1)), (-1.0, (0.1, 0.2, 0.7))):
            pen.ink(*colour)
            pen.width(0.6)
            pen.line(at(1200), y + edge, at(building.width - 1200), y + edge)


def _power(pen: Pen, building: Building, storey: Storey, chance: Random) -> None:
    """Draw cable trays in the corridors, sockets on the walls, circuits between them."""
    pen.ink(0.75, 0.3, 0.0)
    trays = _corridors(building)
    for y in trays:
        pen.width(0.25)
        pen.rect(at(800), y + 3, (building.width - 1600) / SCALE, 3)
        pen.hatch(at(800), y + 3, (building.width - 1600) / SCALE, 3, gap=4)
        pen.text(at(1500), y + 7, "CABLE TRAY 300x60", size=1.9)
    for circuit, room in enumerate(storey.rooms, start=1):
        x, middle = _centre(room)
        tray = _nearest(trays, middle) + 4.5
        pen.text(x + 8, (tray + middle) / 2, f"DB{storey.index}-{circuit:02d}", size=1.9)
        for inset in (150, room.depth - 150):
            y = at(room.y + inset)
            places = [
                chance.randrange(400, room.width - 400) for _ in range(2 + room.width // 2500)
            ]
            sockets = [(at(room.x + place), y) for place in sorted(places)]
            for socket in sockets:
                _socket(pen, *socket)
            pen.width(0.2)
            # The cable leaves the tray, loops along the wall from socket to socket.
            loops = [(left, y - 3 if inset > room.depth / 2 else y + 3) for left, _ in sockets]
            pen.curve([(x, tray), (x + 2, (tray + middle) / 2), *loops])
    pen.rect(at(building.xs[2]) + 4, trays[0] - 9, 10, 4, fill=True)
    pen.text(at(building.xs[2]) + 15, trays[0] - 8.6, f"DB{storey.index}", size=2.5, bold=True)


def _socket(pen: Pen, x: float, y: float) -> None:
    pen.width(0.3)
    pen.arc(x, y, 1.6, 0, 90)
    pen.arc(x, y, 1.6, 90, 180)
    pen.line(x - 1.6, y, x + 1.6, y)
    pen.line(x, y + 1.6, x, y + 2.8)


def _lighting(pen: Pen, building: Building, storey: Storey, chance: Random) -> None:
    """Draw luminaires in rows, switches, emergency lights along the escape route."""
    pen.ink(0.55, 0.4, 0.0)
    for room in storey.rooms:
        kind = chance.choice(("L1", "L2", "L3"))
        columns = max(1, room.width // 1800)
        spots = [
            (at(room.x + room.width * (i + 0.5) / columns), at(room.y + room.depth * share))
            for share, order in ((0.2, 1), (0.8, -1))
            for i in range(columns)[::order]
        ]
        pen.width(0.3)
        for x, y in spots:
            pen.rect(x - 6, y - 1.5, 12, 3)
            pen.line(x - 6, y, x + 6, y)
            pen.text(x + 6.6, y - 0.8, kind, size=1.7)
        pen.width(0.15)
        pen.curve([*spots, _centre(room)])
    pen.ink(0.0, 0.45, 0.2)
    for y in _corridors(building):
        for a, b in pairwise(building.xs):
            pen.width(0.3)
            pen.rect(at((a + b) / 2) - 4, y - 2, 8, 4)
            pen.hatch(at((a + b) / 2) - 4, y - 2, 8, 4, gap=1)
            pen.arrow(at((a + b) / 2) + 5, y, at((a + b) / 2) + 10, y)


def _pipes(pen: Pen, building: Building, storey: Storey, chance: Random) -> None:
    """Draw cold, hot and waste water from the risers in the core."""
    kinds = (
        ("CW", (0.1, 0.3, 0.8), ()),
        ("HW", (0.8, 0.15, 0.1), (5.0, 1.5)),
        ("WW", (0.4, 0.25, 0.1), (9.0, 1.5, 1.5, 1.5)),
    )
    mains = _corridors(building)
    for lane, (kind, colour, dashes) in enumerate(kinds):
        pen.ink(*colour)
        for y in mains:
            pen.width(0.5)
            pen.dash(*dashes)
            pen.line(at(1000), y + 3 * lane - 3, at(building.width - 1000), y + 3 * lane - 3)
            pen.dash()
        for room in storey.rooms:
            x, y = _centre(room)
            main = _nearest(mains, y) + 3 * lane - 3
            stop = y + chance.randrange(9, 16) * (1 if y > main else -1)
            pen.width(0.3)
            pen.dash(*dashes)
            pen.path([(x - 8 + 3 * lane, main), (x - 8 + 3 * lane, stop), (x + 8, stop)])
            pen.dash()
            pen.circle(x - 8 + 3 * lane, main, 0.9, fill=True)
            pen.circle(x + 8, stop, 1.4)
            size = chance.choice((20, 25, 32)) if kind != "WW" else chance.choice((50, 75, 110))
            pen.text(x + 10, stop - 0.8, f"{kind} DN{size}", size=1.7)


def _framing(pen: Pen, building: Building, storey: Storey, chance: Random) -> None:
    """Draw beams on the axes and the span of every slab field."""
    pen.ink(0.45, 0.05, 0.35)
    for x in building.xs:
        pen.width(0.7)
        pen.dash(6, 2)
        for edge in (-1.5, 1.5):
            pen.line(at(x) + edge, at(0), at(x) + edge, at(building.depth))
        pen.dash()
        for a, b in pairwise(building.ys):
            mark = f"B{storey.index}{chance.randrange(10, 99)} 300/{chance.choice((500, 600, 700))}"
            pen.text(at(x) + 3.4, at((a + b) / 2) - 5, mark, size=1.9, upright=True)
    pen.width(0.25)
    for a, b in pairwise(building.xs):
        for low, top in pairwise(building.ys):
            y = at(low + (top - low) * 0.3)
            pen.arrow(at(a) + 6, y, at(b) - 6, y, size=3)
            pen.arrow(at(b) - 6, y, at(a) + 6, y, size=3)
            pen.text(at((a + b) / 2), y + 1, f"t = {chance.choice((240, 260, 280))}", size=2)
            pen.rect(at(a) + 8, at(low) + 3, 5, 5)
            pen.line(at(a) + 8, at(low) + 3, at(a) + 13, at(low) + 8)


def _reinforcement(pen: Pen, building: Building, storey: Storey, chance: Random) -> None:
    """Draw bars of one layer in every field, with their marks."""
    pen.ink(0.05, 0.35, 0.3)
    position = 10 * storey.index
    for a, b in pairwise(building.xs):
        for low, top in pairwise(building.ys):
            position += 1
            step = (at(top) - at(low)) / 12
            pen.width(0.3)
            for i in range(1, 12):
                y, cut = at(low) + step * i, chance.choice((2, 8))
                pen.line(at(a) + cut, y, at(b) - 10 + cut, y)
                pen.line(at(a) + cut, y, at(a) + cut + 1, y + 1)
            pen.width(0.5)
            x = at((a + b) / 2)
            pen.line(x, at(low) + 2, x, at(top) - 2)
            pen.circle(x, at(low) + 6, 2.8)
            pen.text(x, at(low) + 5.2, str(position), size=2.2, align=Align.CENTER)
            bar = f"ø{chance.choice((10, 12, 14, 16))}/{chance.choice((100, 125, 150))}"
            pen.text(x + 3.5, at(low) + 5.2, bar, size=2.2)


def _ceilings(pen: Pen, _: Building, storey: Storey, chance: Random) -> None:
    """Draw tiles of 600 mm with lights and sprinklers among them."""
    pen.ink(0.35)
    for room in storey.rooms:
        width, depth = room.width / SCALE, room.depth / SCALE
        pen.width(0.08)
        for i in range(1, int(width / 6) + 1):
            pen.line(at(room.x) + 6 * i, at(room.y), at(room.x) + 6 * i, at(room.y) + depth)
        for i in range(1, int(depth / 6) + 1):
            pen.line(at(room.x), at(room.y) + 6 * i, at(room.x) + width, at(room.y) + 6 * i)
        pen.width(0.25)
        for i in range(int(width / 18)):
            for row in (2, 9):
                x, y = at(room.x) + 18 * i + 6, at(room.y) + 6 * row
                pen.rect(x, y, 12, 6)
                pen.line(x, y, x + 12, y + 6)
                pen.circle(x - 3, y + 3, 0.8, fill=True)
        pen.text(
            at(room.x) + 2, at(room.y) + 2, f"CH {chance.choice((2600, 2700, 2850))}", size=1.9
        )


def _finishes(pen: Pen, _: Building, storey: Storey, chance: Random) -> None:
    """Draw a hatch for each floor covering, and the code of floor, wall and ceiling."""
    for room in storey.rooms:
        shade, code, gap = chance.choice(
            ((0.5, "F1", 3.5), (0.6, "F2", 5.0), (0.4, "F3", 7.0), (0.7, "F4", 2.5))
        )
        pen.ink(shade)
        pen.width(0.1)
        pen.hatch(at(room.x), at(room.y), room.width / SCALE, room.depth / SCALE, gap=gap)
        pen.ink(0)
        pen.width(0.25)
        x, y = at(room.x) + 3, at(room.y + room.depth) - 8
        for i, text in enumerate((code, chance.choice(("W1", "W2")), chance.choice(("C1", "C2")))):
            pen.rect(x + 8 * i, y, 8, 5)
            pen.text(x + 8 * i + 4, y + 1.5, text, size=2.2, align=Align.CENTER)


def _furnishing(pen: Pen, building: Building, _: Storey, chance: Random) -> None:
    """Draw section marks and levels, all that a plain floor plan adds."""
    pen.ink(0)
    for x in chance.sample(building.xs[1:-1], 3):
        pen.width(0.5)
        pen.dash(10, 2, 2, 2)
        pen.line(at(x) + 20, at(0) - 9, at(x) + 20, at(building.depth) + 9)
        pen.dash()
        for end in (at(0) - 13, at(building.depth) + 9):
            pen.circle(at(x) + 20, end + 2, 4)
            pen.text(
                at(x) + 20, end + 1, f"A-30{chance.randrange(1, 7)}", size=1.9, align=Align.CENTER
            )
    for y in _corridors(building):
        for x in building.xs[1:-1:2]:
            pen.path([(at(x) + 6, y), (at(x) + 4, y + 3), (at(x) + 8, y + 3)], fill=True)
            pen.text(at(x) + 9, y + 1, "FFL ±0.00", size=1.9)


OVERLAYS: Mapping[str, Overlay] = {
    "Layout Plan": _furnishing,
    "Ceiling Plan": _ceilings,
    "Finishes Plan": _finishes,
    "Framing Plan": _framing,
    "Reinforcement Bottom": _reinforcement,
    "Reinforcement Top": _reinforcement,
    "Ventilation Plan": _ventilation,
    "Heating Plan": _heating,
    "Power Plan": _power,
    "Lighting Plan": _lighting,
    "Fire Alarm Plan": _lighting,
    "Water Supply Plan": _pipes,
    "Drainage Plan": _pipes,
}
"""What a plan of each kind shows over the background, by the words in its title."""

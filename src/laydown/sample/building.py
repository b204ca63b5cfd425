"""The invented building: its axes, walls, doors and rooms, from which drawings and models are made.

All lengths are whole millimetres; x grows to the east along the numbered axes, y to the north
along the lettered ones, and the corner of axes 1 and A is the origin.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

from laydown.sample.site import dice, happens

STOREY_HEIGHT = 3300
OUTER_WALL = 360
INNER_WALL = 150
COLUMN = 400
DOOR_WIDTH = 1010

_WIDEST = 7200
_HALVED = 0.45  # share of bays with two rooms
_CLOSED = 0.75  # share of axes with a wall on them; other rooms go on into the next bay

_STOREYS = ("Basement", "Ground Floor", "Level 1", "Level 2", "Level 3", "Level 4", "Roof")
_DEPTHS = (7200, 2400, 8400, 2400, 7200)  # rooms, corridor, core, corridor, rooms
_OFFICE_NAMES = ("Office", "Studio", "Seminar", "Meeting", "Laboratory", "Workshop", "Team Room")
_BASEMENT_NAMES = ("Storage", "Plant Room", "Archive", "Bicycles", "Switch Room", "Tank Room")
_CORE_NAMES = ("Stair", "WC Women", "WC Men", "Lift Lobby", "Copy Room", "Riser", "Kitchen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A straight piece of wall between openings, by its centre line."""

    x0: int
    y0: int
    x1: int
    y1: int
    thickness: int

    @property
    def is_horizontal(self) -> bool:
        """Whether it runs along x."""
        return self.y0 == self.y1

    @property
    def length(self) -> int:
        """The length of the centre line."""
        return (self.x1 - self.x0) + (self.y1 - self.y0)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The rectangle it covers: x, y, width, depth."""
        half = self.thickness // 2
        if self.is_horizontal:
            return self.x0, self.y0 - half, self.length, self.thickness
        return self.x0 - half, self.y0, self.thickness, self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door leaf closed along x from its hinge, opening up (1) or down (-1)."""

    number: str
    x: int
    y: int
    width: int
    swing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room by its clear rectangle."""

    number: str
    name: str
    x: int
    y: int
    width: int
    depth: int

    @property
    def area(self) -> float:
        """Floor area in square metres."""
        return self.width * self.depth / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Storey:
    """One floor with all that stands on it."""

    index: int
    name: str
    elevation: int
    walls: tuple[Wall, ...]
    windows: tuple[Wall, ...]
    doors: tuple[Door, ...]
    rooms: tuple[Room, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A frame on a grid, and its storeys from the basement to the roof."""

    number: int
    xs: tuple[int, ...]
    ys: tuple[int, ...]
    storeys: tuple[Storey, ...]

    @property
    def width(self) -> int:
        """Between the first and the last numbered axis."""
        return self.xs[-1]

    @property
    def depth(self) -> int:
        """Between the first and the last lettered axis."""
        return self.ys[-1]


def design(seed: int, number: int) -> Building:
    """Return building *number* of the campus; the same seed gives the same building."""
    chance = dice(seed, "building", number)
    bay = chance.choice((6000, 6600, _WIDEST))
    # Nine axes of the widest bays would not fit the sheet at 1:100.
    axes = 8 if bay == _WIDEST else chance.choice((8, 9))
    xs = tuple(bay * i for i in range(axes))
    ys = tuple(sum(_DEPTHS[:i]) for i in range(len(_DEPTHS) + 1))
    storeys = tuple(
        _storey(dice(seed, "storey", number, index), index, xs, ys)
        for index in range(len(_STOREYS))
    )
    return Building(number=number, xs=xs, ys=ys, storeys=storeys)


def _storey(chance: Random, index: int, xs: tuple[int, ...], ys: tuple[int, ...]) -> Storey:
    rooms: list[Room] = []
    walls: list[Wall] = []
    doors: list[Door] = []
    # Rooms south of the southern corridor, the core, rooms north of the northern one.
    rows = ((ys[0], ys[1], ys[1]), (ys[2], ys[3], ys[3]), (ys[4], ys[5], ys[4]))
    for low, high, corridor in rows:
        cuts = _cuts(chance, xs, is_core=low == ys[2])
        for left, right in pairwise(cuts):
            number = f"{index}.{len(rooms) + 1:02d}"
            names = _names(index, len(rooms), is_core=low == ys[2])
            room = _room(number, chance.choice(names), left, right, low, high)
            rooms.append(room)
            hinge = left + chance.choice((400, (right - left) // 2, right - left - 1500))
            swing = 1 if corridor == low else -1
            doors.append(
                Door(number=f"D{number}", x=hinge, y=corridor, width=DOOR_WIDTH, swing=swing)
            )
        walls += [_wall(x, low, x, high) for x in cuts[1:-1]]
    for y in ys[1:-1]:
        walls += _broken(y, xs[-1], [door for door in doors if door.y == y])
    shell, windows = _shell(xs, ys, has_windows=index > 0)
    return Storey(
        index=index,
        name=_STOREYS[index],
        elevation=(index - 1) * STOREY_HEIGHT,
        walls=(*shell, *walls),
        windows=windows,
        doors=tuple(doors),
        rooms=tuple(rooms),
    )


def _cuts(chance: Random, xs: tuple[int, ...], *, is_core: bool) -> list[int]:
    """Where the walls between the rooms of one row stand."""
    cuts = [xs[0]]
    for left, right in pairwise(xs):
        if is_core or happens(chance, _HALVED):
            cuts.append((left + right) // 2)
        if right == xs[-1] or is_core or happens(chance, _CLOSED):
            cuts.append(right)
    return cuts


def _names(storey: int, place: int, *, is_core: bool) -> tuple[str, ...]:
    """Return what the room at this place may be; the core has the same order on all storeys."""
    if is_core:
        return (_CORE_NAMES[place % len(_CORE_NAMES)],)
    return _OFFICE_NAMES if storey else _BASEMENT_NAMES


def _room(number: str, name: str, left: int, right: int, low: int, high: int) -> Room:
    return Room(
        number=number,
        name=name,
        x=left + INNER_WALL // 2,
        y=low + INNER_WALL // 2,
        width=right - left - INNER_WALL,
        depth=high - low - INNER_WALL,
    )


def _wall(x0: int, y0: int, x1: int, y1: int, thickness: int = INNER_WALL) -> Wall:
    return Wall(x0=x0, y0=y0, x1=x1, y1=y1, thickness=thickness)


def _broken(y: int, end: int, doors: list[Door]) -> list[Wall]:
    """Return the pieces of a corridor wall between its doors."""
    pieces, start = [], 0
    for door in sorted(doors, key=lambda door: door.x):
        if door.x > start:
            pieces.append(_wall(start, y, door.x, y))
        start = door.x + door.width
    pieces.append(_wall(start, y, end, y))
    return pieces


def _shell(
    xs: tuple[int, ...], ys: tuple[int, ...], *, has_windows: bool
) -> tuple[list[Wall], tuple[Wall, ...]]:
    """Return the outer walls: piers and the windows between them."""
    piers: list[Wall] = []
    windows: list[Wall] = []
    for y in (ys[0], ys[-1]):
        edges = [xs[0] - OUTER_WALL // 2]
        for left, right in pairwise(xs):
            third = (right - left) // 3
            edges += [
                left + third // 2,
                left + third + 300,
                right - third - 300,
                right - third // 2,
            ]
        edges.append(xs[-1] + OUTER_WALL // 2)
        for place, (start, end) in enumerate(pairwise(edges)):
            is_window = has_windows and place % 2 == 1
            (windows if is_window else piers).append(_wall(start, y, end, y, OUTER_WALL))
    piers += [_wall(x, ys[0], x, ys[-1], OUTER_WALL) for x in (xs[0], xs[-1])]
    return piers, tuple(windows)

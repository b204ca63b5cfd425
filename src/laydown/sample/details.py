"""Draws the sheets without a plan: details at 1:10, tables of doors, and the site at 1:500."""

from collections.abc import Sequence
from math import cos, pi, sin
from random import Random

from laydown.sample.building import Building, Storey
from laydown.sample.pen import Align, Pen, width_of
from laydown.sample.sheet import view_title

_DETAILS = (
    "Wall Base",
    "Window Sill",
    "Window Head",
    "Parapet",
    "Slab Edge",
    "Column Base",
    "Stair Nosing",
    "Movement Joint",
    "Door Jamb",
    "Roof Drain",
    "Balcony Edge",
    "Shaft Wall",
)
_LAYERS = (
    ("Render 15 mm", 3.0),
    ("Mineral wool 160 mm", 24.0),
    ("Concrete C30/37 250 mm", 34.0),
    ("Vapour barrier", 1.2),
    ("Screed 70 mm", 11.0),
    ("Impact sound insulation 40 mm", 7.0),
    ("Brick 175 mm", 26.0),
    ("Gypsum board 2 x 12.5 mm", 4.0),
)


def detail(pen: Pen, x: float, y: float, *, number: int, chance: Random) -> None:
    """Draw one junction of a wall and a floor in a field of 200 by 165 mm."""
    pen.width(0.25)
    pen.rect(x, y, 200, 165)
    layers = [_LAYERS[0], _LAYERS[1], *chance.sample(_LAYERS[2:], chance.randrange(2, 4))]
    left, labels = x + 18.0, []
    for place, (name, thickness) in enumerate(layers):
        _layer(pen, left, y + 30, thickness, 118, name=name, chance=chance)
        labels.append((left + thickness / 2, y + 158 - 7 * place, name))
        left += thickness
    floor = y + 30 + chance.randrange(5, 36)
    for name, thickness in chance.sample(_LAYERS[2:6], 3):
        _band(pen, left, floor, x + 190 - left, thickness, name=name, chance=chance)
        floor += thickness
    pen.width(0.18)
    for tip, leader, name in labels:
        pen.arrow(x + 128, leader, tip, leader - 16, size=2)
        pen.wipe(x + 128, leader - 2.2, 5 + width_of(name, 3), 5)
        pen.text(x + 130, leader - 1, name, size=3)
    title = (
        f"{_DETAILS[(number - 1) % len(_DETAILS)]} {chance.choice(('Type 1', 'Type 2', 'typ.'))}"
    )
    view_title(pen, x + 6, y + 12, number=number, title=title, scale="1:10")


def _layer(
    pen: Pen, x: float, y: float, width: float, height: float, *, name: str, chance: Random
) -> None:
    """Draw an upright layer with the pattern of its material."""
    pen.ink(0)
    pen.width(0.5)
    pen.rect(x, y, width, height)
    pen.width(0.13)
    if "wool" in name or "insulation" in name:
        zigzag = [(x + (width if i % 2 else 0), y + i * 2.0) for i in range(int(height / 2) + 1)]
        pen.curve(zigzag)
    elif "Concrete" in name or "Screed" in name:
        _gravel(pen, x, y, width, height, chance)
    elif "Brick" in name:
        pen.hatch(x, y, width, height, gap=2.2)
    else:
        pen.rows(x, y, width, height, gap=1.5)


def _band(
    pen: Pen, x: float, y: float, width: float, height: float, *, name: str, chance: Random
) -> None:
    """Draw a level layer with the pattern of its material."""
    pen.ink(0)
    pen.width(0.5)
    pen.rect(x, y, width, height)
    pen.width(0.13)
    if "insulation" in name:
        pen.curve([(x + i * 2.0, y + (height if i % 2 else 0)) for i in range(int(width / 2) + 1)])
    else:
        _gravel(pen, x, y, width, height, chance)


def _gravel(pen: Pen, x: float, y: float, width: float, height: float, chance: Random) -> None:
    """Draw the pattern of concrete: sand and stones."""
    pen.stones(
        (
            x + (width - 1.2) * chance.random(),
            y + (height - 1.2) * chance.random(),
            chance.choice((0.25, 0.25, 0.4, 1.1)),
        )
        for _ in range(int(width * height / 32))
    )


def table(
    pen: Pen,
    x: float,
    y: float,
    *,
    columns: Sequence[tuple[str, float]],
    rows: Sequence[Sequence[str]],
) -> None:
    """Draw a ruled table downwards from (x, y), with a shaded head; columns are (name, width)."""
    pitch, width = 9.0, sum(width for _, width in columns)
    pen.ink(0.85)
    pen.rect(x, y - pitch, width, pitch, fill=True)
    pen.ink(0)
    pen.width(0.18)
    for row in range(len(rows) + 2):
        pen.line(x, y - pitch * row, x + width, y - pitch * row)
    left = x
    for place, (name, span) in enumerate(columns):
        pen.line(left, y, left, y - pitch * (len(rows) + 1))
        pen.text(left + 1.5, y - pitch + 3, name, size=2.8, bold=True)
        for row, cells in enumerate(rows, start=2):
            pen.text(left + 1.5, y - pitch * row + 3, cells[place], size=2.7)
        left += span
    pen.line(left, y, left, y - pitch * (len(rows) + 1))


DOOR_COLUMNS = (
    ("No.", 18.0),
    ("Room", 34.0),
    ("Type", 14.0),
    ("Width", 16.0),
    ("Height", 16.0),
    ("Fire", 16.0),
    ("Sound", 16.0),
    ("Hardware set", 42.0),
    ("Finish", 30.0),
)


def door_rows(storey: Storey, chance: Random) -> list[tuple[str, ...]]:
    """Return a row for each door of a storey, in the order of DOOR_COLUMNS."""
    return [
        (
            door.number,
            room.name,
            chance.choice(("T1", "T2", "T3")),
            str(door.width),
            "2100",
            chance.choice(("-", "EI30", "EI60")),
            chance.choice(("32 dB", "37 dB", "42 dB")),
            f"HS-{chance.randrange(1, 9):02d} {chance.choice(('lever', 'panic bar', 'closer'))}",
            chance.choice(("Oak veneer", "RAL 9010", "RAL 7016")),
        )
        for door, room in zip(storey.doors, storey.rooms, strict=True)
    ]


def site(pen: Pen, building: Building, chance: Random) -> None:
    """Draw contours, plot, building, roads, parking and trees in a field of 600 by 400 mm."""
    _contours(pen, chance)
    pen.ink(0.7, 0.1, 0.1)
    pen.width(0.7)
    pen.dash(12, 2, 2, 2)
    pen.path([(40, 40), (560, 60), (545, 370), (60, 350)], close=True)
    pen.dash()
    pen.ink(0.3)
    for edge in (0, 12):
        pen.width(0.35)
        pen.curve([(0, 18 + edge), (200, 12 + edge), (420, 26 + edge), (600, 14 + edge)])
    left, low = 140 + chance.randrange(60), 170 + chance.randrange(30)
    width, depth = building.width / 250, building.depth / 250
    pen.ink(0)
    pen.wipe(left, low, width, depth)
    pen.hatch(left, low, width, depth, gap=5)
    pen.wipe(left + width / 2 - 24, low + depth / 2 - 5, 48, 13)
    pen.width(0.9)
    pen.rect(left, low, width, depth)
    pen.text(
        left + width / 2,
        low + depth / 2,
        f"Building {building.number}",
        size=5,
        bold=True,
        align=Align.CENTER,
    )
    pen.width(0.25)
    for stall in range(24):
        pen.rect(90 + 9 * stall, 70, 9, 18)
        pen.rect(90 + 9 * stall, 112, 9, 18)
    for _ in range(46):
        x, y = chance.uniform(45, 550), chance.uniform(45, 350)
        if not (left - 6 < x < left + width + 6 and low - 6 < y < low + depth + 6):
            _tree(pen, x, y, chance.uniform(3, 6))
    for _ in range(40):
        x, y = chance.uniform(60, 540), chance.uniform(60, 350)
        pen.line(x - 1.5, y, x + 1.5, y)
        pen.line(x, y - 1.5, x, y + 1.5)
        pen.text(x + 2, y + 0.6, f"{chance.uniform(408, 416):.2f}", size=2)


def _contours(pen: Pen, chance: Random) -> None:
    pen.ink(0.55, 0.4, 0.2)
    phase, height = chance.uniform(0, 6), chance.uniform(8, 16)
    for level in range(30):
        y = 13.0 * level
        points = [
            (x, y + height * sin(x / 90 + phase) + 5 * cos(x / 37 + level / 3))
            for x in range(0, 601, 12)
        ]
        pen.width(0.35 if level % 5 == 0 else 0.13)
        pen.curve(points)
        if level % 5 == 0:
            pen.text(points[6][0], points[6][1] + 1, f"{408 + level / 5:.0f}", size=2.4)


def _tree(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.ink(0.1, 0.45, 0.15)
    pen.width(0.2)
    pen.circle(x, y, radius)
    for spoke in range(9):
        angle = spoke * 2 * pi / 9
        pen.line(x, y, x + radius * cos(angle), y + radius * sin(angle))
    pen.ink(0)

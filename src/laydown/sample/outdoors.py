"""Paints the site from outside: a concrete frame in scaffolding, cranes, cabins, people."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageDraw

from laydown.sample.site import happens
from laydown.sample.texture import CANVAS, Colour, Weather, film, gradient, roughen, sky

Point = tuple[float, float, float]
_BAY = 6.0
_FLOOR = 3.3
HORIZON = 870
"""The row of the canvas where ground and sky meet."""
_CONCRETE: Colour = (176, 174, 168)
_CABINS: Sequence[Colour] = ((52, 92, 140), (196, 198, 196), (168, 60, 44), (70, 116, 82))


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera on the ground that looks along y; metres in, pixels out."""

    yaw: float
    height: float
    focal: float

    def see(self, point: Point) -> tuple[float, float]:
        """Return where a point of the site falls on the canvas."""
        x, y, z = point
        across = x * cos(self.yaw) - y * sin(self.yaw)
        away = max(1.0, 62 + x * sin(self.yaw) + y * cos(self.yaw))
        return (
            CANVAS[0] / 2 + self.focal * across / away,
            HORIZON - self.focal * (z - self.height) / away,
        )


@dataclass(frozen=True, slots=True)
class Brush:
    """Paints solids and lines of the site as the camera sees them."""

    draw: ImageDraw.ImageDraw
    camera: Camera

    def face(self, *corners: Point, fill: tuple[int, ...]) -> None:
        """Fill a polygon."""
        self.draw.polygon([self.camera.see(corner) for corner in corners], fill=fill)

    def bar(self, start: Point, end: Point, *, fill: tuple[int, ...], width: int = 2) -> None:
        """Draw a line."""
        self.draw.line([self.camera.see(start), self.camera.see(end)], fill=fill, width=width)

    def block(self, low: Point, size: Point, colour: Colour) -> None:
        """Fill a box: its front, its right or left side, and its top if that is in sight."""
        (x, y, z), (w, d, h) = low, size
        side = x + w if self.camera.yaw < 0 else x
        dark, light = _tint(colour, 0.72), _tint(colour, 1.12)
        if z + h < self.camera.height:
            self.face(
                (x, y, z + h),
                (x + w, y, z + h),
                (x + w, y + d, z + h),
                (x, y + d, z + h),
                fill=light,
            )
        self.face((side, y, z), (side, y + d, z), (side, y + d, z + h), (side, y, z + h), fill=dark)
        self.face((x, y, z), (x + w, y, z), (x + w, y, z + h), (x, y, z + h), fill=colour)


def _tint(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(part * factor)) for part in colour)
    return red, green, blue


def exterior(chance: Random, weather: Weather, *, floors: int) -> Image.Image:
    """Return a view of the site with so many storeys standing."""
    picture = sky(chance, weather, CANVAS)
    ground = gradient(
        (CANVAS[0], CANVAS[1] - HORIZON), _tint(weather.ground, 1.15), _tint(weather.ground, 0.8)
    )
    ground = roughen(ground, chance, cells=(26, 60), depth=70)
    picture.paste(roughen(ground, chance, cells=(240, 260), depth=60), (0, HORIZON))
    yaw = chance.choice((-1, 1)) * chance.uniform(0.35, 0.6)
    camera = Camera(yaw=yaw, height=chance.uniform(1.7, 9.0), focal=chance.uniform(1500, 1900))
    brush = Brush(ImageDraw.Draw(picture, "RGBA"), camera)
    _hills(brush.draw, weather, chance)
    _tracks(brush, chance)
    for x in (-34.0, 44.0):
        _crane(brush, x, chance.uniform(16, 34), chance)
    _frame(brush, floors, weather.brightness, chance)
    _scaffold(brush, floors, chance)
    _yard(brush, chance)
    _fence(brush)
    return film(picture)


def _hills(draw: ImageDraw.ImageDraw, weather: Weather, chance: Random) -> None:
    for layer, height in enumerate((120, 70, 34)):
        phase, steep = chance.uniform(0, 6), chance.uniform(0.003, 0.006)
        ridge = [
            (x, HORIZON - height * (1 + 0.45 * sin(x * steep + phase) + 0.2 * sin(x * steep * 3.1)))
            for x in range(0, CANVAS[0] + 40, 40)
        ]
        shade = [
            int(far + (near - far) * (layer + 1) / 5)
            for far, near in zip(weather.horizon, (52, 70, 58), strict=True)
        ]
        draw.polygon([*ridge, (CANVAS[0], HORIZON), (0, HORIZON)], fill=tuple(shade))
    for _ in range(26):
        x, width = chance.randrange(CANVAS[0]), chance.randrange(30, 90)
        top = HORIZON - chance.randrange(14, 48)
        grey = chance.randrange(140, 190)
        draw.rectangle((x, top, x + width, HORIZON), fill=(grey, grey - 4, grey - 12))
        draw.polygon(
            [(x - 4, top), (x + width / 2, top - 14), (x + width + 4, top)], fill=(126, 84, 70)
        )


def _tracks(brush: Brush, chance: Random) -> None:
    """Paint ruts of lorries and puddles."""
    for rut in range(6):
        x = chance.uniform(-30, 20) + (rut % 2) * 2
        brush.face(
            (x, -44, 0), (x + 0.7, -44, 0), (x + 9, 0, 0), (x + 8, 0, 0), fill=(60, 48, 36, 90)
        )
    for _ in range(7):
        x, y = brush.camera.see((chance.uniform(-24, 24), chance.uniform(-46, -20), 0))
        wide, high = chance.uniform(60, 190), chance.uniform(8, 22)
        brush.draw.ellipse((x - wide, y - high, x + wide, y + high), fill=(150, 162, 176, 150))


def _frame(brush: Brush, floors: int, brightness: float, chance: Random) -> None:
    """Paint slabs on columns, the back first; deep bays lie in shadow."""
    concrete = _tint(_CONCRETE, brightness)
    bays, depth = 6, 16.0
    left, right = -bays * _BAY / 2, bays * _BAY / 2
    side = right if brush.camera.yaw < 0 else left
    for floor in range(floors):
        z = floor * _FLOOR
        top = z + _FLOOR - 0.3
        brush.face((left, 8, z), (right, 8, z), (right, 8, top), (left, 8, top), fill=(58, 58, 60))
        brush.face(
            (side, 0, z), (side, depth, z), (side, depth, top), (side, 0, top), fill=(72, 72, 74)
        )
        for row in (10.0, 5.0, 0.0):
            for bay in range(bays + 1):
                shade = _tint(concrete, 0.95 if row == 0 else 0.6)
                brush.block((left + bay * _BAY - 0.2, row, z), (0.4, 0.4, _FLOOR - 0.3), shade)
        for bay in range(bays):
            if happens(chance, 0.3 - floor * 0.04):
                x = left + bay * _BAY + 0.3
                brush.face(
                    (x, 0.2, z),
                    (x + 5.2, 0.2, z),
                    (x + 5.2, 0.2, top),
                    (x, 0.2, top),
                    fill=(170, 104, 78),
                )
        brush.block((left - 0.4, -0.4, top), (bays * _BAY + 0.8, depth, 0.3), concrete)
    roof = floors * _FLOOR
    for bay in range(bays * 2 + 1):
        for bar in range(4):
            x = left + bay * _BAY / 2 + bar * 0.12
            brush.bar((x, 0, roof), (x, 0, roof + 1.1), fill=(116, 70, 48), width=2)


def _scaffold(brush: Brush, floors: int, chance: Random) -> None:
    """Paint poles, ledgers, planks and braces before the front, with a net over some bays."""
    steel = (188, 190, 192, 255)
    left, top, y = -18.0, floors * _FLOOR + 1.0, -1.6
    bays = chance.randrange(7, 15)
    for bay in range(bays + 1):
        x = left + bay * 2.57
        for depth in (y + 0.9, y):
            brush.bar((x, depth, 0), (x, depth, top), fill=steel, width=3)
    for level in range(int(top / 2) + 1):
        z, end = level * 2.0, left + bays * 2.57
        for rail in (0.5, 1.0):
            brush.bar((left, y, z + rail), (end, y, z + rail), fill=steel, width=2)
        brush.face(
            (left, y, z), (end, y, z), (end, y + 0.9, z), (left, y + 0.9, z), fill=(150, 118, 78)
        )
        brush.bar((left, y, z), (end, y, z), fill=(120, 92, 60), width=4)
        x = left + (level * 3 % bays) * 2.57
        brush.bar((x, y, z), (x + 2.57, y, z + 2), fill=steel, width=2)
    start = left + 2.57 * chance.randrange(bays - 3)
    colour = chance.choice(((64, 128, 84, 120), (70, 110, 160, 120), (225, 225, 225, 110)))
    net_end = start + 2.57 * chance.randrange(2, 5)
    brush.face(
        (start, y, 2), (net_end, y, 2), (net_end, y, top - 1), (start, y, top - 1), fill=colour
    )


def _crane(brush: Brush, x: float, y: float, chance: Random) -> None:
    """Paint a tower crane with its lattice mast, jib, counter-jib and hook."""
    colour = chance.choice(((214, 168, 40), (196, 62, 44), (224, 224, 220)))
    high, reach = chance.uniform(30, 40), chance.choice((-1, 1)) * chance.uniform(26, 36)
    for corner in (0.0, 1.6):
        brush.bar((x + corner, y, 0), (x + corner, y, high), fill=colour, width=4)
    for step in range(int(high / 1.6)):
        z = step * 1.6
        brush.bar((x, y, z), (x + 1.6, y, z + 1.6), fill=colour, width=2)
        brush.bar((x, y, z + 1.6), (x + 1.6, y, z + 1.6), fill=colour, width=2)
    counter = -reach * 0.3
    for rise in (0.0, 1.4):
        brush.bar((x + counter, y, high + rise), (x + reach, y, high + rise), fill=colour, width=3)
    pieces = 22
    for piece in range(pieces):
        a, b = x + reach * piece / pieces, x + reach * (piece + 1) / pieces
        brush.bar(
            (a, y, high + 1.4 * (piece % 2)), (b, y, high + 1.4 * ((piece + 1) % 2)), fill=colour
        )
    brush.bar((x, y, high + 7), (x + reach * 0.8, y, high + 1.4), fill=(60, 60, 60), width=1)
    brush.bar((x, y, high + 7), (x + counter, y, high + 1.4), fill=(60, 60, 60), width=1)
    brush.bar((x + 0.8, y, high), (x + 0.8, y, high + 7), fill=colour, width=5)
    brush.block((x + counter - 1, y, high - 2), (2.4, 1, 2.4), (128, 128, 126))
    hook = x + reach * chance.uniform(0.4, 0.9)
    brush.bar((hook, y, high), (hook, y, high - 14), fill=(50, 50, 50), width=1)


def _yard(brush: Brush, chance: Random) -> None:
    """Paint cabins, stacks of material, and people, the far ones first."""
    kinds = (_cabin,) * 3 + (_stack,) * 5 + (_worker,) * 5
    things = [(chance.uniform(-34, -8), chance.uniform(-26, 26), paint) for paint in kinds]
    for y, x, paint in sorted(things, key=lambda thing: -thing[0]):
        paint(brush, x, y, chance)


def _cabin(brush: Brush, x: float, y: float, chance: Random) -> None:
    brush.block((x, y, 0), (6.0, 2.4, 2.6), chance.choice(_CABINS))
    glass = (40, 48, 60)
    brush.face((x + 1, y, 1), (x + 2.4, y, 1), (x + 2.4, y, 2), (x + 1, y, 2), fill=glass)


def _stack(brush: Brush, x: float, y: float, chance: Random) -> None:
    for layer in range(chance.randrange(2, 6)):
        wood = chance.randrange(120, 176)
        brush.block((x, y, layer * 0.3), (2.6, 1.2, 0.24), (wood, wood - 26, wood - 62))


def _worker(brush: Brush, x: float, y: float, chance: Random) -> None:
    feet, head = brush.camera.see((x, y, 0)), brush.camera.see((x, y, 1.8))
    person(brush.draw, feet, feet[1] - head[1], chance)


def _fence(brush: Brush) -> None:
    """Paint a mobile fence in front of everything, thin enough to look through."""
    wire = (206, 210, 214, 130)
    y, panel = -46.0, 3.5
    for post in range(-6, 7):
        x = post * panel
        brush.bar((x, y, 0), (x, y, 2), fill=(190, 194, 198, 255), width=6)
        for strand in range(1, 12):
            brush.bar(
                (x + strand * panel / 12, y, 0), (x + strand * panel / 12, y, 2), fill=wire, width=1
            )
    for rail in range(7):
        brush.bar((-24, y, rail / 3), (24, y, rail / 3), fill=wire, width=1)


def person(
    draw: ImageDraw.ImageDraw, feet: tuple[float, float], height: float, chance: Random
) -> None:
    """Paint a worker with helmet and high-visibility vest, *height* in pixels."""
    x, y = feet
    vest = chance.choice(((240, 120, 30), (214, 226, 60)))
    helmet = chance.choice(((240, 240, 240), (240, 200, 40), (40, 90, 170)))
    unit = height / 8
    for leg in (-0.8, 0.15):
        draw.rectangle((x + leg * unit, y - 4 * unit, x + (leg + 0.7) * unit, y), fill=(44, 52, 74))
    draw.rectangle((x - unit, y - 6.8 * unit, x + unit, y - 3.8 * unit), fill=vest)
    draw.rectangle((x - unit, y - 5.2 * unit, x + unit, y - 4.8 * unit), fill=(230, 230, 225))
    for arm in (-1.5, 0.95):
        draw.rectangle(
            (x + arm * unit, y - 6.6 * unit, x + (arm + 0.5) * unit, y - 4 * unit), fill=vest
        )
    draw.ellipse(
        (x - 0.6 * unit, y - 8 * unit, x + 0.6 * unit, y - 6.7 * unit), fill=(196, 150, 120)
    )
    draw.pieslice(
        (x - 0.75 * unit, y - 8.3 * unit, x + 0.75 * unit, y - 6.9 * unit), 180, 360, fill=helmet
    )


def cone(draw: ImageDraw.ImageDraw, foot: tuple[float, float], height: float) -> None:
    """Paint a traffic cone, *height* in pixels."""
    x, y = foot
    draw.ellipse(
        (x - height * 0.45, y - height * 0.1, x + height * 0.45, y + height * 0.1),
        fill=(30, 30, 30),
    )
    for share, colour in ((1.0, (226, 84, 28)), (0.7, (238, 238, 232)), (0.45, (226, 84, 28))):
        half = height * 0.32 * share
        low = y - height * (1 - share)
        draw.polygon(
            [(x - half, low), (x + half, low), (x + 2, y - height), (x - 2, y - height)],
            fill=colour,
        )


def sun_at(hour: float) -> float:
    """Return how bright daylight is at an *hour* of an autumn day, 0.7 to 1."""
    return 0.7 + 0.3 * max(0.0, sin(pi * (hour - 6) / 13))

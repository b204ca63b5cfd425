"""Draws elevations, sections and risers: views of the building from the side, at 1:100."""

from itertools import pairwise
from random import Random

from laydown.sample.building import STOREY_HEIGHT, Building
from laydown.sample.pen import Align, Pen
from laydown.sample.site import happens

SCALE = 100
_SLAB = 2.8
_RISE = STOREY_HEIGHT / SCALE


def elevation(pen: Pen, building: Building, chance: Random) -> None:
    """Draw a facade with its origin at ground level on the first axis."""
    width, floors = building.width / SCALE, len(building.storeys) - 2
    _ground(pen, width, chance)
    _axes(pen, building, floors)
    for floor in range(floors):
        low = floor * _RISE
        pen.width(0.5)
        pen.rect(-2, low, width + 4, _RISE)
        pen.width(0.18)
        pen.line(-2, low + _RISE - _SLAB, width + 2, low + _RISE - _SLAB)
        for left, right in pairwise(building.xs):
            _bay(pen, left / SCALE, right / SCALE, low, chance)
    _courses(pen, width, floors, chance)
    pen.width(0.7)
    top = floors * _RISE
    pen.path([(-5, top), (width + 5, top), (width + 5, top + 6), (-5, top + 6)], close=True)
    for x in chance.sample(range(40, int(width) - 40), 3):
        pen.width(0.25)
        pen.rect(x, top + 6, 24, 14)
        pen.hatch(x + 2, top + 8, 20, 10, gap=2)


def section(pen: Pen, building: Building, chance: Random) -> None:
    """Draw a cut along the building with its origin at ground level on the first axis."""
    width, floors = building.width / SCALE, len(building.storeys) - 2
    _ground(pen, width, chance)
    _axes(pen, building, floors)
    for floor in range(-1, floors + 1):
        low = floor * _RISE
        pen.rect(-2, low - _SLAB, width + 4, _SLAB, fill=True)
        if floor == floors:
            break
        for x in building.xs:
            pen.width(0.25)
            pen.rect(x / SCALE - 2, low, 4, _RISE - _SLAB)
        for left, right in pairwise(building.xs):
            _cut_bay(pen, left / SCALE, right / SCALE, low, chance)
    low = -_RISE - _SLAB
    for x in building.xs:
        pen.width(0.5)
        pen.rect(x / SCALE - 9, low - 9, 18, 9)
        pen.hatch(x / SCALE - 9, low - 9, 18, 9, gap=1.6)
    pen.width(0.25)
    pen.rect(-2, low - 3, width + 4, 3)
    pen.hatch(-2, low - 3, width + 4, 3, gap=1.2)


def riser(pen: Pen, building: Building, chance: Random, *, kind: str) -> None:
    """Draw a schematic over all storeys: risers, branches, valves and their sizes."""
    width, step = building.width / SCALE, 46.0
    for floor, storey in enumerate(building.storeys):
        y = floor * step
        pen.ink(0.45)
        pen.width(0.18)
        pen.dash(6, 2)
        pen.line(-10, y, width + 10, y)
        pen.dash()
        pen.text(-10, y + 1.5, storey.name, size=2.8, bold=True)
        pen.ink(0, 0.2, 0.5)
        for place in range(9):
            x = 30 + place * (width - 40) / 8.5
            _branch(pen, x, y + 8, step, f"{kind}{floor}{place}", chance)
    pen.ink(0)


def _branch(pen: Pen, x: float, y: float, step: float, mark: str, chance: Random) -> None:
    pen.width(0.6)
    pen.line(x, y - 8, x, y + step - 8)
    for i in range(chance.randrange(3, 6)):
        at, reach = y + 7 * i, chance.choice((14.0, 20.0, 26.0))
        pen.width(0.3)
        pen.line(x, at, x + reach, at)
        pen.path(
            [(x + 5, at - 1.5), (x + 8, at + 1.5), (x + 8, at - 1.5), (x + 5, at + 1.5)], close=True
        )
        pen.circle(x + reach + 2, at, 2)
        pen.circle(x, at, 0.7, fill=True)
        pen.text(x + 9, at + 0.8, f"DN{chance.choice((15, 20, 25, 32, 40, 50))}", size=1.8)
        pen.text(x + reach + 5, at - 0.8, f"{mark}-{i + 1}", size=1.8)


def _ground(pen: Pen, width: float, chance: Random) -> None:
    """Draw the terrain line and the earth under it."""
    pen.width(0.9)
    pen.line(-40, 0, width + 40, 0)
    pen.width(0.13)
    for x in range(-40, int(width) + 40, 4):
        depth = chance.uniform(2, 5)
        pen.line(x, 0, x - depth, -depth)
        pen.line(x + 1.2, 0, x + 1.2 - depth * 0.6, -depth * 0.6)


def _axes(pen: Pen, building: Building, floors: int) -> None:
    width = building.width / SCALE
    top = floors * _RISE + 24
    for number, x in enumerate(building.xs, start=1):
        pen.width(0.13)
        pen.dash(8, 1.5, 1, 1.5)
        pen.line(x / SCALE, -20, x / SCALE, top)
        pen.dash()
        pen.circle(x / SCALE, top + 5, 5)
        pen.text(x / SCALE, top + 3.7, str(number), size=3.5, bold=True, align=Align.CENTER)
    for floor in range(floors + 1):
        y = floor * _RISE
        pen.width(0.18)
        pen.line(-34, y, -6, y)
        pen.path([(-30, y), (-32.5, y + 4), (-27.5, y + 4)], close=True)
        pen.text(-25, y + 1.2, f"{y * SCALE / 1000:+.2f}", size=2.8)
    pen.text(width + 8, floors * _RISE + 1, "T.O. parapet", size=2.5)


def _bay(pen: Pen, left: float, right: float, low: float, chance: Random) -> None:
    """Draw two windows with frames, sills and sometimes blinds."""
    third = (right - left) / 3
    for start in (left + third / 2, right - third * 1.5):
        pen.width(0.3)
        pen.rect(start, low + 9, third - 3, 18)
        pen.width(0.13)
        pen.rect(start + 0.8, low + 9.8, third - 4.6, 16.4)
        pen.line(start + (third - 3) / 2, low + 9, start + (third - 3) / 2, low + 27)
        pen.line(start - 1, low + 8.4, start + third - 2, low + 8.4)
        if happens(chance, 0.4):  # some blinds are down
            blind = chance.randrange(4, 15)
            pen.rows(start + 0.8, low + 26 - blind, third - 4.6, blind, gap=1)
        else:
            pen.line(start + 2, low + 12, start + 8, low + 22)
            pen.line(start + 4, low + 12, start + 8, low + 19)


def _courses(pen: Pen, width: float, floors: int, chance: Random) -> None:
    """Draw joints of the cladding: level courses with upright joints here and there."""
    pen.ink(0.6)
    pen.width(0.07)
    for floor in range(floors):
        pen.rows(-2, floor * _RISE + 1, width + 4, 7, gap=1)
        for course in range(1, 7):
            y = floor * _RISE + course
            for _ in range(24):
                x = chance.uniform(0, width)
                pen.line(x, y, x, y + 1)
    pen.ink(0)


def _cut_bay(pen: Pen, left: float, right: float, low: float, chance: Random) -> None:
    """Draw what stands behind the cut: a suspended ceiling, a door or shelves, a parapet."""
    pen.width(0.13)
    ceiling = low + _RISE - _SLAB - 4
    pen.line(left + 2, ceiling, right - 2, ceiling)
    for hanger in range(int(left) + 6, int(right) - 4, 6):
        pen.line(hanger, ceiling, hanger, ceiling + 4)
    duct = left + chance.uniform(8, 30)
    pen.rect(duct, ceiling + 0.6, 8, 3)
    pen.line(duct, ceiling + 0.6, duct + 8, ceiling + 3.6)
    if happens(chance, 0.5):  # a door in half of the bays
        x = left + chance.uniform(12, right - left - 24)
        pen.rect(x, low, 10, 21)
        pen.rect(x + 0.6, low, 8.8, 20.4)
        pen.circle(x + 8.4, low + 10, 0.4)
    else:
        for shelf in range(6):
            pen.rect(left + 10, low + 3.2 * shelf, 30, 3.2)
            pen.line(left + 20, low + 3.2 * shelf, left + 20, low + 3.2 * shelf + 3.2)
    pen.rect(left + 2, low, right - left - 4, 0.8)

"""Paints the site from close by: rooms of the carcass, reinforcement before the pour, masonry."""

from math import sin
from random import Random

from PIL import Image, ImageDraw

from laydown.sample.outdoors import person
from laydown.sample.site import happens
from laydown.sample.texture import CANVAS, Colour, film, gradient, roughen

_WIDTH, _HEIGHT = CANVAS


def room(chance: Random) -> Image.Image:
    """Return a look into a room of the carcass: slab, windows, ducts, studs, props."""
    picture = gradient(CANVAS, (120, 119, 116), (98, 95, 90))
    draw = ImageDraw.Draw(picture, "RGBA")
    far = (620, 480, 1230, 930)  # the end wall, in pixels
    left, top, right, low = far
    draw.polygon([(0, 0), (_WIDTH, 0), (right, top), (left, top)], fill=(150, 149, 146, 200))
    draw.polygon(
        [(0, _HEIGHT), (_WIDTH, _HEIGHT), (right, low), (left, low)], fill=(134, 130, 122, 210)
    )
    wall = chance.choice(((172, 168, 160), (176, 120, 92), (158, 160, 162)))
    draw.rectangle(far, fill=wall)
    for row in range(top, low, 18):
        draw.line((left, row, right, row), fill=(90, 80, 72, 90))
    draw.rectangle((left + 90, top + 140, left + 230, low), fill=(58, 60, 64))
    _windows(draw, far, chance)
    _studs(draw, far)
    _ceiling(draw, far, chance)
    for _ in range(chance.randrange(2, 6)):
        _prop(draw, far, chance)
    for _ in range(3):
        x, y = chance.uniform(420, 1300), chance.uniform(1010, 1330)
        tone = chance.randrange(130, 180)
        for sheet in range(6):
            step = sheet * 9
            draw.rectangle((x, y - step, x + 230, y - step + 7), fill=(tone, tone - 12, tone - 34))
    if happens(chance, 0.6):  # somebody works in most rooms
        person(draw, (chance.uniform(660, 1180), chance.uniform(960, 1060)), 330, chance)
    picture = roughen(picture, chance, cells=(150, 110), depth=44)
    return film(picture)


def _windows(draw: ImageDraw.ImageDraw, far: tuple[int, int, int, int], chance: Random) -> None:
    """Paint bright openings in the left wall and the light they throw on the floor."""
    left, top, _, low = far
    sky = chance.choice(((214, 228, 240), (226, 228, 226), (198, 216, 236)))
    for start, end in ((0.08, 0.36), (0.48, 0.68), (0.78, 0.92)):
        edges = []
        for share in (start, end):
            x = left * share
            ceiling, floor = top * share, _HEIGHT - (_HEIGHT - low) * share
            edges.append((x, ceiling + (floor - ceiling) * 0.22, ceiling + (floor - ceiling) * 0.7))
        (x0, up0, down0), (x1, up1, down1) = edges
        draw.polygon([(x0, up0), (x1, up1), (x1, down1), (x0, down0)], fill=sky)
        draw.line((x0, up0, x1, up1, x1, down1, x0, down0, x0, up0), fill=(80, 82, 84), width=7)
        glow = [(x1, _HEIGHT - (_HEIGHT - low) * end), (x0, _HEIGHT - (_HEIGHT - low) * start)]
        draw.polygon(
            [*glow, (x0 + 620, glow[1][1] - 20), (x1 + 420, glow[0][1] - 10)],
            fill=(255, 250, 230, 46),
        )


def _studs(draw: ImageDraw.ImageDraw, far: tuple[int, int, int, int]) -> None:
    """Paint a frame of metal studs along the right wall, half of it boarded."""
    _, top, right, low = far
    for stud in range(14):
        share = (stud / 14) ** 0.7
        x = _WIDTH - (_WIDTH - right) * share
        ceiling, floor = top * share, _HEIGHT - (_HEIGHT - low) * share
        width = int(16 - 11 * share)
        draw.line((x, ceiling, x, floor), fill=(196, 200, 204), width=width)
        draw.line(
            (x + width, ceiling, x + width, floor), fill=(110, 114, 118), width=max(1, width // 3)
        )
    board = right + (_WIDTH - right) * 0.28
    share = 1 - (board - right) / (_WIDTH - right)
    draw.polygon(
        [
            (right, top),
            (board, top * share),
            (board, _HEIGHT - (_HEIGHT - low) * share),
            (right, low),
        ],
        fill=(206, 204, 198),
    )


def _ceiling(draw: ImageDraw.ImageDraw, far: tuple[int, int, int, int], chance: Random) -> None:
    """Paint a duct, a cable tray and pipes that run towards the end wall."""
    left, top, right, _ = far
    for place, (width, colour) in enumerate(
        ((210, (186, 190, 194)), (70, (150, 152, 156)), (26, (190, 84, 40)), (26, (60, 100, 170)))
    ):
        near = 330 + place * 300 + chance.uniform(-40, 40)
        end = left + (right - left) * near / _WIDTH
        shrink = width * (right - left) / _WIDTH
        draw.polygon(
            [(near, 60), (near + width, 60), (end + shrink, top + 26), (end, top + 26)], fill=colour
        )
        draw.polygon(
            [(near, 60), (near - 12, 0), (end - 4, top + 10), (end, top + 26)], fill=(96, 98, 100)
        )
        for joint in range(1, 6):
            share = 1 - (1 - joint / 6) ** 2
            x, y = near + (end - near) * share, 60 + (top - 34) * share
            draw.line((x, y, x + width + (shrink - width) * share, y), fill=(84, 86, 90), width=4)


def _prop(draw: ImageDraw.ImageDraw, far: tuple[int, int, int, int], chance: Random) -> None:
    """Paint a steel prop between floor and ceiling."""
    _, top, _, low = far
    share = chance.uniform(0.3, 0.9)
    x = chance.uniform(480, 1340)
    ceiling, floor = top * share, _HEIGHT - (_HEIGHT - low) * share
    width = int(26 - 16 * share)
    draw.line((x, ceiling, x, floor), fill=(176, 62, 40), width=width)
    draw.line((x, ceiling, x, (ceiling + floor) / 2), fill=(206, 208, 210), width=max(3, width - 6))
    draw.rectangle((x - width * 2, floor - 6, x + width * 2, floor + 4), fill=(90, 80, 74))


def reinforcement(chance: Random) -> Image.Image:
    """Return bars over formwork seen from above, with a folding rule and conduits."""
    wood: Colour = chance.choice(((168, 132, 86), (150, 122, 84), (120, 118, 114)))
    picture = Image.new("RGB", CANVAS, wood)
    picture = roughen(picture, chance, cells=(8, 260), depth=64)
    draw = ImageDraw.Draw(picture, "RGBA")
    for joint in range(1, 4):
        y = joint * _HEIGHT // 4 + chance.randrange(-30, 30)
        draw.line((0, y, _WIDTH, y + 12), fill=(52, 40, 28), width=5)
    pitch = chance.choice((118, 150, 186))
    tilt = chance.uniform(-70, 70)
    for x in range(-200, _WIDTH + 200, pitch):
        _bar(draw, (x + chance.randrange(-8, 9), 0), (x + tilt, _HEIGHT), chance)
    for y in range(-200, _HEIGHT + 200, pitch):
        _bar(draw, (0, y + chance.randrange(-8, 9)), (_WIDTH, y - tilt), chance)
    points = [(x, 700 + 210 * sin(x / 340 + pitch)) for x in range(0, _WIDTH + 60, 50)]
    draw.line(points, fill=(30, 26, 20, 110), width=44, joint="curve")
    draw.line([(x, y - 12) for x, y in points], fill=(206, 104, 30), width=34, joint="curve")
    draw.line([(x, y - 20) for x, y in points], fill=(240, 160, 90, 160), width=6, joint="curve")
    _rule(draw, (chance.uniform(420, 700), chance.uniform(900, 1050)))
    return film(picture)


def _bar(
    draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], chance: Random
) -> None:
    """Paint a ribbed bar with its shadow; some are rusty."""
    rust = chance.choice(((112, 74, 52), (96, 84, 76), (128, 82, 54)))
    (x0, y0), (x1, y1) = start, end
    draw.line((x0 + 14, y0 + 16, x1 + 14, y1 + 16), fill=(20, 16, 12, 100), width=20)
    draw.line((x0, y0, x1, y1), fill=rust, width=20)
    draw.line((x0 - 4, y0 - 4, x1 - 4, y1 - 4), fill=(176, 146, 122, 200), width=5)
    for rib in range(60):
        x, y = x0 + (x1 - x0) * rib / 60, y0 + (y1 - y0) * rib / 60
        draw.line((x - 9, y - 7, x + 9, y + 7), fill=(60, 40, 30, 170), width=3)


def _rule(draw: ImageDraw.ImageDraw, corner: tuple[float, float]) -> None:
    """Paint a folding rule that gives the scale."""
    x, y = corner
    draw.rectangle((x + 8, y + 10, x + 908, y + 66), fill=(20, 16, 10, 110))
    draw.rectangle((x, y, x + 900, y + 54), fill=(238, 206, 70))
    for tick in range(91):
        long = 30 if tick % 10 == 0 else 20 if tick % 5 == 0 else 12
        draw.line((x + tick * 10, y, x + tick * 10, y + long), fill=(20, 20, 20), width=2)
    for joint in range(1, 5):
        draw.ellipse(
            (x + joint * 180 - 9, y + 32, x + joint * 180 + 9, y + 50), fill=(150, 150, 146)
        )


def masonry(chance: Random) -> Image.Image:
    """Return a wall of bricks with fresh joints and an opening under a lintel."""
    picture = Image.new("RGB", CANVAS, (158, 154, 146))
    draw = ImageDraw.Draw(picture, "RGBA")
    red, green, blue = chance.choice(((172, 92, 66), (156, 78, 60), (190, 150, 110)))
    for course in range(23):
        y = course * 68
        for brick in range(-1, 11):
            x = brick * 176 + (88 if course % 2 else 0) + chance.randrange(-3, 4)
            shade = chance.randrange(-24, 25)
            draw.rectangle((x, y, x + 164, y + 56), fill=(red + shade, green + shade, blue + shade))
            draw.line((x, y + 56, x + 164, y + 56), fill=(40, 24, 18, 120), width=4)
    left, top = chance.randrange(520, 780), 68 * chance.randrange(5, 8)
    draw.rectangle((left, top, left + 620, _HEIGHT), fill=(70, 78, 88))
    draw.rectangle((left + 30, top + 60, left + 590, _HEIGHT), fill=(160, 176, 190))
    draw.rectangle((left - 120, top - 68, left + 740, top), fill=(172, 170, 166))
    draw.line((left, top, left, _HEIGHT), fill=(40, 40, 44), width=14)
    for _ in range(9):
        x, y = chance.randrange(_WIDTH), chance.randrange(_HEIGHT)
        draw.ellipse(
            (x, y, x + chance.randrange(20, 120), y + chance.randrange(8, 40)),
            fill=(196, 192, 184, 120),
        )
    return film(roughen(picture, chance, cells=(160, 120), depth=60))

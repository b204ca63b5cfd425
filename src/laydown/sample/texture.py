"""Skies, grain and light for the site photos, made from random bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from PIL import Image, ImageChops

from laydown.sample.site import dice

Colour = tuple[int, int, int]
Size = tuple[int, int]

CANVAS: Size = (1800, 1500)
"""How large a scene is painted; photos are cut out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The light of a day."""

    zenith: Colour
    horizon: Colour
    ground: Colour
    clouds: float  # share of the sky that they cover
    brightness: float


WEATHERS: Sequence[Weather] = (
    Weather(
        zenith=(74, 128, 196),
        horizon=(198, 218, 235),
        ground=(146, 126, 100),
        clouds=0.25,
        brightness=1.0,
    ),
    Weather(
        zenith=(150, 164, 180),
        horizon=(214, 218, 222),
        ground=(120, 108, 92),
        clouds=0.75,
        brightness=0.9,
    ),
    Weather(
        zenith=(96, 140, 190),
        horizon=(240, 222, 196),
        ground=(158, 128, 96),
        clouds=0.4,
        brightness=1.0,
    ),
    Weather(
        zenith=(128, 136, 146),
        horizon=(186, 190, 192),
        ground=(98, 90, 80),
        clouds=0.9,
        brightness=0.82,
    ),
)


def grain(chance: Random, size: Size, *, cells: Size) -> Image.Image:
    """Return smooth grey noise of *size* with about *cells* spots across and down."""
    coarse = Image.frombytes("L", cells, chance.randbytes(cells[0] * cells[1]))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def gradient(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    """Return a picture that fades from one colour to another, downwards."""
    ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BILINEAR)
    return Image.merge(
        "RGB",
        [
            ramp.point([start + (end - start) * level // 255 for level in range(256)])
            for start, end in zip(top, bottom, strict=True)
        ],
    )


def sky(chance: Random, weather: Weather, size: Size) -> Image.Image:
    """Return a sky with clouds that thin out towards the horizon."""
    picture = gradient(size, weather.zenith, weather.horizon)
    small = (size[0] // 4, size[1] // 4)
    billows = ImageChops.add(
        grain(chance, small, cells=(9, 14)), grain(chance, small, cells=(34, 48)), scale=2
    )
    floor = int(170 - 110 * weather.clouds)
    cover = billows.point([min(235, max(0, (level - floor) * 3)) for level in range(256)])
    fade = Image.linear_gradient("L").point([255 - level // 2 for level in range(256)])
    cover = ImageChops.multiply(cover, fade.resize(small)).resize(size, Image.Resampling.BILINEAR)
    white = tuple(min(250, level + 45) for level in weather.horizon)
    picture.paste(white, (0, 0), cover)
    return picture


def roughen(picture: Image.Image, chance: Random, *, cells: Size, depth: int) -> Image.Image:
    """Return the picture darkened here and there, by at most *depth* of 255."""
    spots = grain(chance, picture.size, cells=cells)
    return ImageChops.multiply(picture, _veil(spots, depth=depth))


def film(scene: Image.Image) -> Image.Image:
    """Return the scene with the noise of a camera's sensor."""
    return ImageChops.multiply(scene, _sensor())


@cache
def _sensor() -> Image.Image:
    # Two pixels a spot: noise of one pixel looks like no camera's and costs JPEG most.
    width, height = CANVAS[0] // 2, CANVAS[1] // 2
    noise = Image.frombytes("L", (width, height), dice(0, "sensor").randbytes(width * height))
    return _veil(noise.resize(CANVAS, Image.Resampling.BILINEAR), depth=14)


def _veil(spots: Image.Image, *, depth: int) -> Image.Image:
    """Return what darkens a picture it is multiplied with between the spots, by *depth*."""
    grey = spots.point([255 - depth + level * depth // 255 for level in range(256)])
    return Image.merge("RGB", (grey, grey, grey))

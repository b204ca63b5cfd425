"""Site photos as phones and a drone take them: JPEG with EXIF time, place and orientation.

Tags after CIPA DC-008 (Exif 2.32), by the names Pillow gives them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from io import BytesIO
from math import cos, radians
from random import Random

from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from laydown.sample import indoors
from laydown.sample.outdoors import HORIZON, cone, exterior, person, sun_at
from laydown.sample.site import ALTITUDE, LAST_DAY, LATITUDE, LONGITUDE, dice, happens
from laydown.sample.texture import CANVAS, WEATHERS

_QUALITY = 80
_METRES_PER_DEGREE = 111_320  # of latitude, on a sphere of the Earth's mean radius
_WEEKS_PER_FLOOR = 2
_FLOORS = 5
_MOST_SKY = 0.7  # of a picture's height: below it there is ground for people to stand on
_FULL_LIGHT = 0.93  # above it nobody sees the difference
_CLOSE_TURNS = (3, 4)  # of five pictures in turn
_VARIANTS = 2  # pictures of each kind that are taken from close by
_CLOSE_BY: Sequence[Callable[[Random], Image.Image]] = (
    indoors.room,
    indoors.reinforcement,
    indoors.masonry,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A camera, how it names its files and what it writes into them."""

    make: str
    model: str
    size: tuple[int, int]
    pattern: str
    f_number: Fraction
    has_offset: bool  # writes the offset from UTC beside the time
    has_position: bool
    flies: bool = False

    def name(self, at: datetime, number: int) -> str:
        """Return what the device calls its *number*th picture."""
        return self.pattern.format(at=at, number=number)


DEVICES: Sequence[Device] = (
    Device(
        make="samsung",
        model="SM-G556B",
        size=(1440, 1080),
        pattern="IMG_{at:%Y%m%d_%H%M%S}.jpg",
        f_number=Fraction(18, 10),
        has_offset=True,
        has_position=True,
    ),
    Device(
        make="Apple",
        model="iPhone 13",
        size=(1280, 960),
        pattern="IMG_{number:04d}.JPG",
        f_number=Fraction(16, 10),
        has_offset=True,
        has_position=True,
    ),
    Device(
        make="Panasonic",
        model="DC-FT7",
        size=(1280, 960),
        pattern="P{number:07d}.JPG",
        f_number=Fraction(33, 10),
        has_offset=False,
        has_position=False,
    ),
    Device(
        make="DJI",
        model="FC3582",
        size=(1440, 1080),
        pattern="DJI_{number:04d}.JPG",
        f_number=Fraction(17, 10),
        has_offset=False,
        has_position=True,
        flies=True,
    ),
)


@dataclass(slots=True)
class Photographer:
    """Takes the photos of one seed; each scene is painted once and cut many times."""

    seed: int
    _scenes: dict[tuple[str, int], Image.Image] = field(default_factory=dict)

    def take(self, device: Device, at: datetime, number: int) -> bytes:
        """Return the JPEG file of the *number*th picture."""
        chance = dice(self.seed, "photo", number)
        scene, is_outside = self._scene(at.date(), number, outside=device.flies)
        is_upright = not device.flies and happens(chance, 0.15)  # few turn the phone
        size = device.size[::-1] if is_upright else device.size
        highest = max(0, HORIZON - int(size[1] * _MOST_SKY)) if is_outside else 0
        picture = _cut(scene, size, chance, highest=highest)
        if is_outside:
            _foreground(picture, chance)
        light = sun_at(at.hour) * chance.uniform(0.9, 1.0)
        if light < _FULL_LIGHT:
            picture = picture.point([int(level * light) for level in range(256)] * 3)
        orientation = 1
        if is_upright:
            # Phones store what the sensor saw and say how to turn it: 6 is a quarter clockwise.
            picture, orientation = picture.transpose(Image.Transpose.ROTATE_90), 6
        elif happens(chance, 0.04):  # hardly anybody holds it upside down
            picture, orientation = picture.transpose(Image.Transpose.ROTATE_180), 3
        exif = _exif(device, at, chance, orientation=orientation, size=picture.size)
        out = BytesIO()
        picture.save(out, "JPEG", quality=_QUALITY, exif=exif)
        return out.getvalue()

    def _scene(self, day: date, number: int, *, outside: bool) -> tuple[Image.Image, bool]:
        """Return the scene of a picture, and whether it is outside: mostly the day's view."""
        if outside or number % 5 not in _CLOSE_TURNS:
            age = (LAST_DAY - day).days
            key = ("exterior", age)
            if key not in self._scenes:
                # Days come in order: an older day's view is not needed again.
                for old in [old for old in self._scenes if old[0] == "exterior"]:
                    del self._scenes[old]
                chance = dice(self.seed, *key)
                floors = max(1, _FLOORS - age // (7 * _WEEKS_PER_FLOOR))
                self._scenes[key] = exterior(chance, chance.choice(WEATHERS), floors=floors)
            return self._scenes[key], True
        kind = number % len(_CLOSE_BY)
        key = ("close by", kind + len(_CLOSE_BY) * (number // 7 % _VARIANTS))
        if key not in self._scenes:
            self._scenes[key] = _CLOSE_BY[kind](dice(self.seed, *key))
        return self._scenes[key], False


def _cut(scene: Image.Image, size: tuple[int, int], chance: Random, *, highest: int) -> Image.Image:
    """Return a piece of the scene whose upper edge is not above *highest*."""
    left = chance.randrange(CANVAS[0] - size[0] + 1)
    top = chance.randrange(highest, CANVAS[1] - size[1] + 1)
    picture = scene.crop((left, top, left + size[0], top + size[1]))
    return (
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if happens(chance, 0.5) else picture
    )  # a coin


def _foreground(picture: Image.Image, chance: Random) -> None:
    """Put cones and people before the scene, another set in every picture."""
    draw = ImageDraw.Draw(picture, "RGBA")
    width, height = picture.size
    for _ in range(chance.randrange(4)):
        share = chance.uniform(0.03, 0.22)
        cone(draw, (chance.uniform(0, width), height * (1 - share)), 150 * (0.5 - share))
    if happens(chance, 0.4):  # people come in front of some
        feet = (chance.uniform(0.1, 0.9) * width, chance.uniform(0.9, 1.1) * height)
        person(draw, feet, chance.uniform(280, 420), chance)


def _exif(
    device: Device, at: datetime, chance: Random, *, orientation: int, size: tuple[int, int]
) -> Image.Exif:
    exif = Image.Exif()
    local = f"{at:%Y:%m:%d %H:%M:%S}"
    exif[Base.Make] = device.make
    exif[Base.Model] = device.model
    exif[Base.Orientation] = orientation
    exif[Base.DateTime] = local
    camera = exif.get_ifd(IFD.Exif)
    camera[Base.DateTimeOriginal] = local
    camera[Base.DateTimeDigitized] = local
    if device.has_offset:
        zone = at.strftime("%z")
        camera[Base.OffsetTimeOriginal] = f"{zone[:3]}:{zone[3:]}"
    camera[Base.ExposureTime] = IFDRational(1, chance.choice((60, 120, 250, 500)))
    camera[Base.FNumber] = IFDRational(device.f_number)
    camera[Base.ISOSpeedRatings] = chance.choice((50, 64, 100, 200, 400))
    camera[Base.ExifImageWidth], camera[Base.ExifImageHeight] = size
    if device.has_position:
        exif.get_ifd(IFD.GPSInfo).update(_position(at, chance, above=60 if device.flies else 2))
    return exif


def _position(at: datetime, chance: Random, *, above: float) -> dict[int, object]:
    """Return a place within 80 m of the gate, as GPS tags."""
    north, east = chance.uniform(-80, 80), chance.uniform(-80, 80)
    latitude = LATITUDE + north / _METRES_PER_DEGREE
    longitude = LONGITUDE + east / (_METRES_PER_DEGREE * cos(radians(LATITUDE)))
    height = ALTITUDE + chance.uniform(0, above)
    moment = at.astimezone(UTC)
    return {
        GPS.GPSVersionID: b"\x02\x03\x00\x00",
        GPS.GPSLatitudeRef: "N",
        GPS.GPSLatitude: _degrees(latitude),
        GPS.GPSLongitudeRef: "E",
        GPS.GPSLongitude: _degrees(longitude),
        GPS.GPSAltitudeRef: b"\x00",
        GPS.GPSAltitude: IFDRational(round(height * 100), 100),
        GPS.GPSTimeStamp: tuple(
            IFDRational(part) for part in (moment.hour, moment.minute, moment.second)
        ),
        GPS.GPSDateStamp: f"{moment:%Y:%m:%d}",
    }


def _degrees(angle: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Return degrees, minutes and hundredths of seconds."""
    hundredths = round(angle * 360_000)
    minutes, seconds = divmod(hundredths, 6000)
    degrees, minutes = divmod(minutes, 60)
    return IFDRational(degrees), IFDRational(minutes), IFDRational(seconds, 100)

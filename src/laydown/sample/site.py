"""The invented project that every sample file speaks of: who builds what, where and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from random import Random

PROJECT = "Mühlbach Campus"
PROJECT_CODE = "MBC"
CLIENT = "Mühlbach Campus Development"
CONTRACTOR = "Riedbau General Contractors"
ADDRESS = "Uferweg 14, Mühlbach"

LATITUDE = 47.43127
"""Degrees north of the site's gate."""
LONGITUDE = 9.63184
"""Degrees east of the site's gate."""
ALTITUDE = 412.0
"""Metres above sea level at the site's gate."""

LAST_DAY = date(2026, 10, 28)
"""The newest day in the delivery; everything else happened before it."""

_WINTER_TIME = date(2026, 10, 25)  # central Europe leaves summer time on this day in 2026
_SUMMER_TIME = date(2026, 3, 29)
_MONDAY_TO_FRIDAY = 5


class Discipline(StrEnum):
    """Who draws a sheet: the first letter of its number in the US National CAD Standard."""

    CIVIL = "C"
    ARCHITECTURAL = "A"
    STRUCTURAL = "S"
    MECHANICAL = "M"
    ELECTRICAL = "E"
    PLUMBING = "P"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """One of the design team."""

    name: str
    trade: str
    folder: str


FIRMS: Mapping[Discipline, Firm] = {
    Discipline.CIVIL: Firm(name="Aubach Civil", trade="Civil engineers", folder="Civil"),
    Discipline.ARCHITECTURAL: Firm(
        name="Nordhof Architects", trade="Architects", folder="Architectural"
    ),
    Discipline.STRUCTURAL: Firm(
        name="Lenz Tragwerk", trade="Structural engineers", folder="Structural"
    ),
    Discipline.MECHANICAL: Firm(
        name="Halder Klima", trade="Mechanical engineers", folder="Mechanical"
    ),
    Discipline.ELECTRICAL: Firm(
        name="Voltwerk Stöckli", trade="Electrical engineers", folder="Electrical"
    ),
    Discipline.PLUMBING: Firm(
        name="Quellhaus Sanitär", trade="Plumbing engineers", folder="Plumbing"
    ),
}

PEOPLE = (
    "Anna Brunner",
    "Jörg Wälti",
    "Mehmet Aydin",
    "Sofia Costa",
    "Lukas Fröhlich",
    "Petra Hürlimann",
    "Daniel Okafor",
    "Claire Dubois",
    "Tomasz Zielinski",
    "Inês Ferreira",
)

SUBCONTRACTORS = (
    "Gerüstbau Walser",
    "Betonwerk Rheintal",
    "Stahlbau Imhof",
    "Fensterbau Kolb",
    "Elektro Gantner",
    "Lüftung Marte",
    "Trockenbau Loretz",
    "Dachtechnik Zehnder",
)

MATERIALS = (
    ("Concrete C30/37 XC4", "m3", 48),
    ("Reinforcement B500B d12", "t", 14),
    ("Reinforcement mesh K335", "pcs", 60),
    ("Formwork panel 2.70 x 1.35", "pcs", 120),
    ("Mineral wool 160 mm", "m2", 420),
    ("Gypsum board 12.5 mm", "m2", 900),
    ("Steel door set 1.00 x 2.10", "pcs", 24),
    ("Triple-glazed window W1", "pcs", 36),
    ("Ventilation duct 600 x 300", "m", 140),
    ("Cable tray 300 mm", "m", 220),
    ("Drain pipe DN110", "m", 180),
    ("Scaffold bay 2.57 m", "pcs", 75),
)


def dice(seed: int, *what: object) -> Random:
    """Return the chance that belongs to one thing, whatever else is made before it."""
    name = "/".join(str(part) for part in (seed, *what))
    return Random(name)  # noqa: S311 - a sample must come out the same each time; nothing is secret


def happens(chance: Random, share: float) -> bool:
    """Return true in that *share* of all cases."""
    return chance.random() < share


def zone_on(day: date) -> timezone:
    """Return the site's offset from UTC on *day*: one hour, two in summer."""
    return timezone(timedelta(hours=2 if _SUMMER_TIME <= day < _WINTER_TIME else 1))


def working_days(count: int) -> tuple[date, ...]:
    """Return the last *count* working days of the delivery, oldest first."""
    days: list[date] = []
    day = LAST_DAY
    while len(days) < count:
        if day.weekday() < _MONDAY_TO_FRIDAY:
            days.append(day)
        day -= timedelta(days=1)
    return tuple(reversed(days))


def moment(chance: Random, day: date) -> datetime:
    """Return a moment of the working *day* in the site's time, to the second."""
    start = datetime(day.year, day.month, day.day, 7, tzinfo=zone_on(day))
    return start + timedelta(seconds=chance.randrange(10 * 3600))


def past_moment(chance: Random, *, within_days: int = 150) -> datetime:
    """Return a moment of some day in the *within_days* before the last one."""
    return moment(chance, LAST_DAY - timedelta(days=chance.randrange(1, within_days)))


def stamp(at: datetime) -> str:
    """Return *at* as XML and STEP headers write it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

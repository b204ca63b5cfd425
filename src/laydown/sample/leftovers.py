"""What comes with a delivery and nobody wants: junk, broken files, copies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice, product
from pathlib import PurePosixPath

from laydown.domain.reasons import Reason
from laydown.sample import junk, papers
from laydown.sample.contents import Planned
from laydown.sample.site import dice, past_moment
from laydown.sample.wording import subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file that has the bytes of another."""

    path: str
    of: Planned


_MAKERS = {
    ".DS_Store": junk.ds_store,
    "Thumbs.db": junk.thumbs,
    "desktop.ini": lambda _: junk.desktop_ini(),
    "~$Door schedule.xlsx": junk.lock_file,
    ".bak": junk.backup,
    ".dwl": junk.drawing_lock,
}
FIRST_JUNK = (
    "01 Drawings/Architectural/plan.bak",
    "01 Drawings/Architectural/plan.dwl",
    "01 Drawings/.DS_Store",
    "03 Photos/Thumbs.db",
    "04 Schedules/~$Door schedule.xlsx",
    "05 Correspondence/desktop.ini",
)
"""Junk that every delivery has."""


def clutter(seed: int, contents: Sequence[Planned], wanted: int) -> Iterator[Planned]:
    """Plan junk: one of each kind, then more of it wherever there are *contents*."""
    folders = sorted({str(PurePosixPath(planned.path).parent) for planned in contents})
    more = (f"{folder}/{name}" for folder, name in product(folders, (".DS_Store", "Thumbs.db")))
    even_more = (f"01 Drawings/plan{number}.bak" for number in count(2))
    for path in islice(chain(FIRST_JUNK, more, even_more), wanted):
        chance = dice(seed, "junk", path)
        name = PurePosixPath(path)
        make = _MAKERS.get(name.name) or _MAKERS[name.suffix]
        yield Planned(path=path, at=past_moment(chance), make=partial(make, chance))


def broken(seed: int, contents: Sequence[Planned]) -> Mapping[Reason, Planned]:
    """Plan one file for each reason to reject it."""
    album = next(planned.path for planned in contents if planned.path.startswith("03 Photos/"))
    day = PurePosixPath(album).parent
    chance = dice(seed, "broken")
    scan, empty, pointer = (past_moment(chance) for _ in range(3))
    return {
        Reason.TYPE_MISMATCH: Planned(
            path=f"{day}/Scan delivery note.jpg",
            at=scan,
            make=partial(papers.report, chance, scan, number="SCAN-001", about=subject(chance)),
        ),
        Reason.EMPTY_FILE: Planned(
            path="05 Correspondence/Site reports/Handover protocol (scan).pdf",
            at=empty,
            make=bytes,
        ),
        Reason.PLACEHOLDER_POINTER: Planned(
            path="02 Models/MBC-B1-Federated.rvt",
            at=pointer,
            make=partial(junk.pointer, chance),
        ),
    }


def copies(seed: int, contents: Sequence[Planned], wanted: int) -> Iterator[Copy]:
    """Plan exact copies, where and under the names that people and programs give them."""
    chance = dice(seed, "copies")
    for place, original in enumerate(chance.sample(contents, wanted)):
        path = PurePosixPath(original.path)
        name = (
            f"Old/{path.name}",
            f"Copy of {path.name}",
            f"{path.stem} (1){path.suffix}",
            f"{path.stem} - Copy{path.suffix}",
        )[place % 4]
        yield Copy(path=f"{path.parent}/{name}", of=original)

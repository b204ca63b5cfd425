"""Draws lines, shapes and Helvetica text as a PDF content stream, in millimetres."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from math import cos, hypot, pi, radians, sin, tan

_CIRCLE = 0.5522847498  # 4/3 · (√2 - 1): how far control points stand for a quarter circle

# Advance widths of Helvetica for codes 32 to 126, in thousandths (Adobe's Core 14 metrics).
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_ADVANCE = {chr(code): width for code, width in enumerate(_WIDTHS, start=ord(" "))}
_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


class Align(Enum):
    """Which end of the text stands at the point; the value is the share of its width before it."""

    LEFT = 0.0
    CENTER = 0.5
    RIGHT = 1.0


def width_of(text: str, size: float) -> float:
    """Return how long *text* is in Helvetica of *size*; other letters count as an `a`."""
    return sum(_ADVANCE.get(letter, _ADVANCE["a"]) for letter in text) * size / 1000


@dataclass(slots=True)
class Pen:
    """Collects drawing operators; every number is in millimetres, angles in degrees."""

    _out: list[str] = field(default_factory=list)

    def content(self) -> bytes:
        """Return all that was drawn, in the encoding of the fonts."""
        return "\n".join(self._out).encode("cp1252")

    def ink(self, red: float, green: float | None = None, blue: float | None = None) -> None:
        """Set the colour of lines and fills, 0 to 1; one number alone is a grey."""
        if green is None or blue is None:
            self._out.append(f"{red:g} G {red:g} g")
        else:
            self._out.append(f"{red:g} {green:g} {blue:g} RG {red:g} {green:g} {blue:g} rg")

    def width(self, width: float) -> None:
        """Set the width of lines."""
        self._out.append(f"{width:g} w")

    def dash(self, *lengths: float) -> None:
        """Set the pattern of dashes and gaps; none means a solid line."""
        self._out.append(f"[{' '.join(f'{length:g}' for length in lengths)}] 0 d")

    @contextmanager
    def moved(self, x: float, y: float) -> Iterator[None]:
        """Draw with (x, y) as the origin; colour, width and dashes are as before afterwards."""
        self._out.append(f"q 1 0 0 1 {x:.2f} {y:.2f} cm")
        yield
        self._out.append("Q")

    def show(self, name: str, x: float, y: float) -> None:
        """Show a drawing of the page with its origin at (x, y)."""
        self._out.append(f"q 1 0 0 1 {x:.2f} {y:.2f} cm /{name} Do Q")

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draw a straight line."""
        self._out.append(f"{x0:.2f} {y0:.2f} m {x1:.2f} {y1:.2f} l S")

    def path(
        self, points: Sequence[tuple[float, float]], *, close: bool = False, fill: bool = False
    ) -> None:
        """Draw straight lines from point to point."""
        (x, y), *rest = points
        legs = " ".join(f"{x:.2f} {y:.2f} l" for x, y in rest)
        end = "f" if fill else "s" if close else "S"
        self._out.append(f"{x:.2f} {y:.2f} m {legs} {end}")

    def rect(self, x: float, y: float, width: float, height: float, *, fill: bool = False) -> None:
        """Draw or fill a rectangle by its lower left corner."""
        self._out.append(f"{x:.2f} {y:.2f} {width:.2f} {height:.2f} re {'f' if fill else 'S'}")

    def wipe(self, x: float, y: float, width: float, height: float) -> None:
        """Clear a rectangle of all that lies under it, and keep the colour."""
        self._out.append(f"q 1 g {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f Q")

    def stones(self, places: Iterable[tuple[float, float, float]]) -> None:
        """Fill small triangles of a size at each (x, y, size), all at once."""
        self._out.append(
            "\n".join(
                f"{x:.2f} {y:.2f} m {x + size:.2f} {y + size / 3:.2f} l "
                f"{x + size / 2:.2f} {y + size:.2f} l h"
                for x, y, size in places
            )
            + " f"
        )

    def circle(self, x: float, y: float, r: float, *, fill: bool = False) -> None:
        """Draw or fill a circle."""
        k = r * _CIRCLE
        self._out.append(
            f"{x + r:.2f} {y:.2f} m {x + r:.2f} {y + k:.2f} {x + k:.2f} {y + r:.2f} {x:.2f} "
            f"{y + r:.2f} c {x - k:.2f} {y + r:.2f} {x - r:.2f} {y + k:.2f} {x - r:.2f} {y:.2f} c "
            f"{x - r:.2f} {y - k:.2f} {x - k:.2f} {y - r:.2f} {x:.2f} {y - r:.2f} c {x + k:.2f} "
            f"{y - r:.2f} {x + r:.2f} {y - k:.2f} {x + r:.2f} {y:.2f} c {'f' if fill else 's'}"
        )

    def arc(self, x: float, y: float, r: float, start: float, end: float) -> None:
        """Draw at most a quarter of a circle, from angle *start* to *end*."""
        a, b = radians(start), radians(end)
        k = 4 / 3 * tan((b - a) / 4) * r
        ax, ay, bx, by = x + r * cos(a), y + r * sin(a), x + r * cos(b), y + r * sin(b)
        self._out.append(
            f"{ax:.2f} {ay:.2f} m {ax - k * sin(a):.2f} {ay + k * cos(a):.2f} "
            f"{bx + k * sin(b):.2f} {by - k * cos(b):.2f} {bx:.2f} {by:.2f} c S"
        )

    def curve(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw a smooth line through the points (Catmull-Rom, as cubic pieces)."""
        ends = [points[0], *points, points[-1]]
        legs = [f"{points[0][0]:.2f} {points[0][1]:.2f} m"]
        for before, a, b, after in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
            legs.append(
                f"{a[0] + (b[0] - before[0]) / 6:.2f} {a[1] + (b[1] - before[1]) / 6:.2f} "
                f"{b[0] - (after[0] - a[0]) / 6:.2f} {b[1] - (after[1] - a[1]) / 6:.2f} "
                f"{b[0]:.2f} {b[1]:.2f} c"
            )
        self._out.append(" ".join(legs) + " S")

    def hatch(self, x: float, y: float, width: float, height: float, *, gap: float) -> None:
        """Fill a rectangle with lines at 45 degrees, *gap* apart along its edges."""
        legs = []
        for step in range(1, int((width + height) / gap) + 1):
            at = step * gap
            x0, y0 = (at, 0.0) if at <= width else (width, at - width)
            x1, y1 = (0.0, at) if at <= height else (at - height, height)
            legs.append(f"{x + x0:.2f} {y + y0:.2f} m {x + x1:.2f} {y + y1:.2f} l")
        self._out.append(" ".join([*legs, "S"]))

    def rows(self, x: float, y: float, width: float, height: float, *, gap: float) -> None:
        """Fill a rectangle with level lines, *gap* apart."""
        self._out.append(
            "\n".join(
                f"{x:.2f} {y + gap * row:.2f} m {x + width:.2f} {y + gap * row:.2f} l"
                for row in range(int(height / gap))
            )
            + " S"
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 2.5,
        bold: bool = False,
        align: Align = Align.LEFT,
        upright: bool = False,
    ) -> None:
        """Write one line of *text* with its base line at y; *upright* turns it a quarter left."""
        before = 0.0 if align is Align.LEFT else width_of(text, size) * align.value
        turn = (
            f"0 1 -1 0 {x:.2f} {y - before:.2f}" if upright else f"1 0 0 1 {x - before:.2f} {y:.2f}"
        )
        face = "F2" if bold else "F1"
        self._out.append(f"BT /{face} {size:g} Tf {turn} Tm ({text.translate(_ESCAPES)}) Tj ET")

    def lines_of_text(
        self, x: float, y: float, lines: Iterable[str], *, size: float = 2.5, gap: float = 1.6
    ) -> float:
        """Write lines under each other and return the next base line; *gap* is in sizes."""
        for line in lines:
            self.text(x, y, line, size=size)
            y -= size * gap
        return y

    def arrow(self, x0: float, y0: float, x1: float, y1: float, *, size: float = 2.0) -> None:
        """Draw a line with a filled head at its end."""
        self.line(x0, y0, x1, y1)
        length = hypot(x1 - x0, y1 - y0) or 1.0
        ux, uy = (x1 - x0) / length * size, (y1 - y0) / length * size
        wing = tan(pi / 12)
        self.path(
            [
                (x1, y1),
                (x1 - ux - uy * wing, y1 - uy + ux * wing),
                (x1 - ux + uy * wing, y1 - uy - ux * wing),
            ],
            fill=True,
        )

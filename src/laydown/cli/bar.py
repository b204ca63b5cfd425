"""A push's progress: live bars on a terminal, a line every few seconds elsewhere."""

import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from laydown.cli.printable import duration, files, size

if TYPE_CHECKING:
    from laydown.client.progress import Progress as Moment

_WIDE = 110  # columns, from which bars no longer grow: wider ones tell no more
_LINE_SECONDS = 5.0
_RATE_SECONDS = 8.0  # over which the rate is measured


class Rate:
    """Bytes a second, over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now: float, count: int) -> None:
        """Note that *count* bytes were through at *now*, in seconds."""
        self._seen.append((now, count))
        while now - self._seen[0][0] > _RATE_SECONDS and len(self._seen) > 1:
            self._seen.popleft()

    def per_second(self) -> float:
        """Return the rate, 0 while nothing tells."""
        if not self._seen:
            return 0.0
        (began, before), (now, count) = self._seen[0], self._seen[-1]
        return (count - before) / (now - began) if now > began else 0.0


class Bars:
    """A context manager that shows a push on *console*; give it moments."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rate = Rate()
        self._last_line = time.monotonic()
        self._bars = _bars(console) if console.is_terminal else None
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the last state standing."""
        if self._bars is not None:
            self._bars.stop()

    def show(self, moment: "Moment") -> None:
        """Show a moment; the client calls this several times a second."""
        now = time.monotonic()
        self._rate.note(now, moment.sent.bytes)
        if self._bars is not None:
            self._draw(self._bars, moment)
        elif now - self._last_line >= _LINE_SECONDS and moment.phase != "done":
            self._last_line = now
            self._console.print(_line(moment, self._rate.per_second()), soft_wrap=True)

    def _draw(self, bars: Progress, moment: "Moment") -> None:
        rate = self._rate.per_second()
        is_moving = rate > 0 and moment.phase == "sending"
        self._row(
            bars,
            "Reading",
            moment.read.bytes,
            moment.found.bytes,
            moment.read.count,
            moment.found.count,
            "",
        )
        speed = f"{size(rate)}/s" if is_moving else ""
        if is_moving and not moment.is_reading:
            speed += f" {duration((moment.wanted.bytes - moment.sent.bytes) / rate)}"
        self._row(
            bars,
            "Sending",
            moment.sent.bytes,
            moment.wanted.bytes,
            moment.sent.count,
            moment.wanted.count,
            speed,
        )
        if moment.declared:
            self._row(
                bars,
                "Checking",
                moment.settled,
                moment.declared,
                moment.settled,
                moment.declared,
                "",
            )

    def _row(
        self, bars: Progress, name: str, done: int, total: int, count: int, of: int, speed: str
    ) -> None:
        if name not in self._rows:
            self._rows[name] = bars.add_task(name, total=None, files="", amount="", speed="")
        is_bytes = name != "Checking"
        bars.update(
            self._rows[name],
            completed=min(done, total),
            total=max(total, 1) if of or done else None,
            files=f"{count:,}/{of:,} files",
            amount=size(done) if is_bytes else "",
            speed=speed,
        )


def _bars(console: Console) -> Progress:
    def fixed(field: str, width: int) -> TextColumn:
        column = Column(justify="right", no_wrap=True, min_width=width)
        text = "{task.fields[" + field + "]}"
        return TextColumn(text, table_column=column, markup=False, justify="right")

    is_narrow = console.width < _WIDE

    return Progress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=8)),
        BarColumn(
            bar_width=None if is_narrow else 40,
            table_column=Column(ratio=1 if is_narrow else None, min_width=8),
        ),
        fixed("files", 15),
        fixed("amount", 9),
        fixed("speed", 18),
        console=console,
        expand=is_narrow,
        refresh_per_second=10,
    )


def _line(moment: "Moment", rate: float) -> str:
    """Return one plain line on where things stand."""
    match str(moment.phase):
        case "looking":
            return "looking for files"
        case "checking":
            return f"all is sent; checked {moment.settled:,} of {files(moment.declared)}"
        case _:
            line = (
                f"read {moment.read.count:,} of {files(moment.found.count)}, sent "
                f"{moment.sent.count:,} of {moment.wanted.count:,} wanted "
                f"({size(moment.sent.bytes)} of {size(moment.wanted.bytes)})"
            )
            if rate > 0:
                line += f", {size(rate)}/s"
                if not moment.is_reading:
                    left = (moment.wanted.bytes - moment.sent.bytes) / rate
                    line += f", {duration(left)} left"
            return line

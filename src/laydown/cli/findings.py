"""What a look at a system found, as sentences or as JSON."""

from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from laydown.cli.printable import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    is_well: bool
    sentence: str
    remedy: str = ""


def well(sentence: str) -> Finding:
    """Return what needs nothing."""
    return Finding(is_well=True, sentence=sentence)


def ill(sentence: str, remedy: str) -> Finding:
    """Return what needs somebody."""
    return Finding(is_well=False, sentence=sentence, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was found so far; with a console, it is shown as it comes."""

    console: Console | None
    found: list[Finding] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether nothing needs anybody."""
        return all(each.is_well for each in self.found)

    def add(self, finding: Finding) -> None:
        """Take note of a finding."""
        self.found.append(finding)
        if self.console is not None:
            _show(self.console, finding)

    def as_json(self) -> dict[str, object]:
        """Return all of them."""
        found = [
            {"ok": each.is_well, **{key: asdict(each)[key] for key in ("sentence", "remedy")}}
            for each in self.found
        ]
        return {"ok": self.is_well, "findings": found}


def _show(console: Console, finding: Finding) -> None:
    """Print a finding: on a terminal words stay whole, elsewhere lines do."""
    mark = Text("✓", "green") if finding.is_well else Text("✗", "red")
    lines = [line for line in (finding.sentence, finding.remedy) if line]
    if console.is_terminal:
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column()
        grid.add_column(overflow="fold")
        for line in lines:
            grid.add_row(mark, Text(printable(line)))
            mark = Text("")
        console.print(grid)
        return
    console.print(Text.assemble(mark, " " + printable(lines[0])), soft_wrap=True)
    for line in lines[1:]:
        console.print(Text(f"  {printable(line)}"), soft_wrap=True)

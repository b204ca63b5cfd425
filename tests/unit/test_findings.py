"""What doctor found, as people and programs get it."""

import io

import pytest
from rich.console import Console

from laydown.cli.findings import Findings, ill, well

WORDY = "the oldest job has been due for an hour, and of all the words here none is cut in two"


def told(*, width: int, is_terminal: bool) -> tuple[Findings, list[str]]:
    """Return what was found and the lines that say so."""
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=is_terminal, color_system=None)
    findings = Findings(console=console)
    findings.add(well("all is\x1b[31m well"))
    findings.add(ill(WORDY, f"Do this: {WORDY}."))
    return findings, out.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 80, 200])
def test_on_a_terminal_words_stay_whole(width: int):
    """Lines are as wide as the terminal at most, and what belongs together is indented."""
    _, lines = told(width=width, is_terminal=True)
    assert max(map(len, lines)) <= width
    assert [line[0] for line in lines if line[0] != " "] == ["✓", "✗"]
    words = " ".join(lines).replace("✓", "").replace("✗", "").split()
    assert words == ["all", "is\\x1b[31m", "well", *WORDY.split(), *f"Do this: {WORDY}.".split()]


def test_elsewhere_a_finding_is_a_line():
    """A pipe gets the mark, the sentence, and below it the remedy, however long they are."""
    _, lines = told(width=30, is_terminal=False)
    assert lines == ["✓ all is\\x1b[31m well", f"✗ {WORDY}", f"  Do this: {WORDY}."]


def test_programs_get_all_of_it():
    """As JSON, well or not, in the order in which it was found."""
    findings, _ = told(width=80, is_terminal=False)
    assert not findings.is_well
    said = findings.as_json()
    assert said["ok"] is False
    assert [each["ok"] for each in said["findings"]] == [True, False]
    assert said["findings"][1] == {"ok": False, "sentence": WORDY, "remedy": f"Do this: {WORDY}."}

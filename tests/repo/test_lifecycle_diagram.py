"""The picture of an upload's life is the table of moves."""

import re
from pathlib import Path

from laydown.domain.lifecycle import MOVES, SETTLED, State
from laydown.domain.reasons import RETRYABLE
from laydown.domain.upload import VerdictKind

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "lifecycle.md").read_text("utf-8")
DIAGRAM = re.findall(r"^    (\S+) --> (\S+)(?: : (\w+))?$", PAGE, re.MULTILINE)


def first_column(title):
    """Return what the first cells of the table under a heading have in code marks."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_picture_has_every_move_and_no_other():
    """Arrows between states are the table, event for event, and in its order."""
    drawn = [arrow for arrow in DIAGRAM if "[*]" not in arrow]
    assert drawn == [(was, becomes, event) for (was, event), becomes in MOVES.items()]


def test_the_picture_begins_and_ends_where_uploads_do():
    """Uploads begin declared and end in the settled states."""
    assert [becomes for was, becomes, _ in DIAGRAM if was == "[*]"] == [State.DECLARED]
    assert [was for was, becomes, _ in DIAGRAM if becomes == "[*]"] == [
        state for state in State if state in SETTLED
    ]


def test_every_state_is_explained():
    """Each state has its row, settled ones in their own table."""
    assert first_column("On the way") == [state for state in State if state not in SETTLED]
    assert first_column("Settled") == [state for state in State if state in SETTLED]


def test_every_verdict_is_explained():
    """Each verdict has its row."""
    assert first_column("Verdicts") == list(VerdictKind)


def test_the_reasons_that_can_be_retried_are_named():
    """The page names the rejections that a retry leads out of."""
    assert all(f"`{reason}`" in PAGE for reason in RETRYABLE)

"""What a terminal shows, whatever files are called."""

import io
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from laydown import wire
from laydown.cli.bar import Bars, Rate
from laydown.cli.fetch import safe_name
from laydown.cli.outcome import show_groups, show_problems, show_troubles
from laydown.cli.printable import duration, printable, shortened, size
from laydown.cli.push import as_object, project_code, show
from laydown.cli.tables import Column, show_table
from laydown.client.progress import Log, Phase
from laydown.client.result import PushResult, grouped
from laydown.client.walk import Trouble
from tests.unit.small_batch import NOW

ODD = "[red]a[/red]\x1b[31m\u202egpj.exe\udce9\n中文" + "x" * 300 + "/plan.pdf"


def rendered(width: int) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width, force_terminal=False, highlight=False), out


def row(path: str, state: wire.UploadState = "rejected", reason: str | None = "type_mismatch"):
    return wire.ReceiptRow(
        path=path,
        size=10,
        state=state,
        key=path,
        upload_id=UUID(int=1),
        reason=reason,
        message="It is not what it says.",
        remedy="Export it again.",
        detail="a [bold] detail",
    )


@given(st.text(st.characters(), max_size=60), st.integers(0, 80))
def test_any_name_fits_and_moves_nothing(name: str, width: int):
    """A shortened name is printable text of at most that many cells."""
    shown = shortened(name, width)

    assert cell_len(shown) <= width
    assert shown.isprintable()
    shown.encode()


def test_a_long_path_keeps_its_end():
    """Its own name is what people look for."""
    shown = shortened("Drawings/" + "x" * 100 + "/A-101 Ground floor.pdf", 40)

    assert shown.endswith("/A-101 Ground floor.pdf")
    assert shown.startswith("Drawings/")
    assert "…" in shown


def test_bytes_that_are_no_text_are_shown_as_bytes():
    """A damaged name can be found again."""
    assert printable("caf\udce9\n\u202e") == "caf\\xe9\\x0a\\u202e"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_000, "1.0 kB"), (86_129_039, "86.1 MB")],
)
def test_sizes_are_in_decimal_units(count: int, shown: str):
    """As the disk's label has them."""
    assert size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.25, "0.2 s"), (59, "59 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min")]
)
def test_durations_are_coarser_the_longer(seconds: float, shown: str):
    """Nobody needs the seconds of an hour."""
    assert duration(seconds) == shown


@pytest.mark.parametrize("width", [80, 200])
def test_odd_names_break_no_table(width: int):
    """Markup is text, lines stay within the terminal, and the file is named."""
    console, out = rendered(width)
    rows = [row(ODD), row("b.pdf", "ready", None), *[row(f"{n}.pdf") for n in range(30)]]
    show_groups(console, grouped(rows))
    show_problems(console, rows[:1] + rows[2:], at_most=20, more="laydown receipt 7")
    show_troubles(console, "Not sent", [Trouble(ODD, "permission denied")], at_most=5)
    show_table(console, [Column(name="Path", gives_way=True), Column(name="Size")], [[ODD, "1 kB"]])
    lines = out.getvalue().splitlines()

    assert max(map(cell_len, lines)) <= width
    assert any("[red]a[/red]" in line for line in lines)
    assert "… and 11 files more: laydown receipt 7" in out.getvalue()
    assert out.getvalue().count("Export it again.") == 1


def test_columns_that_have_no_room_are_left_out():
    """What remains is whole."""
    columns = [
        Column(name="Batch"),
        Column(name="Label", gives_way=True, is_optional=True),
        Column(name="Since", is_optional=True),
    ]
    console, out = rendered(60)
    show_table(console, columns, [["0" * 36, "a label" * 9, "2026-01-01 00:00"]])

    assert out.getvalue().splitlines() == ["Batch", "0" * 36]


def result(**changes: object) -> PushResult:
    given: dict[str, object] = {
        "batch": None,
        "groups": [],
        "problems": [],
        "unreadable": [],
        "passed_over": [],
        "bytes_sent": 0,
        "seconds": 1.0,
        **changes,
    }
    return PushResult(**given)  # type: ignore[arg-type]


def batch() -> wire.Batch:
    return wire.Batch(
        id=UUID(int=7),
        project_id=UUID(int=8),
        reference="r",
        label=None,
        on_conflict="new_version",
        state="settled",
        created_at=NOW,
        closed_at=NOW,
        declared=wire.Amount(count=2, bytes=20),
        counts={"ready": 1, "rejected": 1},
        reasons={"type_mismatch": 1},
        settled=wire.Amount(count=2, bytes=20),
        received_bytes=20,
    )


def test_a_result_is_one_json_object():
    """With the names that scripts rely on."""
    said = json.loads(
        as_object(result(batch=batch(), bytes_sent=20, unreadable=[Trouble(ODD, "gone")]))
    )

    assert said == {
        "batch": str(UUID(int=7)),
        "counts": {"ready": 1, "rejected": 1},
        "reasons": {"type_mismatch": 1},
        "declared": {"count": 2, "bytes": 20},
        "bytes_sent": 20,
        "seconds": 1.0,
        "unreadable": [{"path": printable(ODD), "why": "gone"}],
    }


def test_a_file_that_was_taken_back_is_told_once_with_its_cause():
    """Not as cancelled by somebody, too."""
    console, out = rendered(80)
    gone = row("gone.pdf", "cancelled", "cancelled_by_user")
    show(
        console,
        result(batch=batch(), problems=[gone], unreadable=[Trouble("gone.pdf", "no such file")]),
    )

    assert out.getvalue().count("gone.pdf") == 1
    assert "no such file" in out.getvalue()


def test_without_a_terminal_there_are_lines_now_and_then():
    """No bars in a log, and not a line for every file."""
    console, out = rendered(80)
    log = Log(phase=Phase.SENDING, found_files=3, read_files=2, wanted_files=2, sent_files=1)
    with Bars(console) as bars:
        for _ in range(100):
            bars.show(log.now())

    assert out.getvalue() == ""


def test_a_rate_is_of_the_last_seconds():
    """What happened long ago says nothing about now."""
    rate = Rate()
    assert rate.per_second() == 0
    for second in range(100):
        rate.note(second, 1_000 if second < 50 else 1_000 + (second - 50) * 10)

    assert rate.per_second() == 10


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("Tower B \u2013 Übergabe", "TOWER-B-UBERGABE"),
        ("schependomlaan", "SCHEPENDOMLAAN"),
        ("2026_11.01", "2026_11.01"),
        ("中文", "PROJECT"),
        ("--x--", "X"),
        ("y" * 100, "Y" * 64),
    ],
)
def test_a_project_is_named_after_its_folder(tmp_path, folder: str, code: str):
    """Whatever the folder is called, the code is one."""
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "a.txt").write_text("x")

    assert project_code(tmp_path / folder) == code
    assert project_code(tmp_path / folder / "a.txt") == code


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Drawings/A-101.pdf", "A-101.pdf"),
        ("a/..", "document"),
        ("a/-rf", "rf"),
        ("a/x:y?.pdf", "x_y_.pdf"),
        ("a/b\x00\n.pdf", "b__.pdf"),
        ("a/" + "n" * 300 + ".pdf", "n" * 196 + ".pdf"),
    ],
)
def test_a_download_has_a_name_that_any_system_takes(path: str, name: str):
    """Neither a folder above nor an option of a program."""
    assert safe_name(path) == name

"""The reference of file types and names says what the code does."""

import re
from pathlib import Path

from laydown.domain.filetypes import ACCEPTED, PROGRAM_EXTENSIONS
from laydown.domain.kinds import KINDS, PROGRAMS
from laydown.domain.names import (
    MOST_BYTES,
    MOST_SEGMENT_BYTES,
    MOST_SEGMENTS,
    SYSTEM_JUNK,
    RefusedName,
    normalised,
)
from laydown.domain.sniffing import HEAD_BYTES, TAIL_BYTES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def section(page, title):
    """Return the text under a heading of a page of the reference."""
    text = (REFERENCE / page).read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text):
    """Return the cells of every table row but headings."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    tables = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in lines]
    return [cells for cells in tables if cells[0] not in {"Extension", "What", "Kind", "Pattern"}]


def codes(cell):
    """Return what a cell has in code marks."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_extension_is_documented_with_its_kinds():
    """The table of extensions is `ACCEPTED`, no line more or less, and says what each promises."""
    documented = {}
    for extensions, promised, kinds in rows(section("filetypes.md", "Extensions")):
        assert KINDS[codes(kinds)[0]].called == promised
        for extension in codes(extensions):
            assert extension not in documented
            documented[extension] = frozenset(codes(kinds))
    assert documented == ACCEPTED


def test_every_program_is_documented():
    """The extensions and kinds that are never taken are all there, and no others."""
    programs = rows(section("filetypes.md", "Programs"))
    extensions = [code for cells in programs if len(cells) == 2 for code in codes(cells[1])]
    kinds = [cells for cells in programs if len(cells) == 3]
    assert sorted(extensions) == sorted(PROGRAM_EXTENSIONS)
    assert kinds == [
        [f"`{kind.name}`", kind.called, f"`{kind.media_type}`"]
        for kind in KINDS.values()
        if kind.name in PROGRAMS
    ]


def test_every_kind_is_documented():
    """The table of kinds has every one that is no program, with its media type."""
    assert rows(section("filetypes.md", "Kinds")) == [
        [f"`{kind.name}`", kind.called, f"`{kind.media_type}`"]
        for kind in KINDS.values()
        if kind.name not in PROGRAMS
    ]


def test_the_bytes_looked_at_are_documented():
    """The page says how much of a file is read to recognise it."""
    text = (REFERENCE / "filetypes.md").read_text("utf-8")
    assert f"first {HEAD_BYTES // 1024} KiB and the last {TAIL_BYTES // 1024} KiB" in text


def test_the_junk_list_is_documented():
    """The table of junk is `SYSTEM_JUNK`, in its order, with its reasons."""
    assert rows(section("names.md", "System junk")) == [
        [f"`{entry.pattern}`", entry.why] for entry in SYSTEM_JUNK
    ]


def test_the_limits_of_names_are_documented():
    """The page gives the limits of the code."""
    refused = section("names.md", "What is refused")
    assert f"more than {MOST_BYTES:,} bytes" in refused
    assert f"more than {MOST_SEGMENT_BYTES} bytes" in refused
    assert f"more than {MOST_SEGMENTS} parts" in refused


def characters(text):
    """Return the characters that a text names by their codes, both ends of ranges."""
    points = re.findall(r"U\+([0-9A-F]{4,6})(?:\u2013([0-9A-F]{4}))?", text)
    return [chr(int(end, 16)) for ends in points for end in ends if end]


def is_accepted(character):
    """Say whether a name may have this character inside."""
    try:
        normalised(f"a{character}b")
    except RefusedName as refusal:
        return refusal.reason != "illegal_name"
    return True


def test_every_character_is_treated_as_documented():
    """Codes in the table of refusals are refused, and those said to be taken are taken."""
    table, _, taken = section("names.md", "What is refused").partition("\nTaken are")
    assert [code for code in characters(table) if is_accepted(code)] == []
    assert [code for code in characters(taken) if not is_accepted(code)] == []
    assert len(characters(table)) > 20
    assert characters(taken)

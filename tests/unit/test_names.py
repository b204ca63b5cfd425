"""Names as users give them: one form kept, the rest refused, and nothing harmful given back."""
# ruff: noqa: RUF001 - letters that look like others are what these tests are about

import re
import sys
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.names import (
    JUNK_PATTERNS,
    MOST_SEGMENT_BYTES,
    SYSTEM_JUNK,
    RefusedName,
    content_disposition,
    download_name,
    folded,
    junk,
    normalised,
)

RLO, ZWSP, BOM, NBSP = "\u202e", "\u200b", "\ufeff", "\u00a0"

KEPT = [
    "A-101.pdf",
    "Drawings/A-101.pdf",
    "Drawings/Level 2 (rev. B)/A-101 – Grundriß.pdf",
    "图纸/平面图-03.dwg",
    "طرح/نقشه\u200cها.pdf",  # Persian needs the zero-width non-joiner
    "photos/👩\u200d🔧 fix.jpg",  # an emoji joined by ZWJ
    "葛\U000e0100飾区.pdf",  # a variation selector chooses the shape of a Japanese letter
    "Screenshot 2026-11-22 at 10.00.00\u202fAM.png",  # macOS puts a narrow space there
    ".hidden",
    "..rest",
    "a..b/c...d",
    "CON",  # harmless here; given back under another name
    "aux.txt",
    "COM¹.dwg",
    "Level 2: plan.pdf",
    'what?*<>|".pdf',
    "trailing. ",
    "50% done.pdf",
    "images%2Fphoto.jpg",
    "a%20b.pdf",
    "100%",
    "-rf",
    "~/notes.txt",
    "$(reboot).txt",
    "'; DROP TABLE documents; --.pdf",
    "<script>alert(1)<script>.html",
    "{{7*7}}.txt",
    "=HYPERLINK(1).csv",
    "\ue000.pdf",  # private use: macOS keeps characters there that Windows shares refuse
    "\ufffd.pdf",
    "x" * 251 + ".pdf",
]

REFUSED = [
    "",
    ".",
    "..",
    "...",
    ". .",
    " ",
    NBSP,
    "\u3000",
    "…",
    "．．",
    "../etc/passwd",
    "a/../b",
    "a/./b",
    "./a",
    "a/..",
    "a/.. /b",
    "a/‥/b",
    "/etc/passwd",
    "//server/share/a.pdf",
    "a//b",
    "a/",
    "/",
    "\\",
    "a\\b.pdf",
    "..\\..\\windows\\win.ini",
    "\\\\server\\share\\a.pdf",
    "C:/a.pdf",
    "c:a.pdf",
    "%2e%2e/a",
    "..%2f..%2fetc%2fpasswd",
    "%252e%252e%252fa",
    "%2e%2e%5ca",
    "a.pdf%00.jpg",
    "a.pdf%2500.jpg",
    "a\0b",
    "a\nb",
    "a\r\nSet-Cookie: x=1",
    "a\tb",
    "a\x1b[31mb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    f"photo{RLO}gpj.exe",
    "a\u202ab",
    "a\u202cb",
    "a\u2066b\u2069",
    "a\u200eb",
    "a\u061cb",
    f"a{ZWSP}b.pdf",
    f"{BOM}a.pdf",
    "a\u00adb.pdf",
    "a\u2060b.pdf",
    "\u3164",
    "a\U000e0041b",
    "a\ufff9b",
    "a\ud800b",
    "\udcff.pdf",
    "a\uffffb",
    "a\ufdd0b",
    "a\U0010ffffb",
]


@pytest.mark.parametrize("path", KEPT)
def test_an_honest_name_is_kept_as_it_is(path):
    """A name that only looks odd is kept for display, letter by letter."""
    assert normalised(path).path == unicodedata.normalize("NFC", path)


@pytest.mark.parametrize("path", REFUSED)
def test_a_harmful_name_is_refused(path):
    """What leads elsewhere, hides something or shows nothing is refused, with a sentence."""
    with pytest.raises(RefusedName) as refused:
        normalised(path)
    assert refused.value.reason == "illegal_name"
    assert refused.value.detail.endswith(".")
    assert not re.search(r"[\x00-\x1f\u202a-\u202e]", refused.value.detail)


@pytest.mark.parametrize(
    "path",
    ["x" * 256, "é" * 128, "d/" * 64 + "x", "/".join(["x" * 200] * 6), "x" * 1_000_000],
)
def test_a_long_path_is_refused(path):
    """More than 1,024 bytes, 255 a segment or 64 segments is too long; letters count in bytes."""
    with pytest.raises(RefusedName) as refused:
        normalised(path)
    assert refused.value.reason == "path_too_long"
    assert len(refused.value.detail) < 200


def test_a_path_may_have_exactly_the_limits():
    """1,024 bytes, 255 bytes a segment and 64 segments are taken; `longest` moves the first."""
    assert normalised("/".join(["x" * 255] * 4) + "x" * 0).path.count("/") == 3
    assert normalised("x" * 255).path
    assert normalised("/".join(["d"] * 64)).path
    exact = "/".join(["x" * 255] * 4 + [""])[:-1]
    assert len(exact) == 1_023
    assert normalised("x/é", longest=4).path == "x/é"
    with pytest.raises(RefusedName, match="more than 3 bytes"):
        normalised("x/é", longest=3)


def test_no_text_shrinks_by_more_than_half():
    """Refusing unnormalised text of twice the limit refuses nothing that would have fitted."""
    worst = max(
        len(unicodedata.normalize("NFD", letter)) / len(letter.encode())
        for letter in map(chr, range(sys.maxunicode + 1))
        if not 0xD800 <= ord(letter) <= 0xDFFF
    )
    assert worst <= 2


def test_a_decomposed_name_is_composed():
    """macOS's `e` and accent is the `é` of everybody else: one document."""
    assert normalised("caf\u0065\u0301.pdf") == normalised("caf\u00e9.pdf")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Plan.PDF", "plan.pdf"),
        ("STRASSE.dwg", "Straße.dwg"),
        ("ΣΑΣ.pdf", "σας.pdf"),
        ("É/x", "e\u0301/X"),
        ("ᾳ", "ΑΙ"),
    ],
)
def test_names_that_differ_in_case_fold_alike(one, other):
    """Two spellings that a Windows or macOS disk would hold as one are one document here."""
    assert normalised(one).folded == normalised(other).folded


def test_different_names_fold_apart():
    """Accents, digits and letters of other scripts that look alike make other documents."""
    paths = ["resume", "résumé", "a1", "a２", "a", "а", "ﬀx1", "fx1"]
    assert len({normalised(path).folded for path in paths}) == len(paths)


@given(st.text(max_size=60))
def test_normalising_is_idempotent(path):
    """What was accepted once is accepted again, unchanged, and so is what it is compared by."""
    try:
        name = normalised(path)
    except RefusedName:
        return
    assert normalised(name.path) == name
    assert folded(name.folded) == name.folded
    assert len(name.folded.encode()) <= 2 * len(name.path.encode())


@given(st.lists(st.sampled_from(["..", ".", "a", "/", "\\", "%2e", "%2f", " ", "．", "é"])))
def test_no_accepted_path_leads_elsewhere(pieces):
    """However it is decoded, no segment of an accepted path is a way up or nothing."""
    try:
        path = normalised("".join(pieces)).path
    except RefusedName:
        return
    for seen in (path, unquote(path), unquote(unquote(path)), unicodedata.normalize("NFKC", path)):
        assert ".." not in re.split(r"[/\\]", seen)
    assert all(segment.strip(" .") for segment in path.split("/"))
    assert not path.startswith("/")
    assert "\\" not in path


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("Drawings/A-101.pdf", "A-101.pdf"),
        ("CON", "CON_"),
        ("con.tar.gz", "con_.tar.gz"),
        ("nul .txt", "nul_.txt"),
        ("LPT³.dwg", "LPT³_.dwg"),
        ("CONSOLE.txt", "CONSOLE.txt"),
        ('a<b>c:d"e|f?g*h.pdf', "a_b_c_d_e_f_g_h.pdf"),
        ("a.pdf:Zone.Identifier", "a.pdf_Zone.Identifier"),
        ("x/trailing. . ", "trailing"),
        (" leading.pdf", "leading.pdf"),
        ("..", "file"),
        ("", "file"),
        ("a/", "file"),
        (f"photo{RLO}gpj.exe", "photo_gpj.exe"),
        ("a\r\nb", "a__b"),
        ("图纸.dwg", "图纸.dwg"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("é" * 200 + ".pdf", "é" * 125 + ".pdf"),
    ],
)
def test_a_download_has_a_name_that_every_system_can_write(path, given):
    """Forbidden characters, device names and trailing dots don't reach a Windows user's disk."""
    assert download_name(path) == given


@given(st.text(max_size=400))
def test_any_text_makes_a_safe_download_name(path):
    """Whatever is stored, the name given back is one plain, short, writable segment."""
    name = download_name(path)
    assert name == download_name(name)
    assert 0 < len(name.encode()) <= MOST_SEGMENT_BYTES
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]', name)
    assert not name.endswith((".", " "))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("A-101.pdf", "attachment; filename=\"A-101.pdf\"; filename*=UTF-8''A-101.pdf"),
        ("Grüße.pdf", "attachment; filename=\"Gru_e.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf"),
        ('a"; x="b', "attachment; filename=\"a_; x=_b\"; filename*=UTF-8''a_%3B%20x%3D_b"),
        ("50%41.pdf", "attachment; filename=\"50_41.pdf\"; filename*=UTF-8''50%2541.pdf"),
        ("a＂b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%EF%BC%82b"),
    ],
)
def test_a_disposition_says_the_name_twice(name, value):
    """Old clients read ASCII, new ones UTF-8, and neither reads more than a name."""
    assert content_disposition(name) == value


@pytest.mark.parametrize(
    "name", ["a\uff0ab", "a\uff1ab", "\uff23\uff2f\uff2e.txt", "\u2025", "a\uff5cb\uff1c"]
)
def test_old_clients_get_a_name_that_every_system_can_write(name):
    """What decomposition makes of a name is as safe as the name."""
    plain = content_disposition(name).split('"')[1]
    assert plain == download_name(plain)


@given(st.text(max_size=300))
def test_a_disposition_can_not_be_broken_out_of(name):
    """Any name makes one header of printable ASCII with exactly two parameters."""
    value = content_disposition(name)
    attr_char = r"[A-Za-z0-9!#$&+\-.^_`|~]|%[0-9A-F]{2}"
    shape = rf"attachment; filename=\"[ !#-$&-.0-\[\]-~]+\"; filename\*=UTF-8''((?:{attr_char})+)"
    match = re.fullmatch(shape, value)
    assert match
    assert unquote(match[1]) == download_name(name)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (".DS_Store", ".DS_Store"),
        ("a/.ds_store", ".DS_Store"),
        ("a/._plan.pdf", "._*"),
        ("__MACOSX/a/plan.pdf", "__MACOSX/"),
        ("photos/Thumbs.db", "Thumbs.db"),
        ("photos/DESKTOP.INI", "desktop.ini"),
        ("a/other.ini", "*.ini"),
        ("~$letter.docx", "~$*"),
        ("a/plan.dwl2", "*.dwl2"),
        ("a/SONSBEEK-BG Rio+MV+Hwa.bak", "*.bak"),
        ("Link to images.url", "*.url"),
        ("a/plan.pdf.part", "*.*.part"),
        ("x/@eaDir/plan.pdf/thumb.jpg", "@eaDir/"),
        ("$RECYCLE.BIN/S-1-5/plan.pdf", "$RECYCLE.BIN/"),
        (".Trash-1000/files/plan.pdf", ".Trash-*/"),
        ("plan.pdf", None),
        ("DS_Store", None),
        ("ini", None),
        ("plan.ini.pdf", None),
        ("bracket.part", None),
        ("unsaved.tmp", None),
        ("__MACOSX", None),  # a file of that name, not a folder
        ("_._", None),
    ],
)
def test_the_default_list_finds_junk_and_nothing_else(path, pattern):
    """Files that systems leave behind match in any case; what could be a delivery doesn't."""
    assert junk(normalised(path)) == pattern


@pytest.mark.parametrize(
    ("path", "patterns", "found"),
    [
        ("a/Plan.BAK", ["*.bak", "a/"], "*.bak"),
        ("a/Plan.BAK", ["a/", "*.bak"], "a/"),
        ("b/a1/c/x", ["?1/"], "?1/"),
        ("x.log", [], None),
        ("[x].log", ["[x].log"], "[x].log"),
        ("x.log", ["[x].log"], None),  # brackets stand for themselves
        ("x+y", ["x+?"], "x+?"),
        ("É.tmp", ["e\u0301.*"], "e\u0301.*"),
    ],
)
def test_a_setting_may_bring_other_patterns(path, patterns, found):
    """The first pattern of the list that matches is named; stars and question marks are wild."""
    assert junk(normalised(path), patterns) == found


@given(st.text(min_size=1, max_size=20), st.lists(st.text(alphabet="ab*?./", max_size=6)))
def test_no_pattern_breaks_the_matching(path, patterns):
    """Any list of patterns gives one of them, or none."""
    try:
        name = normalised(path)
    except RefusedName:
        return
    assert junk(name, patterns) in {None, *patterns}


def test_every_default_pattern_has_its_reason_and_stands_once():
    """The documented list repeats nothing and explains each line."""
    assert len({pattern.casefold() for pattern in JUNK_PATTERNS}) == len(SYSTEM_JUNK)
    assert all(entry.why for entry in SYSTEM_JUNK)

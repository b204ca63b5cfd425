"""Extension and content: what agrees, what doesn't, and what is never taken."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.filetypes import (
    ACCEPTED,
    PROGRAM_EXTENSIONS,
    TypeVerdict,
    detail,
    pointer_stub,
    verdict,
)
from laydown.domain.kinds import KINDS, PROGRAMS, TEXTS, ZIPS
from laydown.domain.names import junk, normalised
from laydown.domain.reasons import Reason
from laydown.domain.sniffing import HEAD_BYTES, TAIL_BYTES, sniff

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


@pytest.mark.parametrize(
    ("extension", "kind", "outcome"),
    [
        ("pdf", "pdf", "agrees"),
        ("pdf", "text", "type_mismatch"),
        ("pdf", "binary", "type_mismatch"),
        ("jpg", "pdf", "type_mismatch"),
        ("jpg", "png", "type_mismatch"),
        ("jpg", "html", "type_mismatch"),
        ("jpeg", "jpeg", "agrees"),
        ("dwg", "dxf", "type_mismatch"),
        ("ifc", "step", "type_mismatch"),
        ("ifczip", "zip", "agrees"),
        ("docx", "encrypted-office", "agrees"),
        ("docx", "doc", "type_mismatch"),
        ("docx", "xlsx", "type_mismatch"),
        ("xls", "html", "agrees"),
        ("rvt", "ole", "agrees"),
        ("nwd", "binary", "agrees"),
        ("csv", "text", "agrees"),
        ("csv", "json", "agrees"),
        ("csv", "binary", "agrees"),
        ("txt", "png", "type_mismatch"),
        ("txt", "windows-program", "type_not_allowed"),
        ("pdf", "windows-program", "type_not_allowed"),
        ("zip", "java", "type_not_allowed"),
        ("", "script", "type_not_allowed"),
        ("", "text", "agrees"),
        ("", "binary", "agrees"),
        ("", "pdf", "agrees"),
        ("tbp", "zip", "agrees"),
        ("unheard-of", "binary", "agrees"),
        ("exe", "windows-program", "type_not_allowed"),
        ("exe", "text", "type_not_allowed"),
        ("exe", "empty", "type_not_allowed"),
        ("bat", "text", "type_not_allowed"),
        ("pdf", "empty", "agrees"),
    ],
)
def test_extension_and_content_are_compared(extension, kind, outcome):
    """A known extension takes its own kinds, an unknown one all but programs."""
    assert verdict(extension, KINDS[kind]) == outcome


def test_a_setting_may_take_programs():
    """An extension taken off the list is taken with its content, and no other extension is."""
    refused = PROGRAM_EXTENSIONS - {"py"}
    assert verdict("py", KINDS["script"], refused=refused) is TypeVerdict.AGREES
    assert verdict("py", KINDS["text"], refused=refused) is TypeVerdict.AGREES
    assert verdict("sh", KINDS["script"], refused=refused) is TypeVerdict.TYPE_NOT_ALLOWED
    assert verdict("txt", KINDS["script"], refused=refused) is TypeVerdict.TYPE_NOT_ALLOWED


def test_a_setting_may_refuse_more():
    """An extension put on the list is refused whatever its content."""
    outcome = verdict("mp3", KINDS["mp3"], refused=PROGRAM_EXTENSIONS | {"mp3"})
    assert outcome is TypeVerdict.TYPE_NOT_ALLOWED
    assert detail("mp3", KINDS["mp3"], outcome) == "Files ending in “.mp3” are not taken."


@pytest.mark.parametrize(
    ("extension", "kind", "sentence"),
    [
        (
            "jpg",
            "pdf",
            "“.jpg” promises a JPEG picture, but the content is a PDF document.",
        ),
        ("pdf", "elf", "The content is a Linux program, which is not taken."),
        ("ps1", "text", "Files ending in “.ps1” are not taken."),
        ("pdf", "pdf", "The content is a PDF document."),
    ],
)
def test_a_person_is_told_what_was_found(extension, kind, sentence):
    """The sentence names what the extension promises and what the content is."""
    assert detail(extension, KINDS[kind], verdict(extension, KINDS[kind])) == sentence


@given(st.sampled_from(["", "zzz", *ACCEPTED, *PROGRAM_EXTENSIONS]), st.sampled_from(list(KINDS)))
def test_every_pair_has_a_verdict_and_a_sentence(extension, kind):
    """A refused pair's verdict is a reason code, and its sentence says what the content is."""
    outcome = verdict(extension, KINDS[kind])
    assert outcome is TypeVerdict.AGREES or Reason(outcome)
    assert detail(extension, KINDS[kind], outcome).endswith(".")
    if kind in PROGRAMS:
        assert outcome is TypeVerdict.TYPE_NOT_ALLOWED


def test_the_tables_speak_of_known_kinds():
    """No extension takes a kind that doesn't exist or a program, or is both taken and refused."""
    assert not (set().union(*ACCEPTED.values()) | TEXTS | ZIPS | PROGRAMS) - set(KINDS)
    assert not any(kinds & PROGRAMS for kinds in ACCEPTED.values())
    assert not set(ACCEPTED) & PROGRAM_EXTENSIONS
    assert all(extension == extension.lower() for extension in {*ACCEPTED, *PROGRAM_EXTENSIONS})


def test_every_kind_but_programs_belongs_somewhere():
    """What can be recognised agrees with at least one extension."""
    everywhere = set().union(*ACCEPTED.values())
    assert set(KINDS) - PROGRAMS - {"empty"} == everywhere


@pytest.mark.parametrize(
    ("content", "is_stub"),
    [
        (POINTER, True),
        (POINTER.replace(b"\n", b"\r\n"), True),
        (POINTER.replace(b"git-lfs", b"hawser"), True),
        (POINTER.replace(b"oid sha256", b"ext-0-foo sha256:x\noid sha256"), True),
        (POINTER + b"x" * 1_024, False),
        (b"see " + POINTER, False),
        (POINTER.replace(b"oid", b"id"), False),
        (b"version https://git-lfs.github.com/spec/v1 explained", False),
        (b"", False),
    ],
)
def test_a_git_lfs_pointer_is_known(content, is_stub):
    """The stand-in for a file that was never downloaded is known by its first line and size."""
    assert pointer_stub(content, len(content)) is is_stub


def samples(name):
    """Return the files of a folder of real files, or skip where there is none."""
    folder = SAMPLES / name
    if not folder.is_dir():
        pytest.skip(f"no real files in {name}: they are not part of the repository")
    return folder, sorted(path for path in folder.rglob("*") if path.is_file())


def fate(path, folder, seen):
    """Return what becomes of a file, a stub before junk before a duplicate."""
    content = path.read_bytes()
    if pointer_stub(content[:HEAD_BYTES], len(content)):
        return "placeholder_pointer"
    if junk(normalised(path.relative_to(folder).as_posix())):
        return "system_junk"
    kind = sniff(content[:HEAD_BYTES], tail=content[-TAIL_BYTES:], size=len(content))
    outcome = verdict(path.suffix.lower().removeprefix("."), kind)
    if outcome is not TypeVerdict.AGREES:
        return f"{outcome}: {path.name} is {kind.name}"
    digest = hashlib.sha256(content).digest()
    if digest in seen:
        return "duplicate_exact"
    seen.add(digest)
    return "distinct"


def test_a_real_delivery_is_judged_as_its_people_would():
    """Of 334 files of a Dutch housing project none that is wanted is refused."""
    folder, paths = samples("schependomlaan")
    seen = set()
    assert Counter(fate(path, folder, seen) for path in paths) == {
        "distinct": 276,
        "duplicate_exact": 30,
        "system_junk": 17,
        "placeholder_pointer": 11,
    }


def test_real_photographs_are_taken():
    """A drone's pictures and the licence beside them agree with their names."""
    folder, paths = samples("site-photos")
    assert set(Counter(fate(path, folder, set()) for path in paths)) == {"distinct"}

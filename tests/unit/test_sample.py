"""The generated delivery: the same every time, exactly counted, and safe where it is written."""

import hashlib
import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from laydown.domain import filetypes, names
from laydown.domain.sniffing import sniff
from laydown.sample import FEWEST, MOST, Manifest, SampleError, generate
from laydown.sample.delivery import _plan

FILES = 60


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("delivery")
    return folder, generate(folder, files=FILES)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in _files(folder)
    }


def test_the_same_seed_gives_the_same_paths_bytes_and_times(delivery, tmp_path):
    folder, manifest = delivery

    again = generate(tmp_path / "again", files=FILES, seed=1)

    assert again == manifest
    assert _state(tmp_path / "again") == _state(folder)


def test_another_seed_gives_another_delivery(delivery, tmp_path):
    folder, _ = delivery

    generate(tmp_path, files=FEWEST, seed=2)

    ours = {hashlib.sha256(path.read_bytes()).digest() for path in _files(folder)}
    theirs = {
        hashlib.sha256(path.read_bytes()).digest()
        for path in _files(tmp_path)
        if path.suffix in {".pdf", ".jpg", ".JPG"} and path.stat().st_size
    }
    assert theirs
    assert ours.isdisjoint(theirs)


@pytest.mark.parametrize("files", [FEWEST, 41])
def test_it_has_exactly_as_many_files_as_asked_for(files, tmp_path):
    manifest = generate(tmp_path, files=files)

    assert len(_files(tmp_path)) == manifest.files == files
    assert sum(manifest.expected.values()) == files


def test_the_manifest_is_what_the_rules_of_laydown_say_of_the_tree(delivery):
    """Stubs come before junk, junk before wrong types, those before duplicates.

    Junk is known by its name and never sent: a lock file beside a workbook is skipped although
    its content is no workbook's.
    """
    folder, manifest = delivery
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    seen: set[bytes] = set()
    for path in _files(folder):
        data = path.read_bytes()
        name = names.normalised(path.relative_to(folder).as_posix())
        if reason := _stub(data):
            states["rejected"] += 1
            reasons[reason] += 1
        elif names.junk(name):
            states["skipped"] += 1
        elif reason := _wrong_type(path.suffix.lower().removeprefix("."), data):
            states["rejected"] += 1
            reasons[reason] += 1
        else:
            digest = hashlib.sha256(data).digest()
            states["duplicate" if digest in seen else "ready"] += 1
            seen.add(digest)

    assert states == manifest.expected
    assert reasons == manifest.rejections
    assert manifest.bytes == sum(path.stat().st_size for path in _files(folder))


def _stub(data: bytes) -> str | None:
    if not data:
        return "empty_file"
    return "placeholder_pointer" if filetypes.pointer_stub(data, len(data)) else None


def _wrong_type(extension: str, data: bytes) -> str | None:
    outcome = filetypes.verdict(extension, sniff(data, size=len(data)))
    return None if outcome is filetypes.TypeVerdict.AGREES else outcome.value


def test_every_kind_of_trouble_is_in_even_the_smallest_delivery(tmp_path):
    manifest = generate(tmp_path, files=FEWEST)

    assert manifest.rejections == {"empty_file": 1, "placeholder_pointer": 1, "type_mismatch": 1}
    assert manifest.expected["duplicate"] == 2
    assert manifest.expected["skipped"] == 6


def test_drawings_and_photos_are_most_of_it(delivery):
    folder, _ = delivery
    kinds = Counter(path.suffix.lower() for path in _files(folder))

    assert kinds[".pdf"] > FILES * 0.3
    assert kinds[".jpg"] + kinds[".jpeg"] > FILES * 0.3
    assert {".dxf", ".ifc", ".xlsx", ".docx", ".txt", ".csv", ".rvt", ".bak"} <= kinds.keys()


def test_some_names_are_hard(delivery):
    """There are umlauts composed and decomposed, spaces and brackets."""
    folder, _ = delivery
    found = [path.relative_to(folder).as_posix() for path in _files(folder)]

    assert any(name != unicodedata.normalize("NFC", name) for name in found)
    assert any(name != unicodedata.normalize("NFD", name) for name in found)
    assert any("(" in name for name in found)


def test_no_two_paths_of_a_large_delivery_are_the_same_to_anybody():
    """Neither case nor the composition of letters tells any two paths apart."""
    planned = [each.path for each in _plan(5_000, seed=1)]

    assert len(planned) == 5_000
    assert len({names.normalised(path).folded for path in planned}) == 5_000


def test_copies_have_the_time_and_the_extension_of_their_original(delivery):
    folder, _ = delivery
    groups: dict[bytes, list[Path]] = {}
    for path in _files(folder):
        if path.stat().st_size and not path.name.startswith((".", "~")):
            groups.setdefault(hashlib.sha256(path.read_bytes()).digest(), []).append(path)
    twins = [group for group in groups.values() if len(group) > 1]

    assert len(twins) == 3
    for group in twins:
        assert len({path.suffix for path in group}) == 1
        assert len({path.stat().st_mtime for path in group}) == 1


def test_every_written_file_is_told(tmp_path):
    told: list[Path] = []

    generate(tmp_path, files=FEWEST, on_file=told.append)

    assert sorted(told) == _files(tmp_path)


def test_times_are_in_the_past_of_the_last_day(delivery):
    folder, _ = delivery

    latest = max(path.stat().st_mtime for path in _files(folder))

    assert latest < 1_793_232_000  # 2026-10-29T00:00:00Z


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(SampleError, match="not empty"):
        generate(tmp_path, files=FEWEST)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_absent_folder_is_made(tmp_path):
    generate(tmp_path / "a" / "b", files=FEWEST)

    assert len(_files(tmp_path / "a" / "b")) == FEWEST


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SampleError, match="can't use"):
        generate(tmp_path / "file", files=FEWEST)


@pytest.mark.parametrize("files", [-1, 0, FEWEST - 1, MOST + 1])
def test_a_size_that_makes_no_sense_is_refused_before_anything_is_written(files, tmp_path):
    with pytest.raises(SampleError, match="files"):
        generate(tmp_path / "new", files=files)

    assert not (tmp_path / "new").exists()


def test_photos_lie_in_folders_of_their_day(delivery):
    folder, _ = delivery
    albums = {
        PurePosixPath(path.relative_to(folder).as_posix()).parts[1]
        for path in (folder / "03 Photos").rglob("*.[jJ][pP][gG]")
    }

    assert len(albums) >= 2
    assert all(len(album) == len("2026-10-14") for album in albums)

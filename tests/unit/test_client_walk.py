"""What a walk finds, and what it makes of the rest."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from laydown import NoSuchPath
from laydown.client.walk import A_LINK, NO_FILE, Trouble, real_paths, walk

NOBODY = 65534  # as Debian has it


def put(path: Path, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def relatives(*paths: Path) -> list[str]:
    return [file.relative for file in walk(paths).files]


def test_every_file_is_found_once_and_in_order(tmp_path: Path):
    """Folders are walked by name, hidden files included, without the folder's own name."""
    for name in ("b/2.pdf", "b/1.pdf", "a.txt", ".hidden", "b/.DS_Store", "c/d/e/f.txt"):
        put(tmp_path / "Site" / name)

    found = relatives(tmp_path / "Site")

    assert found == [".hidden", "a.txt", "b/.DS_Store", "b/1.pdf", "b/2.pdf", "c/d/e/f.txt"]


def test_a_file_may_be_named_itself(tmp_path: Path):
    """A file's relative path is its name."""
    assert relatives(put(tmp_path / "deep" / "A-101.pdf")) == ["A-101.pdf"]


def test_links_and_pipes_are_passed_over_and_told(tmp_path: Path):
    """What is no file is named, and nothing hangs on it."""
    put(tmp_path / "Site" / "a.txt")
    (tmp_path / "Site" / "loop").symlink_to(tmp_path / "Site")
    (tmp_path / "Site" / "nowhere").symlink_to(tmp_path / "none")
    os.mkfifo(tmp_path / "Site" / "pipe")

    found = walk([tmp_path / "Site"])

    assert [file.relative for file in found.files] == ["a.txt"]
    assert found.passed_over == [
        Trouble("loop", A_LINK),
        Trouble("nowhere", A_LINK),
        Trouble("pipe", NO_FILE),
    ]
    assert found.unreadable == []


def test_a_link_that_is_named_is_followed(tmp_path: Path):
    """Who names a link means what it points at."""
    put(tmp_path / "Site" / "a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "Site")

    assert relatives(tmp_path / "link") == ["a.txt"]


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Be nobody while the block runs, if we are the superuser, who reads everything."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_folder_that_cannot_be_read_is_told():
    """One locked folder stops nothing."""
    with TemporaryDirectory() as folder:  # where everybody may look, unlike in tmp_path
        site = Path(folder) / "Site"
        put(site / "a.txt")
        locked = put(site / "locked" / "b.txt").parent
        Path(folder).chmod(0o755)
        locked.chmod(0)
        with ordinary_user():
            found = walk([site])
        locked.chmod(0o700)

    assert [file.relative for file in found.files] == ["a.txt"]
    assert found.unreadable == [Trouble("locked", "permission denied")]


def test_folders_that_share_a_path_are_told_apart_by_their_names(tmp_path: Path):
    """Two folders with the same file keep both; paths that differ only in case share one."""
    put(tmp_path / "north" / "Plan.pdf")
    put(tmp_path / "south" / "plan.PDF")

    assert relatives(tmp_path / "south", tmp_path / "north") == [
        "north/Plan.pdf",
        "south/plan.PDF",
    ]


def test_folders_of_the_same_name_are_numbered(tmp_path: Path):
    """Even their names may be the same."""
    put(tmp_path / "a" / "Site" / "plan.pdf")
    put(tmp_path / "b" / "Site" / "plan.pdf")

    assert relatives(tmp_path / "a" / "Site", tmp_path / "b" / "Site") == [
        "Site/plan.pdf",
        "Site (2)/plan.pdf",
    ]


def test_what_is_named_twice_or_inside_another_is_sent_once(tmp_path: Path):
    """A folder inside another one of the paths is part of it."""
    put(tmp_path / "Site" / "sub" / "a.txt")

    assert relatives(tmp_path / "Site" / "sub", tmp_path / "Site", tmp_path / "Site") == [
        "sub/a.txt"
    ]
    assert real_paths([tmp_path / "Site", tmp_path / "Site2"]) == [
        str(tmp_path / "Site"),
        str(tmp_path / "Site2"),
    ]


def test_a_path_that_is_not_there_is_refused(tmp_path: Path):
    """A typo is no empty folder."""
    with pytest.raises(NoSuchPath, match="nothing"):
        walk([tmp_path / "nothing"])


def test_a_name_that_is_no_text_is_found(tmp_path: Path):
    """Bytes of another encoding come through as surrogate escapes."""
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")

    assert relatives(tmp_path) == ["caf\udce9.txt"]

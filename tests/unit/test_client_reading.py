"""Digests of files that keep still, and of those that don't."""

import hashlib
import os
import threading
from pathlib import Path

import pytest
from awscrt import checksums
from hypothesis import given
from hypothesis import strategies as st

from laydown import wire
from laydown.client.bodies import chunked, encoded
from laydown.client.checksum import crc64nvme, part_headers
from laydown.client.reading import (
    Changed,
    Local,
    check,
    checksum,
    digest,
    known_checksum,
    read_through,
    reopened,
)
from laydown.client.walk import Found, Trouble


def digested(path: Path, relative: str = "a.bin") -> Local:
    return digest(str(path), relative, stop=threading.Event(), tell=lambda _: None)


def local(relative: str) -> Local:
    return Local("/x", relative, 1, 0, 1, "00", 0)


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_a_digest_is_of_every_byte(tmp_path: Path, size: int):
    """SHA-256, checksum and size are the file's, and every byte is told."""
    content = os.urandom(size)
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    told: list[int] = []

    file = digest(str(path), "a.bin", stop=threading.Event(), tell=told.append)

    assert file.size == sum(told) == size
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert file.crc64nvme == checksums.crc64nvme(content)


@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_checksums_join(content: bytes, first: int, second: int):
    """A checksum goes on where another one ended."""
    cut, end = sorted((first, second))
    joined = crc64nvme(content[end:], crc64nvme(content[cut:end], crc64nvme(content[:cut])))

    assert joined == checksums.crc64nvme(content)


def test_the_checksum_of_a_range_is_of_that_range(tmp_path: Path):
    """Parts of a file have checksums of their own."""
    content = os.urandom(3 << 20)
    path = tmp_path / "a.bin"
    path.write_bytes(content)

    assert checksum(digested(path), 1000, 2 << 20) == checksums.crc64nvme(
        content[1000 : 1000 + (2 << 20)]
    )


def test_the_header_is_what_s3_wants():
    """Eight bytes, the highest first, in base64 (the catalogue's check value of CRC-64/NVME)."""
    assert crc64nvme(b"123456789") == 0xAE8B14860A799888
    assert part_headers(9, crc64nvme(b"123456789"))["x-amz-checksum-crc64nvme"] == "rosUhgp5mIg="


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path):
    """The digest is of one moment."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    seen: list[int] = []

    def change(count: int) -> None:
        if not seen:
            path.write_bytes(b"after, and longer")
        seen.append(count)

    file = digest(str(path), "a.bin", stop=threading.Event(), tell=change)

    assert file.sha256 == hashlib.sha256(b"after, and longer").hexdigest()


def test_a_file_that_never_keeps_still_is_told(tmp_path: Path):
    """After some tries it is named instead of sent."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"x")

    def grow(_: int) -> None:
        with path.open("ab") as file:
            file.write(b"x")

    read = read_through([Found(str(path), "log.txt", 1)], stop=threading.Event(), tell=grow)

    assert read == [Trouble("log.txt", "it keeps changing while it is read")]


def test_a_file_that_vanished_is_told(tmp_path: Path):
    """The others are read all the same."""
    (tmp_path / "b").write_bytes(b"b")
    files = [Found(str(tmp_path / name), name, 1) for name in ("a", "b")]

    gone, there = read_through(files, stop=threading.Event(), tell=lambda _: None)

    assert gone == Trouble("a", "no such file or directory")
    assert isinstance(there, Local)


def test_a_file_that_became_another_is_noticed(tmp_path: Path):
    """Neither a rewritten nor a replaced file is sent under the old digest."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    file = digested(path)
    with reopened(file) as opened:
        path.write_bytes(b"three")
        with pytest.raises(Changed):
            check(file, opened)

    with pytest.raises(Changed), reopened(file):
        pass


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path):
    """Between walk and reading nobody slips another file in."""
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "a.bin").symlink_to(tmp_path / "secret")

    with pytest.raises(OSError, match="symbolic links"):
        digested(tmp_path / "a.bin")


def test_a_key_is_the_path_where_a_key_can_be_one():
    """What the server takes in no key is named by a digest, and never the same for two paths."""
    assert local("Drawings/A-101.pdf").key == "Drawings/A-101.pdf"
    odd = {local(name).key for name in ("a\nb", "caf\udce9", "x" * 2000, "x" * 2001)}
    assert len(odd) == 4
    assert all(key.startswith("sha256:") for key in odd)


@pytest.mark.parametrize("moment", [-(10**30), -12_000_000_000 * 10**9, 10**30])
def test_a_time_of_a_broken_clock_is_left_out(moment: int):
    """A file is sent whatever its clock said."""
    assert Local("/x", "x", 1, moment, 1, "00", 0).modified_at is None


def test_declarations_are_cut_by_number_and_by_size():
    """No request has more entries or bytes than the server takes."""
    small = [wire.Entry(key=str(number), path="p", size=1) for number in range(5_001)]
    large = [wire.Entry(key=str(number), path="p" * 4_000, size=1) for number in range(4_000)]

    assert [len(chunk) for chunk in chunked(small)] == [5_000, 1]
    assert all(len(encoded(chunk)) < (8 << 20) for chunk in chunked(large))
    assert sum(len(chunk) for chunk in chunked(large)) == 4_000


def test_a_name_that_is_no_text_goes_out_as_the_halves_it_is_made_of():
    """One damaged name spoils no request."""
    sent = encoded(wire.Entry(key="k", path="caf\udce9", size=1))

    assert b'"caf\\udce9"' in sent


@pytest.mark.parametrize("size", [(1 << 20) + 1, 3 << 20, (5 << 20) - 7])
def test_the_checksum_of_whole_pieces_is_known_without_reading(tmp_path: Path, size: int):
    """A range that begins and ends with a MiB, or with the file, needs no second look."""
    content = os.urandom(size)
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    file = digested(path)
    path.unlink()

    for offset in range(0, size, 1 << 20):
        for end in {*range(offset + (1 << 20), size, 1 << 20), size}:
            known = known_checksum(file, offset, end - offset)
            assert known == checksums.crc64nvme(content[offset:end])
    assert known_checksum(file, 1, 1 << 20) is None
    assert known_checksum(file, 0, 1 << 19) is None

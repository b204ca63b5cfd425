"""Writes the delivery to a folder, and says what laydown must make of it."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

from laydown.domain.lifecycle import State
from laydown.domain.reasons import Reason
from laydown.sample.contents import Planned, documents, drawings, photos
from laydown.sample.drawings import DrawingOffice
from laydown.sample.leftovers import FIRST_JUNK, broken, clutter, copies

FEWEST, MOST = 20, 100_000
"""How many files a sample may have: at least a few of each kind, at most what a batch takes."""

_JUNK_SHARE = 0.03
_COPY_SHARE = 0.05
_REJECTED = 3  # one for each reason that `broken` gives
_DRAWING_SHARE = 0.383  # of what is neither junk, broken nor a copy: 35 % of a large delivery
_PHOTO_SHARE = 0.383


class SampleError(Exception):
    """The sample can't be written there, or not of that size; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was written, and what laydown must say of it.

    `expected` counts files by settled state: ready, duplicate, skipped, rejected; `rejections`
    counts the rejected by reason code. An empty file, a Git-LFS pointer and a wrong extension are
    rejected; junk, known by its name, is skipped; of the others the first with a SHA-256 is ready
    and all further ones are duplicates.
    """

    files: int
    bytes: int
    expected: Mapping[str, int]
    rejections: Mapping[str, int]


def generate(
    target: Path,
    *,
    files: int = 500,
    seed: int = 1,
    on_file: Callable[[Path], None] | None = None,
) -> Manifest:
    """Write a construction delivery of exactly *files* files into *target*, and describe it.

    The same seed and count give the same paths, bytes and times, with the same Pillow and zlib.
    *target* must be absent or an empty folder. *on_file* is called after each file is written.
    Raises `SampleError` if *target* holds anything or can't be written, or if *files* is not
    between FEWEST and MOST.
    """
    if not FEWEST <= files <= MOST:
        raise SampleError(f"a sample has {FEWEST} to {MOST} files, not {files}")
    folder = _Folder(_opened(target))
    for each in _plan(files, seed):
        path = folder.add(each)
        if on_file is not None:
            on_file(path)
    return folder.manifest()


@dataclass(frozen=True, slots=True)
class _Fated:
    """A file to write; *fate* is what becomes of it whatever its digest, none if that decides."""

    path: str
    at: datetime
    make: Callable[[], bytes] | Path
    fate: Reason | None = None


def _plan(files: int, seed: int) -> Iterator[_Fated]:
    office = DrawingOffice(seed)
    junk = max(len(FIRST_JUNK), round(files * _JUNK_SHARE))
    twins = max(2, round(files * _COPY_SHARE))
    rest = files - junk - twins - _REJECTED
    sheets, pictures = round(rest * _DRAWING_SHARE), round(rest * _PHOTO_SHARE)
    contents: list[Planned] = [
        *drawings(office, sheets),
        *photos(seed, pictures),
        *documents(office, rest - sheets - pictures),
    ]
    rejected = broken(seed, contents)
    return chain(
        (_fated(planned) for planned in contents),
        (_fated(planned, reason) for reason, planned in rejected.items()),
        (_fated(planned, Reason.SYSTEM_JUNK) for planned in clutter(seed, contents, junk)),
        (
            _Fated(copy.path, copy.of.at, Path(copy.of.path))
            for copy in copies(seed, contents, twins)
        ),
    )


def _fated(planned: Planned, fate: Reason | None = None) -> _Fated:
    return _Fated(planned.path, planned.at, planned.make, fate)


def _opened(target: Path) -> Path:
    try:
        target.mkdir(parents=True, exist_ok=True)
        is_empty = next(target.iterdir(), None) is None
    except OSError as error:
        raise SampleError(f"can't use {target}: {error.strerror}") from error
    if not is_empty:
        raise SampleError(f"{target} is not empty; choose a new folder, or empty it first")
    return target


@dataclass(slots=True)
class _Folder:
    """The folder being filled, and the tally of what is in it."""

    root: Path
    _bytes: int = 0
    _seen: set[bytes] = field(default_factory=set)
    _made: set[Path] = field(default_factory=set)
    _states: Counter[State] = field(default_factory=Counter)
    _reasons: Counter[Reason] = field(default_factory=Counter)

    def add(self, each: _Fated) -> Path:
        path = self.root / each.path
        try:
            if path.parent not in self._made:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(path.parent)
            make = each.make
            data = (self.root / make).read_bytes() if isinstance(make, Path) else make()
            # Never over another file: two planned under one name would spoil the count.
            with path.open("xb") as file:
                file.write(data)
            moment = each.at.timestamp()
            os.utime(path, (moment, moment))
        except OSError as error:
            raise SampleError(f"can't write {path}: {error.strerror}") from error
        self._tally(data, each.fate)
        return path

    def _tally(self, data: bytes, fate: Reason | None) -> None:
        self._bytes += len(data)
        if fate is Reason.SYSTEM_JUNK:
            self._states[State.SKIPPED] += 1
        elif fate is not None:
            self._states[State.REJECTED] += 1
            self._reasons[fate] += 1
        else:
            digest = hashlib.sha256(data).digest()
            self._states[State.DUPLICATE if digest in self._seen else State.READY] += 1
            self._seen.add(digest)

    def manifest(self) -> Manifest:
        counted = (State.READY, State.DUPLICATE, State.SKIPPED, State.REJECTED)
        return Manifest(
            files=self._states.total(),
            bytes=self._bytes,
            expected={state.value: self._states[state] for state in counted},
            rejections={reason.value: n for reason, n in sorted(self._reasons.items())},
        )

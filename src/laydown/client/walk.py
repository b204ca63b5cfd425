"""Walking folders: every file once, in an order that is the same every time."""

import os
import stat
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from laydown.client.errors import NoSuchPath

A_LINK = "a symbolic link; what it points at is sent only if it is named itself"
NO_FILE = "no file but a device, pipe or socket"


@dataclass(frozen=True, slots=True)
class Found:
    """A file, as the folder listed it."""

    path: str  # as the system has it; bytes that are no text are surrogate escapes (PEP 383)
    relative: str  # below what was pushed, with slashes
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that did not go in because of this side, and why."""

    path: str  # relative, as above
    why: str


@dataclass(slots=True)
class Walk:
    """What there is below the paths that were given."""

    files: list[Found] = field(default_factory=list)
    unreadable: list[Trouble] = field(default_factory=list)
    passed_over: list[Trouble] = field(default_factory=list)  # by their nature: links, devices

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)


def walk(paths: Sequence[str | os.PathLike[str]], *, stop: threading.Event | None = None) -> Walk:
    """Return every file below *paths*, which are folders or files, in a stable order.

    A folder's own name is not part of its files' relative paths, unless two of *paths* would
    give two files the same one. Links are followed only where *paths* names them. Whatever
    can't be read is told and stops nothing. Raises `NoSuchPath` for one of *paths*.
    """
    roots = _roots(paths)
    walks = [_walked(root, stop or threading.Event()) for root in roots]
    if _collide(walks):
        walks = [_prefixed(each, name) for each, name in zip(walks, _names(roots), strict=True)]
    whole = Walk()
    for each in walks:
        whole.files += each.files
        whole.unreadable += each.unreadable
        whole.passed_over += each.passed_over
    return whole


def real_paths(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return what *paths* really are, sorted, without those inside another of them."""
    real = sorted({os.path.realpath(Path(path).expanduser()) for path in paths})
    return [
        path
        for path in real
        if not any(path.startswith(other.rstrip(os.sep) + os.sep) for other in real)
    ]


def reason_of(error: OSError) -> str:
    """Return why the system refused, in its words."""
    return (error.strerror or type(error).__name__).lower()


def _roots(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    for path in paths:
        if not Path(path).expanduser().exists():
            raise NoSuchPath(f"there is no {os.fspath(path)}")
    return real_paths(paths)


def _walked(root: str, stop: threading.Event) -> Walk:
    found = Walk()
    status = os.stat(root)  # noqa: PTH116 - text paths all the way: they keep odd bytes
    if not stat.S_ISDIR(status.st_mode):
        _take(found, root, os.path.basename(root), status)  # noqa: PTH119 - as above
        return found
    waiting = [(root, "")]
    while waiting and not stop.is_set():
        path, relative = waiting.pop()
        if relative:
            try:
                status = os.lstat(path)
            except OSError as error:
                found.unreadable.append(Trouble(relative, reason_of(error)))
                continue
            if not stat.S_ISDIR(status.st_mode):
                _take(found, path, relative, status)
                continue
        try:
            names = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - as above
        except OSError as error:
            found.unreadable.append(Trouble(relative or path, reason_of(error)))
            continue
        above = f"{relative}/" if relative else ""
        waiting += [(os.path.join(path, name), above + name) for name in names]  # noqa: PTH118
    return found


def _take(found: Walk, path: str, relative: str, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        found.files.append(Found(path, relative, status.st_size))
    elif stat.S_ISLNK(status.st_mode):
        found.passed_over.append(Trouble(relative, A_LINK))
    else:
        found.passed_over.append(Trouble(relative, NO_FILE))


def _collide(walks: Sequence[Walk]) -> bool:
    """Say whether two walks have a path in common, as a server compares paths."""
    seen: set[str] = set()
    for each in walks:
        mine = {_folded(file.relative) for file in each.files}
        if not seen.isdisjoint(mine):
            return True
        seen |= mine
    return False


def _folded(relative: str) -> str:
    return relative.lower() if relative.isascii() else _decomposed(relative).casefold()


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _names(roots: Sequence[str]) -> Iterator[str]:
    """Yield a name for each root: its folder's, numbered where it is not the first of its name."""
    used: Counter[str] = Counter()
    for root in roots:
        folder = root if os.path.isdir(root) else os.path.dirname(root)  # noqa: PTH112, PTH120
        name = os.path.basename(folder) or "root"  # noqa: PTH119 - as above
        used[_folded(name)] += 1
        number = used[_folded(name)]
        yield name if number == 1 else f"{name} ({number})"


def _prefixed(found: Walk, name: str) -> Walk:
    return Walk(
        files=[replace(each, relative=f"{name}/{each.relative}") for each in found.files],
        unreadable=[replace(each, path=f"{name}/{each.path}") for each in found.unreadable],
        passed_over=[replace(each, path=f"{name}/{each.path}") for each in found.passed_over],
    )

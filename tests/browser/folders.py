"""Folders to deliver: many small papers, no two with the same bytes."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

_A_FOLDER = 50  # files


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on this machine, and the paths below its own name."""

    path: Path
    files: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """How much lies in it."""
        return sum((self.path.parent / file).stat().st_size for file in self.files)


def papers(folder: Path, *, files: int, size: int = 400) -> Folder:
    """Write so many text files of *size* bytes each, in folders of fifty."""
    dice = Random(str(folder))  # no other folder has the same bytes
    written: list[str] = []
    for number in range(files):
        below = folder / f"{number // _A_FOLDER:03} Papers"
        below.mkdir(parents=True, exist_ok=True)
        line = f"{folder.name} {number} {dice.random()}\n"
        path = below / f"Paper {number:05}.txt"
        path.write_text((line * (size // len(line) + 1))[:size])
        written.append(path.relative_to(folder.parent).as_posix())
    return Folder(folder, tuple(written))

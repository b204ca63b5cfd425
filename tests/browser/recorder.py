"""What a page shows of a delivery, frame by frame, read as a screen reader would."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

_RANKS: Final = {
    "Waiting for bytes": 0,
    "Arriving": 1,
    "Putting together": 2,
    "Being checked": 3,
    "Being filed": 4,
    **dict.fromkeys(
        ["Ready", "Already here", "Skipped", "Refused", "Cancelled", "Never arrived", "Failed"], 5
    ),
}
"""How far along a file is that is said to be in a state."""

_FINAL: Final = ("Ready", "Already here", "Skipped", "Refused", "Cancelled")

RECORDER: Final = Path(__file__).with_name("recorder.js")
"""The script that keeps what a page shows, and how long its tasks were."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was shown, in the order in which it was."""

    frames: Sequence[Mapping[str, Any]]

    def steps_back(self) -> list[str]:
        """Return every time that something shown was less than what was shown before."""
        return [*self._of_numbers(), *self._of_files()]

    def _of_numbers(self) -> Iterator[str]:
        for earlier, later in pairwise(self.frames):
            for name in _FINAL:
                before, after = (frame["groups"].get(name, 0) for frame in (earlier, later))
                if after < before and later["groups"]:
                    yield f"{name}: {before} -> {after} at {later['at']:.0f} ms"
            for name in ("done", "sent"):
                if 0 <= later[name] < earlier[name]:
                    yield f"{name}: {earlier[name]} -> {later[name]} at {later['at']:.0f} ms"

    def _of_files(self) -> Iterator[str]:
        furthest: dict[str, str] = {}
        for frame in self.frames:
            for path, state in frame["rows"].items():
                before = furthest.get(path)
                if before is not None and _RANKS[state] < _RANKS[before]:
                    yield f"{path}: {before} -> {state} at {frame['at']:.0f} ms"
                furthest[path] = state

    @property
    def changes(self) -> int:
        """How many different numbers of ready files were shown."""
        return len({frame["groups"].get("Ready", 0) for frame in self.frames})

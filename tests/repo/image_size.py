"""How large the image is, as far as that can be known without building it.

`python -m tests.repo.image_size` shows it: what is installed here, compressed as registries store
layers, on top of what the base image has. The packages here are of this machine's architecture.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import laydown

ROOT = Path(__file__).parents[2]
LIMIT = 250_000_000
"""Bytes compressed. Above it, starting a task on Fargate waits for the image more than for us."""

_BASE = 50_000_000
"""Bytes of `python:3.11-slim-bookworm`: registries show some 45 MB; none can be asked here."""

_LEFT_OUT = re.compile(r"uv pip uninstall ([\w-]+)")
_LOCKED = re.compile(r"^([\w.-]+)==", re.MULTILINE)
_LEVEL = 6  # of gzip, which is what most tools build layers with


def left_out() -> frozenset[str]:
    """Return the packages that the Dockerfile takes away again."""
    return frozenset(_LEFT_OUT.findall((ROOT / "deploy" / "Dockerfile").read_text("utf-8")))


def sizes() -> Mapping[str, int]:
    """Return the compressed bytes of each part of the image, by name."""
    found = {"the base image": _BASE, "laydown": _compressed(_files_of_laydown())}
    locked = _LOCKED.findall((ROOT / "requirements" / "run.txt").read_text("utf-8"))
    for name in sorted(set(locked) - left_out()):
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue  # of another platform
        found[name] = _compressed(Path(str(file.locate())) for file in files)
    return found


def _files_of_laydown() -> Iterator[Path]:
    return (path for path in Path(laydown.__file__).parent.rglob("*") if path.is_file())


def _compressed(paths: Iterator[Path]) -> int:
    size = 0
    for path in paths:
        if path.suffix == ".pyc" or not path.is_file():
            continue
        packed = len(zlib.compress(path.read_bytes(), _LEVEL))
        # Bytecode is made for all of it in the image, and packs about as well as its source.
        size += packed * (2 if path.suffix == ".py" else 1)
    return size


if __name__ == "__main__":
    parts = sizes()
    for name, size in sorted(parts.items(), key=lambda part: -part[1])[:12]:
        print(f"{size / 1e6:6.1f} MB  {name}")  # noqa: T201 - a command's answer
    print(f"{sum(parts.values()) / 1e6:6.1f} MB  in all, of {LIMIT / 1e6:.0f}")  # noqa: T201 - as above

"""Plans for the load client: every request laid out before the clock starts.

The layout of the file is that of `load/plan.c`: little-endian, no padding.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.content import Content

_FILE_HEAD = struct.Struct("<8sII")
_STEP_HEAD = struct.Struct("<IIIIQQQ32s")
_MAGIC = b"LDPLAN1\0"
_NO_HOLE = 0xFFFFFFFF
_LOCATION = "{location}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: its head as bytes, and where its body comes from."""

    head: bytes
    hole: int | None = None  # where the path of the last `Location` goes
    content: Content | None = None
    start: int = 0  # first byte of the content
    length: int = 0  # bytes of content
    tail: bytes = b""


Job: TypeAlias = Sequence[Request]  # on one connection, one after the other


def request(
    method: str,
    path: str,
    headers: Mapping[str, str],
    *,
    content: Content | None = None,
    start: int = 0,
    length: int = 0,
    before: bytes = b"",
    after: bytes = b"",
) -> Request:
    """Lay out a request whose body is *before*, the range of the content, and *after*.

    A path of `{location}` stands for the `Location` of the response before it in the same job.
    """
    lines = {
        "Host": "127.0.0.1",
        **headers,
        "Content-Length": str(len(before) + length + len(after)),
    }
    hole = len(method) + 1 if path == _LOCATION else None
    first = f"{method} {'' if path == _LOCATION else path} HTTP/1.1\r\n"
    rest = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    head = f"{first}{rest}\r\n".encode("ascii") + before
    return Request(head=head, hole=hole, content=content, start=start, length=length, tail=after)


def follow_location() -> str:
    """Return the path that stands for wherever the request before it led."""
    return _LOCATION


def write_plan(path: Path, jobs: Iterable[Job]) -> None:
    """Write the jobs to a file for the load client."""
    steps = 0
    count = 0
    with path.open("wb") as file:
        file.write(_FILE_HEAD.pack(_MAGIC, 0, 0))
        for job in jobs:
            count += 1
            for place, step in enumerate(job):
                steps += 1
                file.write(_step_head(step, goes_on=place > 0) + step.head + step.tail)
        file.seek(0)
        file.write(_FILE_HEAD.pack(_MAGIC, steps, count))


def _step_head(step: Request, *, goes_on: bool) -> bytes:
    content = step.content or Content(b"", 0)
    return _STEP_HEAD.pack(
        len(step.head),
        len(step.tail),
        _NO_HOLE if step.hole is None else step.hole,
        goes_on,
        step.start,
        step.length,
        content.shift,
        content.stamp,
    )

"""What is sent: the four workloads, and their small versions for trying things out."""

from dataclasses import dataclass, replace
from enum import StrEnum

KB = 1_000
MB = 1_000_000
MIB = 1 << 20
GIB = 1 << 30

_WARM_UP_SHARE = 20
_WARM_UP_BYTES = 64 * MIB  # of one file


class Kind(StrEnum):
    """What a workload asks of a server."""

    SEND = "send"  # files, until every byte is acknowledged
    DECLARE = "declare"  # only the promise of files: names and sizes, no bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """So many files of one size, over so many connections."""

    name: str
    title: str
    kind: Kind
    files: int
    size: int  # bytes a file
    connections: int

    @property
    def total_bytes(self) -> int:
        """How many bytes are sent in all."""
        return self.files * self.size if self.kind is Kind.SEND else 0

    def warm_up(self) -> "Workload":
        """Return a twentieth of this: sent before the clock starts, the same for every peer."""
        return replace(
            self,
            files=max(1, self.files // _WARM_UP_SHARE),
            size=min(self.size, _WARM_UP_BYTES),
        )


_ALL = (
    Workload(
        name="W1",
        title="5,000 files of 200 KB, 32 connections",
        kind=Kind.SEND,
        files=5_000,
        size=200 * KB,
        connections=32,
    ),
    Workload(
        name="W2",
        title="one file of 2 GiB",
        kind=Kind.SEND,
        files=1,
        size=2 * GIB,
        connections=4,  # for peers that take a file in parts; the others use one
    ),
    Workload(
        name="W3",
        title="200 files of 8 MB, 8 connections",
        kind=Kind.SEND,
        files=200,
        size=8 * MB,
        connections=8,
    ),
    Workload(
        name="W4",
        title="5,000 files declared, no bytes sent",
        kind=Kind.DECLARE,
        files=5_000,
        size=200 * KB,
        connections=32,
    ),
)

NAMES = tuple(workload.name for workload in _ALL)


def workloads(names: list[str], *, quick: bool) -> list[Workload]:
    """Return the named workloads in their order; quick ones take a second or two each."""
    chosen = [workload for workload in _ALL if workload.name in names]
    return [_quick(workload) for workload in chosen] if quick else chosen


def _quick(workload: Workload) -> Workload:
    size = min(workload.size, 256 * MIB)
    files = max(1, workload.files // 10)
    return replace(workload, title=f"quick, {files} of {size:,} bytes", files=files, size=size)

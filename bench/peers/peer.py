"""What every peer can do."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePath

from bench.content import Pool
from bench.loadclient import LoadClient
from bench.measurement import Sent, Settled
from bench.workloads import Kind, Workload


class PeerUnavailable(Exception):
    """A peer can't be had on this machine; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the measuring side has: a directory that stays, the bytes, and the client."""

    work: Path
    pool: Pool
    client: LoadClient
    server_cpu: int


class Server(ABC):
    """A running peer, empty when it starts."""

    @abstractmethod
    def send(self, workload: Workload, label: str) -> Sent:
        """Send a workload. *label* differs from every other sent to this server."""

    def settle(self) -> Settled | None:
        """Wait until all that was sent is settled; None when an answer is the end of it."""
        return None

    def role(self, command: str) -> str:
        """Name a process of the server by its command line."""
        return PurePath(command.split(" ", 1)[0]).name.rstrip(":") if command else "(gone)"


class Peer(ABC):
    """A system that takes files."""

    name: str
    title: str
    durable: str  # what has reached the disk when it answers

    @abstractmethod
    def prepare(self, bench: Bench) -> None:
        """Install what is needed; raise `PeerUnavailable` when that can't be done."""

    @abstractmethod
    def versions(self) -> list[str]:
        """Return what was measured, by name and version."""

    @abstractmethod
    def serve(self, bench: Bench, directory: Path) -> AbstractContextManager[Server]:
        """Run the system with its data in an empty directory; it is stopped on the way out."""

    def takes(self, workload: Workload) -> bool:
        """Tell whether the system can do this at all."""
        return workload.kind is Kind.SEND

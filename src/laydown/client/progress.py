"""How far a push has come."""

import threading
from dataclasses import dataclass, field
from enum import StrEnum

from laydown import wire
from laydown.client.walk import Trouble


class Phase(StrEnum):
    """What a push is mainly doing."""

    LOOKING = "looking"  # for files
    SENDING = "sending"  # reading, declaring and sending, all at once
    CHECKING = "checking"  # everything is sent; the server proves it
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A push at one moment; files and bytes."""

    phase: Phase
    found: wire.Amount  # in the folder
    read: wire.Amount  # of them: digests known
    wanted: wire.Amount  # by the server, so far
    sent: wire.Amount  # of these: acknowledged; bytes may be of files still under way
    settled: int  # files of the batch that are through
    declared: int  # files of the batch
    unreadable: int
    is_reading: bool  # so that more may come to be wanted


@dataclass(slots=True, eq=False)
class Log:
    """What happens in a push, counted; reading is told from threads."""

    phase: Phase = Phase.LOOKING
    found_files: int = 0
    found_bytes: int = 0
    read_files: int = 0
    read_bytes: int = 0
    wanted_files: int = 0
    wanted_bytes: int = 0
    sent_files: int = 0
    sent_bytes: int = 0  # that the server acknowledged
    settled: int = 0
    declared: int = 0
    is_reading: bool = True
    troubles: list[Trouble] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, count: int) -> None:
        """Note bytes that a thread has read."""
        with self._lock:
            self.read_bytes += count

    def trouble(self, path: str, why: str) -> None:
        """Note a file that does not go in."""
        self.troubles.append(Trouble(path, why))

    def now(self) -> Progress:
        """Return where things stand."""
        return Progress(
            phase=self.phase,
            found=wire.Amount(count=self.found_files, bytes=self.found_bytes),
            read=wire.Amount(count=self.read_files, bytes=self.read_bytes),
            wanted=wire.Amount(count=self.wanted_files, bytes=self.wanted_bytes),
            sent=wire.Amount(count=self.sent_files, bytes=self.sent_bytes),
            settled=self.settled,
            declared=self.declared,
            unreadable=len(self.troubles),
            is_reading=self.is_reading,
        )

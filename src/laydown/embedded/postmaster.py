"""What a running Postgres server says about itself: its lock file, and its answer on the socket."""

import asyncio
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from laydown.embedded.cluster import DATABASE, SUPERUSER
from laydown.embedded.places import socket_in

# Lines of postmaster.pid, from 0, as in Postgres's src/include/utils/pidfile.h.
_PID, _PORT, _SOCKETS, _STATUS = 0, 3, 4, 7

_PROTOCOL: Final = 3 << 16  # version 3.0 of the frontend/backend protocol
_TOO_MANY: Final = b"C53300\0"  # too_many_connections: it serves, only not us right now


class Status(StrEnum):
    """How far a server has come, in the words of its lock file."""

    STARTING = "starting"
    STOPPING = "stopping"
    READY = "ready"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """What postmaster.pid says; whether the process still lives is another question."""

    pid: int
    port: int | None
    sockets: Path | None
    status: Status

    @classmethod
    def read(cls, cluster: Path) -> Self | None:
        """Read the lock file of *cluster*; None when there is none, or none that makes sense.

        A server writes it in steps: what isn't there yet is None, and the status starting.
        """
        try:
            lines = (cluster / "postmaster.pid").read_text(errors="surrogateescape").split("\n")
        except (FileNotFoundError, NotADirectoryError):
            return None
        said = dict(enumerate(line.strip() for line in lines))
        try:
            return cls(
                pid=abs(int(said[_PID])),  # negative for a stand-alone backend
                port=int(said[_PORT]) if said.get(_PORT) else None,
                sockets=Path(said[_SOCKETS]) if said.get(_SOCKETS) else None,
                status=Status(said.get(_STATUS) or "starting"),
            )
        except (KeyError, ValueError):
            return None


async def answers(sockets: Path, *, patience: float = 2.0) -> bool:
    """Tell whether the server whose socket is in *sockets* lets a session begin."""
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_unix_connection(socket_in(sockets))
            try:
                writer.write(_hello())
                kind = await reader.readexactly(1)
                if kind == b"R":  # Authentication: trust needs nothing more
                    writer.write(
                        b"X" + struct.pack("!I", 4)
                    )  # Terminate, so that nothing is logged
                    await writer.drain()
                    return True
                (length,) = struct.unpack("!I", await reader.readexactly(4))
                return kind == b"E" and _TOO_MANY in await reader.readexactly(length - 4)
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError):  # a TimeoutError is an OSError
        return False


def _hello() -> bytes:
    """Return the startup message of a session of the superuser."""
    pairs = ("user", SUPERUSER, "database", DATABASE, "application_name", "laydown up")
    body = b"".join(word.encode() + b"\0" for word in pairs) + b"\0"
    return struct.pack("!II", 8 + len(body), _PROTOCOL) + body

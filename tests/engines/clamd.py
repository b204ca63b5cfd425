"""A real clamd with one signature of our own, so that it starts in an instant and needs no news."""

import asyncio
import io
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.engines.process import Process, folder, free_ports, program

STREAM_MAX: Final = 25 << 20  # bytes
SIGNATURE: Final = "Laydown.Eicar"
_CHUNK: Final = 1 << 16
_TO_LEARN: Final = 30.0  # seconds
VERDICT: Final = f"{SIGNATURE}.UNOFFICIAL"
"""What clamd calls it: it marks every signature that ClamAV's makers haven't signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamd:
    """A running clamd: how to reach it, and how to hurt it."""

    path: Path  # its socket
    port: int  # the same on 127.0.0.1
    stream_max: int  # bytes that a stream may have before it is refused
    process: Process = field(repr=False)

    @property
    def address(self) -> str:
        """How `LAYDOWN_SCANNER` names its socket."""
        return f"clamav://{self.path}"

    @property
    def tcp_address(self) -> str:
        """How `LAYDOWN_SCANNER` names its port."""
        return f"clamav://127.0.0.1:{self.port}"

    def pause(self) -> None:
        """Answer nothing from now on, with connections left open."""
        self.process.pause()

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        self.process.resume()

    def kill(self) -> None:
        """End it at once; its socket stays behind, as after a crash."""
        self.process.kill()

    async def start_again(self) -> None:
        """Start it after `kill`, on the same socket and port."""
        await asyncio.to_thread(self.start)

    def start(self) -> None:
        """Do what `start_again` does, for a caller that can't await."""
        self.process.start(lambda: _pongs(self.path))


@contextmanager
def running_clamd(*, stream_max: int = STREAM_MAX) -> Iterator[Clamd]:
    """Run a clamd that knows EICAR and nothing else; end it after.

    Raises `EngineMissingError` when it isn't installed, `EngineFailedError` when it won't start.
    """
    clamd = program("clamd", otherwise="run 'bash scripts/engines.sh', which installs it on Debian")
    [port] = free_ports(1)
    with folder("clam") as place:
        write_signatures(place / "signatures")
        config = place / "clamd.conf"
        config.write_text(_config(place, port=port, stream_max=stream_max))
        argv = [str(clamd), f"--config-file={config}"]
        engine = Clamd(
            path=place / "clamd.sock",
            port=port,
            stream_max=stream_max,
            process=Process("clamd", argv, folder=place, env={}),
        )
        try:
            engine.start()
            yield engine
        finally:
            engine.kill()


def eicar() -> bytes:
    """Return the file that every scanner calls infected and that harms nobody.

    Put together here, because scanners also read repositories. From eicar.org.
    """
    return b"".join(
        [rb"X5O!P%@AP[4\PZX54(P^)7CC)7}", b"$EICAR-STANDARD-", b"ANTIVIRUS-TEST-FILE!$H+H*"]
    )


def zipped(content: bytes, *, depth: int = 1) -> bytes:
    """Return *content* in a zip, which is in a zip, *depth* of them."""
    for level in range(depth):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("file.txt" if level == 0 else f"{level}.zip", content)
        content = archive.getvalue()
    return content


def instream(path: Path, content: bytes) -> bytes:
    """Have the clamd at the socket *path* scan *content*; return its answer as it came.

    The plainest client there is, to test clamd itself with. Raises `OSError` when nobody listens.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        with suppress(BrokenPipeError, ConnectionResetError):  # too much: the answer says so
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), _CHUNK):
                chunk = content[start : start + _CHUNK]
                connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
            connection.sendall(bytes(4))
        return connection.recv(4096)


def write_signatures(directory: Path) -> None:
    """Make *directory* a signature database that finds EICAR anywhere in a file."""
    directory.mkdir(parents=True, exist_ok=True)
    # An extended signature: its name, any type of file, any offset, the bytes. clamd refuses
    # to start on a database without any signature.
    (directory / "laydown.ndb").write_text(f"{SIGNATURE}:0:*:{eicar().hex()}\n")


def _config(place: Path, *, port: int, stream_max: int) -> str:
    options = {
        "Foreground": "yes",
        "User": "root",  # read only when root starts it, who then stays root
        "DatabaseDirectory": place / "signatures",
        "TemporaryDirectory": place,
        "LocalSocket": place / "clamd.sock",
        "TCPSocket": port,
        "TCPAddr": "127.0.0.1",
        "StreamMaxLength": stream_max,
        # It answers OK for what it didn't read to the end, unless these are as they are here.
        "AlertExceedsMax": "yes",
        "AlertEncryptedArchive": "yes",
        "MaxScanSize": "400M",
        "MaxFileSize": "2000M",
    }
    return "".join(f"{name} {value}\n" for name, value in options.items())


def _pongs(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(path))
            connection.sendall(b"zPING\0")
            return connection.recv(16) == b"PONG\0"
        except OSError:
            return False


async def learn(clamd: Clamd, name: str, content: bytes) -> None:
    """Have clamd know *content* from now on, as it learns from freshclam."""
    signatures = clamd.path.parent / "signatures" / "laydown.ndb"
    signatures.write_text(f"{signatures.read_text()}{name}:0:*:{content.hex()}\n")
    reader, writer = await asyncio.open_unix_connection(clamd.path)
    writer.write(b"zRELOAD\0")
    assert await reader.readuntil(b"\0") == b"RELOADING\0"
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(_TO_LEARN):
        while b"FOUND" not in await asyncio.to_thread(instream, clamd.path, content):
            pass

"""ClamAV: our own client of clamd's INSTREAM, which is handed bytes and answers a line."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from laydown.domain.errors import ScannerUnavailable
from laydown.domain.scanning import Scan, Verdict
from laydown.scanners.address import ScannerAddress, ScannerKind

_NAME: Final = ScannerKind.CLAMAV.value
_CHUNK: Final = 1 << 20  # bytes; a length goes before each (clamd(8), INSTREAM)
_END: Final = bytes(4)  # a chunk of no bytes
_LONGEST_ANSWER: Final = 4096  # bytes; a signature's name has a hundred

# What clamd says FOUND of although it found nothing: it could not look (clamd.conf(5),
# AlertEncrypted and AlertExceedsMax).
_BLIND: Final = ("Heuristics.Encrypted.", "Heuristics.Limits.")
_FINGERPRINT: Final = re.compile(r"\([0-9a-f]{32,}:\d+\)\Z")  # with ExtendedDetectionInfo
_TOO_LONG: Final = "INSTREAM size limit exceeded"
# libclamav's words (cl_strerror) for what another try would meet again: it is the file's nature.
_OF_THE_FILE: Final = (
    "Bad format or broken data",
    "Can't parse data",
    "Can't unpack some data",
    "Exceeded max recursion depth",
    "Exceeded max scan files",
    "Exceeded max scan size",
    "Time limit reached",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a clamd may take, in seconds, before it counts as away."""

    greeting: float = 5.0  # to connect, and to answer PING, which it does while it scans
    scan: float = 150.0  # for any scan; more than its own MaxScanTime, which is 120
    slowest: float = 1 << 20  # bytes per second that a scan may take beside that
    fresh: float = 1.0  # for so long after a sign of life nobody asks for another
    rest: float = 1.0  # for so long after it was found away nobody tries


class _Answered(Exception):
    """It said its word before all was sent, or said it and hung up."""


class ClamAv:
    """A `Scanner` that asks a clamd, at its socket or over TCP.

    One connection a scan, *at_once* of them at most; others wait their turn. When it is away,
    those who come within a moment are told so at once, instead of each waiting to find out.
    """

    def __init__(
        self, address: ScannerAddress, *, at_once: int = 4, patience: Patience | None = None
    ) -> None:
        self._address = address
        self._turn = asyncio.Semaphore(at_once)
        self._patience = patience or Patience()
        self._alive_at = float("-inf")
        self._away_at = float("-inf")
        self._why = ""

    async def scan(self, chunks: AsyncIterator[bytes], *, size: int) -> Scan:
        """Judge *size* bytes, read once; raise `ScannerUnavailable` for what may pass.

        What clamd can't look into is unscannable, never clean: an encrypted archive, and whatever
        exceeds one of its limits. Errors of *chunks* come through as they are.
        """
        async with self._turn:
            await self._seen_alive()
            patience = self._patience.scan + size / self._patience.slowest
            with self._noting():
                async with self._deadline(patience), self._connected() as connection:
                    return verdict(await self._converse(connection, chunks))

    async def check(self) -> str:
        """Return a sentence with its version and that of its signatures.

        Raises `ScannerUnavailable` when it does not answer.
        """
        with self._noting():
            if await self._ask(b"zPING\0") != "PONG":
                raise ScannerUnavailable(f"{self._address} is no clamd: it does not answer PING")
            said = await self._ask(b"zVERSION\0")
        return f"{self._address} answers: {said}"

    async def _seen_alive(self) -> None:
        """Return when there was a sign of life a moment ago; raise `ScannerUnavailable`."""
        now = asyncio.get_running_loop().time()
        if now - self._away_at < self._patience.rest:
            raise ScannerUnavailable(self._why)
        if now - self._alive_at > self._patience.fresh:
            await self.check()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Remember whether it was there."""
        clock = asyncio.get_running_loop().time
        try:
            yield
        except ScannerUnavailable as error:
            self._away_at, self._why = clock(), str(error)
            raise
        self._alive_at = clock()

    @asynccontextmanager
    async def _deadline(self, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise ScannerUnavailable(
                f"{self._address} did not answer in {seconds:,.0f} seconds"
            ) from error

    async def _ask(self, command: bytes) -> str:
        """Return the answer to a command."""
        async with self._deadline(self._patience.greeting), self._connected() as connection:
            with self._in_our_words():
                await asyncio.get_running_loop().sock_sendall(connection, command)
                return await self._answer(connection)

    async def _converse(self, connection: socket.socket, chunks: AsyncIterator[bytes]) -> str:
        """Send everything, or as much as it takes; return what it says."""
        try:
            await self._send(connection, b"zINSTREAM\0")
            async for chunk in chunks:
                view = memoryview(chunk)
                for start in range(0, len(view), _CHUNK):
                    piece = view[start : start + _CHUNK]
                    await self._send(connection, b"".join((len(piece).to_bytes(4), piece)))
            await self._send(connection, _END)
        except _Answered:
            pass  # it took enough of it to know, and hung up: why is still to be read
        with self._in_our_words():
            return await self._answer(connection)

    async def _send(self, connection: socket.socket, data: bytes) -> None:
        """Send, as fast as it takes it in; raise `_Answered` once it takes no more."""
        try:
            await asyncio.get_running_loop().sock_sendall(connection, data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _Answered from error

    async def _answer(self, connection: socket.socket) -> str:
        """Return what it says, which ends with a NUL or with the connection."""
        loop = asyncio.get_running_loop()
        said = b""
        while b"\0" not in said and len(said) < _LONGEST_ANSWER:
            more = await loop.sock_recv(connection, _LONGEST_ANSWER)
            if not more:
                break
            said += more
        if not said:
            raise ScannerUnavailable(f"{self._address} hung up without a word")
        return said.partition(b"\0")[0].decode(errors="replace").strip()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[socket.socket]:
        """Connect, with a second try: it may be starting anew."""
        async with self._deadline(self._patience.greeting):
            try:
                connection = await self._connect()
            except OSError:
                with self._in_our_words():
                    connection = await self._connect()
        with connection:
            yield connection

    async def _connect(self) -> socket.socket:
        """Return a connection to the socket, or to the first of the host's addresses that has one.

        Streams of asyncio won't do: they forget what was received when they fail to send.
        """
        address = self._address
        if address.socket is not None:
            return await _reach(socket.AF_UNIX, address.socket)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        *others, last = [(family, where) for family, _, _, _, where in found]
        for family, where in others:
            try:
                return await _reach(family, where)
            except OSError:
                continue
        family, where = last
        return await _reach(family, where)

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            if isinstance(error, ConnectionError) and error.errno:
                why = os.strerror(error.errno)  # asyncio's own words name the address again
            raise ScannerUnavailable(f"{self._address} does not answer: {why}") from error


async def _reach(family: socket.AddressFamily, where: object) -> socket.socket:
    """Return a connection."""
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(0)
        if family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, where)  # type: ignore[arg-type] # as the family has it
    except BaseException:
        connection.close()
        raise
    return connection


def verdict(answer: str) -> Scan:
    """Return what a line of clamd's says; raise `ScannerUnavailable` when it says nothing."""
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return Scan(scanner=_NAME, verdict=Verdict.CLEAN)
    if threat := _before(said, " FOUND"):
        if threat.startswith(_BLIND):
            return _unscannable(f"ClamAV could not look into all of it: {threat}")
        name = _FINGERPRINT.sub("", threat)
        return Scan(scanner=_NAME, verdict=Verdict.INFECTED, threat=name)
    if said.startswith(_TOO_LONG):
        return _unscannable("it is larger than ClamAV takes (StreamMaxLength)")
    trouble = _before(said, " ERROR")
    if trouble is not None and trouble.rstrip(".").endswith(_OF_THE_FILE):
        return _unscannable(f"ClamAV could not read it: {trouble}")
    raise ScannerUnavailable(f"clamd said: {answer}")


def _before(text: str, ending: str) -> str | None:
    return text.removesuffix(ending) if text.endswith(ending) else None


def _unscannable(why: str) -> Scan:
    return Scan(scanner=_NAME, verdict=Verdict.UNSCANNABLE, threat=why)

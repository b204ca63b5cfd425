"""Reading an object of a bucket once, from beginning to end, whatever the connection does."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import aiohttp

from laydown.domain.errors import ContentGone, ScannerUnavailable, StoreUnavailable
from laydown.domain.scanning import Scan
from laydown.objects.s3_answers import S3Refused
from laydown.objects.s3_http import S3Client
from laydown.ports import Fingerprint, Look, Scanner

BLOCK: Final = 1 << 20  # bytes that are handed on at once, at most
_EDGE: Final = 64 * 1024  # bytes of head and tail, as `Fingerprint` promises
_ON_LOOP: Final = 64 * 1024  # bytes that are hashed faster than a thread is found
_BREAKS: Final = 4  # without a byte in between
_AHEAD: Final = 1  # blocks that wait for a scanner
_BAD_RANGE: Final = "InvalidRange"
_CHANGED: Final = "PreconditionFailed"


class Reading:
    """A connection that gives one object's bytes.

    Where it breaks off it is taken up again, of the very object it began with: its ETag, and its
    version where there are versions, are asked for. An object that changed meanwhile ends it with
    `StoreUnavailable`, never in a mixture; one that went away with `ContentGone`.
    """

    def __init__(
        self, client: S3Client, key: str, response: aiohttp.ClientResponse, *, end: int | None
    ) -> None:
        self._client = client
        self._key = key
        self._response = response
        self._end = end
        self.length = response.content_length  # bytes to come; None: the store doesn't say
        self.has_tags = response.headers.get("x-amz-tagging-count", "0") != "0"
        self.version = _version(response)
        self._etag = response.headers.get("ETag")

    async def blocks(self, start: int = 0) -> AsyncGenerator[bytes]:
        """Yield what is to come, at most 1 MiB at a time; *start* is where that is."""
        breaks = 0
        while True:
            try:
                async for chunk in self._response.content.iter_chunked(BLOCK):
                    start += len(chunk)
                    breaks = 0
                    yield chunk
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self._response.close()
                breaks += 1
                if breaks >= _BREAKS:
                    raise StoreUnavailable(
                        f"reading {self._key} keeps breaking off: {error}"
                    ) from error
                if not await self._taken_up(start):
                    return
            else:
                return

    async def _taken_up(self, start: int) -> bool:
        """Go on from *start*; say whether there is anything there."""
        headers = {"range": _range(start, self._end)}
        if self._etag is not None:
            headers["if-match"] = self._etag
        query = {} if self.version is None else {"versionId": self.version}
        try:
            self._response = await self._client.stream(self._key, query=query, headers=headers)
        except S3Refused as refused:
            if refused.reason == _BAD_RANGE:
                return False
            if refused.reason == _CHANGED:
                raise StoreUnavailable(f"{self._key} changed while it was read") from refused
            if refused.is_absence:
                raise ContentGone("the store no longer has this content") from refused
            raise
        same = self._response.headers.get("ETag") == self._etag
        if not same or self._response.status != 206:  # noqa: PLR2004 - HTTP's partial content
            raise StoreUnavailable(f"{self._key} changed while it was read")
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()


@asynccontextmanager
async def opened(
    client: S3Client, key: str, *, start: int = 0, end: int | None = None
) -> AsyncIterator[Reading | None]:
    """Open an object's bytes from *start* to before *end*; None when there are none so far in.

    Raises `ContentGone` when there is no such object.
    """
    headers = {} if start == 0 and end is None else {"range": _range(start, end)}
    try:
        response = await client.stream(key, query={}, headers=headers)
    except S3Refused as refused:
        if refused.is_absence:
            raise ContentGone("the store does not have this content") from refused
        if refused.reason != _BAD_RANGE:
            raise
        yield None
        return
    reading = Reading(client, key, response, end=end)
    try:
        yield reading
    finally:
        reading.close()


async def look(reading: Reading, scanner: Scanner | None) -> Look:
    """Read all of an object once, for its fingerprint and for the scanner.

    A scanner that is away leaves its `ScannerUnavailable` in the look. Raises `StoreUnavailable`.
    """
    if scanner is None or reading.length is None:
        if scanner is not None:
            raise StoreUnavailable("the store does not say how long the content is")
        return Look(fingerprint=await _fingerprint(reading, None))
    tee = _Tee()
    scan = asyncio.create_task(_scanned(scanner, tee, reading.length))
    try:
        seen = await _fingerprint(reading, tee)
        return Look(fingerprint=seen, scan=await scan)
    finally:
        scan.cancel()
        await asyncio.wait([scan])
        if not scan.cancelled():
            scan.exception()  # of two errors the reading's is told


class _Tee:
    """Hands blocks to a second reader, for as long as it wants any."""

    def __init__(self) -> None:
        self._blocks: asyncio.Queue[bytes] = asyncio.Queue(_AHEAD)
        self._is_closed = False

    async def give(self, block: bytes) -> None:
        """Wait until there is room for *block*; an empty one says that it was the last."""
        if not self._is_closed:
            await self._blocks.put(block)

    async def taken(self) -> AsyncIterator[bytes]:
        while block := await self._blocks.get():
            yield block

    def close(self) -> None:
        """Take nothing more; whoever waits for room goes on."""
        self._is_closed = True
        while not self._blocks.empty():
            self._blocks.get_nowait()


async def _scanned(scanner: Scanner, tee: _Tee, size: int) -> Scan | ScannerUnavailable:
    try:
        return await scanner.scan(tee.taken(), size=size)
    except ScannerUnavailable as away:
        return away
    finally:
        tee.close()


async def _fingerprint(reading: Reading, tee: _Tee | None) -> Fingerprint:
    digest, size, head, tail = hashlib.sha256(), 0, b"", b""
    async with aclosing(_gathered(reading.blocks())) as blocks:
        async for block in blocks:
            if len(block) > _ON_LOOP:
                await asyncio.to_thread(digest.update, block)
            else:
                digest.update(block)
            if len(head) < _EDGE:
                head += block[: _EDGE - len(head)]
            tail = (tail + block[-_EDGE:])[-_EDGE:]
            size += len(block)
            if tee is not None:
                await tee.give(block)
    if tee is not None:
        await tee.give(b"")
    if reading.length not in (None, size):
        raise StoreUnavailable("the store gave other bytes than it said it would")
    return Fingerprint(
        size=size, sha256=digest.digest(), head=head, tail=tail, version=reading.version
    )


async def _gathered(chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield the same bytes in blocks worth a thread: 1 MiB, or little less, but for the last."""
    waiting: list[bytes] = []
    size = 0
    async with aclosing(chunks):
        async for chunk in chunks:
            if size + len(chunk) > BLOCK:
                yield b"".join(waiting)
                waiting, size = [], 0
            waiting.append(chunk)
            size += len(chunk)
    if size:
        yield b"".join(waiting)


def _range(start: int, end: int | None) -> str:
    return f"bytes={start}-" + ("" if end is None else str(end - 1))


def _version(response: aiohttp.ClientResponse) -> str | None:
    """Return the version's id; a bucket that never had versions calls them all `null`."""
    version = response.headers.get("x-amz-version-id")
    return None if version == "null" else version

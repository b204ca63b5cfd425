"""Bytes that come through us on their way into a bucket, before anybody knows how many they are."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from io import FileIO
from tempfile import TemporaryFile
from typing import Final

from laydown.domain.errors import Conflict, StoreUnavailable
from laydown.domain.plan import MIB, S3_MOST_PARTS
from laydown.objects.checksum import Meter
from laydown.objects.destination import in_our_words
from laydown.objects.s3_answers import S3Refused
from laydown.objects.s3_http import S3Client
from laydown.objects.s3_multipart import LandedPart, abort, begin, complete
from laydown.ports import Kept

_FIRST_PARTS: Final = 8 * MIB  # bytes; what comes in less goes in one request
_DOUBLED_EVERY: Final = 2_000  # parts, so that 10,000 of them hold 520 GB
_IN_MEMORY: Final = 1 * MIB  # bytes of a file whose next part isn't whole
_SENT_AT_ONCE: Final = 8  # parts of long files; each is in memory until the store has it
_HASHED_ON_LOOP: Final = 64 * 1024  # bytes that are hashed faster than a thread is found
_TO_SEND: Final = 120.0  # seconds for one part
_CRC: Final = "x-amz-checksum-crc64nvme"


class Outbound:
    """What bounds the memory of all files that are on their way into a bucket.

    A part's bytes wait in a temporary file while they come, and are in memory while they go: so
    nobody holds memory for long because its client is slow.
    """

    def __init__(self, count: int = _SENT_AT_ONCE) -> None:
        self.turns = asyncio.Semaphore(count)


class _Waiting:
    """Bytes that wait to be a part: in memory, and beyond 1 MiB in a file that has no name."""

    def __init__(self) -> None:
        self.size = 0  # bytes
        self._memory = bytearray()
        self._file: FileIO | None = None

    async def add(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes. Raises `StoreFull` and `StoreUnavailable`."""
        self.size += len(chunk)
        self._memory += chunk
        if len(self._memory) >= _IN_MEMORY:
            memory, self._memory = self._memory, bytearray()
            await asyncio.to_thread(self._write, memory)

    async def take(self) -> bytearray:
        """Return all that waits; then nothing does."""
        last, self._memory = self._memory, bytearray()
        if self.size == len(last):
            body = last
        else:
            # Made here and filled there: what a thread allocates stays with it when it is freed.
            body = bytearray(self.size)
            body[self.size - len(last) :] = last
            await asyncio.to_thread(self._read, memoryview(body)[: self.size - len(last)])
        self.size = 0
        return body

    def close(self) -> None:
        """Give the room back."""
        if self._file is not None:
            self._file.close()

    def _write(self, memory: bytearray) -> None:
        with in_our_words():
            if self._file is None:
                self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - `close` does
            rest = memoryview(memory)
            while rest:
                rest = rest[self._file.write(rest) :]

    def _read(self, room: memoryview) -> None:
        assert self._file is not None
        with in_our_words():
            self._file.seek(0)
            while room:
                room = room[self._file.readinto(room) :]
            self._file.seek(0)
            self._file.truncate()


async def keep(
    client: S3Client, key: str, chunks: AsyncIterator[bytes | memoryview], outbound: Outbound
) -> Kept:
    """Make all *chunks* the object of this key; see `ByteSink`."""
    keeping = _Keeping(client, key, outbound)
    try:
        async for chunk in chunks:
            await keeping.take(chunk)
        return await keeping.finish()
    finally:
        await keeping.end()


class _Keeping:
    """One file on its way: a part that fills, and the one before it that is being sent."""

    def __init__(self, client: S3Client, key: str, outbound: Outbound) -> None:
        self._client = client
        self._key = key
        self._turns = outbound.turns
        self._meter = Meter(None, takes_sha256=True)
        self._size = 0  # bytes
        self._waiting = _Waiting()
        self._multipart_id: str | None = None  # until it is completed or dropped
        self._parts: dict[int, LandedPart] = {}
        self._sending: asyncio.Task[None] | None = None

    async def take(self, chunk: bytes | memoryview) -> None:
        """Hold the next bytes; send what is held once it is a part."""
        self._size += len(chunk)
        await self._waiting.add(chunk)
        if self._waiting.size >= _part_size(len(self._parts) + 1 + (self._sending is not None)):
            await self._send_part()

    async def finish(self) -> Kept:
        """Send what is left, and make all of it one object."""
        if self._multipart_id is None:
            await self._put()
        else:
            if self._waiting.size:
                await self._send_part()
            await self._sent()
            await self._complete(self._multipart_id)
            self._multipart_id = None
        return Kept(size=self._size, sha256=self._meter.sha256, crc64nvme=self._meter.crc64nvme)

    async def end(self) -> None:
        """Leave nothing behind; what can't be dropped now goes by the bucket's own life cycle."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])
        self._waiting.close()
        if self._multipart_id is not None:
            with suppress(StoreUnavailable):
                await abort(self._client, self._key, self._multipart_id)

    async def _put(self) -> None:
        """Send a file that fits into one request."""
        if self._size <= _IN_MEMORY:
            await self._put_now()
        else:
            async with self._turns:
                await self._put_now()

    async def _put_now(self) -> None:
        body = await self._measured()
        headers = {"if-none-match": "*", _CRC: _written(self._meter.crc64nvme)}
        try:
            await self._client.ask("PUT", self._key, headers=headers, body=body, deadline=_TO_SEND)
        except S3Refused as refused:
            await self._settle(refused)

    async def _send_part(self) -> None:
        """Begin to send what waits as the next part, once the one before it is sent."""
        await self._sent()
        if len(self._parts) == S3_MOST_PARTS:
            raise StoreUnavailable(f"{self._key} has more parts than the store takes")
        if self._multipart_id is None:
            self._multipart_id = await begin(self._client, self._key)
        await self._turns.acquire()
        try:
            body = await self._measured()
        except BaseException:
            self._turns.release()
            raise
        sending = self._send(self._multipart_id, len(self._parts) + 1, body)
        self._sending = asyncio.create_task(sending)
        self._sending.add_done_callback(lambda _: self._turns.release())

    async def _send(self, upload_id: str, number: int, body: bytearray) -> None:
        meter = Meter(None)
        meter.update(body)
        query = {"partNumber": str(number), "uploadId": upload_id}
        headers = {_CRC: _written(meter.crc64nvme)}
        answer = await self._client.ask(
            "PUT", self._key, query=query, headers=headers, body=body, deadline=_TO_SEND
        )
        self._parts[number] = LandedPart(size=len(body), etag=answer.headers["ETag"])

    async def _sent(self) -> None:
        """Return when no part is on its way; raise what went wrong with one."""
        sending, self._sending = self._sending, None
        if sending is not None:
            await sending

    async def _complete(self, upload_id: str) -> None:
        try:
            await complete(self._client, self._key, upload_id, self._parts)
        except S3Refused as refused:
            if refused.is_absence:  # it was done, and only the answer was lost
                await self._check(refused)
            else:
                await self._settle(refused)

    async def _settle(self, refused: S3Refused) -> None:
        """Go on if the object that is there already is this one: an answer may have been lost."""
        if refused.status != HTTPStatus.PRECONDITION_FAILED:
            raise refused
        await self._check(Conflict("there are other bytes under this key"))

    async def _check(self, otherwise: Exception) -> None:
        """Raise *otherwise* unless the object that is there has this size and checksum."""
        headers = {"x-amz-checksum-mode": "ENABLED"}
        try:
            found = (await self._client.ask("HEAD", self._key, headers=headers)).headers
        except S3Refused:
            raise otherwise from None
        crc = _written(self._meter.crc64nvme)
        if int(found["Content-Length"]) != self._size or found.get(_CRC, crc) != crc:
            raise otherwise

    async def _measured(self) -> bytearray:
        """Take what waits, measured."""
        body = await self._waiting.take()
        if len(body) <= _HASHED_ON_LOOP:
            self._meter.update(body)
        else:
            await asyncio.to_thread(self._meter.update, body)
        return body


def _part_size(number: int) -> int:
    """Return the bytes of a part of a file whose length nobody knows."""
    return _FIRST_PARTS << (number - 1) // _DOUBLED_EVERY


def _written(crc64nvme: int) -> str:
    return b64encode(crc64nvme.to_bytes(8, "big")).decode()

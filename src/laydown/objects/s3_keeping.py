"""Bytes that come through us on their way into a bucket, before anybody knows how many they are."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from laydown.domain.errors import Conflict, StoreUnavailable
from laydown.domain.plan import MIB, S3_MOST_PARTS
from laydown.objects.checksum import Meter
from laydown.objects.s3_answers import S3Refused
from laydown.objects.s3_http import S3Client
from laydown.objects.s3_multipart import LandedPart, abort, begin, complete
from laydown.ports import Kept

_FIRST_PARTS: Final = 8 * MIB  # bytes; what comes in less goes in one request
_DOUBLED_EVERY: Final = 2_000  # parts, so that 10,000 of them hold 520 GB
_HELD_FREELY: Final = 1 * MIB  # bytes of a file for which it need not queue
_BUFFERS: Final = 16  # of long files, filling or on their way
_HASHED_ON_LOOP: Final = 64 * 1024  # bytes that are hashed faster than a thread is found
_TO_SEND: Final = 120.0  # seconds for one part
_CRC: Final = "x-amz-checksum-crc64nvme"


class Buffers:
    """What bounds the memory of all files that are on their way into a bucket.

    A file takes a buffer when it holds more than 1 MiB, and gives it back once the store has it.
    Who fills a buffer waits for nobody but its client, so that they come back always.
    """

    def __init__(self, count: int = _BUFFERS) -> None:
        self.free = asyncio.Semaphore(count)


async def keep(
    client: S3Client, key: str, chunks: AsyncIterator[bytes | memoryview], buffers: Buffers
) -> Kept:
    """Make all *chunks* the object of this key; see `ByteSink`."""
    keeping = _Keeping(client, key, buffers)
    try:
        async for chunk in chunks:
            await keeping.take(chunk)
        return await keeping.finish()
    finally:
        await keeping.end()


class _Keeping:
    """One file on its way: a buffer that fills, and the part before it that is being sent."""

    def __init__(self, client: S3Client, key: str, buffers: Buffers) -> None:
        self._client = client
        self._key = key
        self._buffers = buffers
        self._meter = Meter(None, takes_sha256=True)
        self._size = 0  # bytes
        self._buffer = bytearray()
        self._has_turn = False
        self._multipart_id: str | None = None  # until it is completed or dropped
        self._parts: dict[int, LandedPart] = {}
        self._sending: asyncio.Task[None] | None = None

    async def take(self, chunk: bytes | memoryview) -> None:
        """Hold the next bytes; send what is held once it is a part."""
        self._size += len(chunk)
        self._buffer += chunk
        if len(self._buffer) > _HELD_FREELY and not self._has_turn:
            await self._buffers.free.acquire()
            self._has_turn = True
        if len(self._buffer) >= _part_size(len(self._parts) + 1 + (self._sending is not None)):
            await self._send_part()

    async def finish(self) -> Kept:
        """Send what is left, and make all of it one object."""
        if self._multipart_id is None:
            await self._put()
        else:
            if self._buffer:
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
        self._return_turn()
        if self._multipart_id is not None:
            with suppress(StoreUnavailable):
                await abort(self._client, self._key, self._multipart_id)

    async def _put(self) -> None:
        """Send a file that fits into one request."""
        body = await self._measured()
        headers = {"if-none-match": "*", _CRC: _written(self._meter.crc64nvme)}
        try:
            await self._client.ask("PUT", self._key, headers=headers, body=body, deadline=_TO_SEND)
        except S3Refused as refused:
            await self._settle(refused)
        self._return_turn()

    async def _send_part(self) -> None:
        """Begin to send what is held as the next part, once the one before it is sent."""
        await self._sent()
        if self._multipart_id is None:
            self._multipart_id = await begin(self._client, self._key)
        body = await self._measured()
        if len(self._parts) == S3_MOST_PARTS:
            raise StoreUnavailable(f"{self._key} has more parts than the store takes")
        sending = self._send(self._multipart_id, len(self._parts) + 1, body)
        self._sending = asyncio.create_task(sending)
        if self._has_turn:
            self._has_turn = False
            self._sending.add_done_callback(lambda _: self._buffers.free.release())

    async def _send(self, upload_id: str, number: int, body: bytes) -> None:
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

    async def _measured(self) -> bytes:
        """Take what is held out of the buffer, measured."""
        body = bytes(self._buffer)
        self._buffer = bytearray()
        if len(body) <= _HASHED_ON_LOOP:
            self._meter.update(body)
        else:
            await asyncio.to_thread(self._meter.update, body)
        return body

    def _return_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._buffers.free.release()


def _part_size(number: int) -> int:
    """Return the bytes of a part of a file whose length nobody knows."""
    return _FIRST_PARTS << (number - 1) // _DOUBLED_EVERY


def _written(crc64nvme: int) -> str:
    return b64encode(crc64nvme.to_bytes(8, "big")).decode()

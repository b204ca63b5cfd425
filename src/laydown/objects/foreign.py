"""Objects that stay where another system put them: listed and read there, never changed."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Final

from laydown.domain.errors import ContentGone, StoreUnavailable
from laydown.domain.legacy import OldObject
from laydown.objects.s3 import open_s3
from laydown.objects.s3_answers import S3Refused, number_of, plainly, text_of
from laydown.objects.s3_http import S3Client
from laydown.objects.s3_reading import look, opened
from laydown.objects.s3_urls import S3Urls
from laydown.ports import Look, Scanner

_READ_AT_ONCE: Final = 4  # objects a process; people are fetching from this bucket meanwhile
_NOT_FOUND: Final = 404  # HTTP's


class ForeignBucket:
    """An `OldBucket`: another system's, of which we list and read objects by their own keys."""

    def __init__(self, client: S3Client, urls: S3Urls) -> None:
        """Read the client's bucket, and have others read it by what *urls* signs."""
        self.name = client.address.bucket
        self.urls = urls
        self._client = client
        self._turns = asyncio.Semaphore(_READ_AT_ONCE)

    async def listed(self) -> AsyncIterator[OldObject]:
        """Yield all objects by key, byte by byte."""
        query = {"list-type": "2"}
        while True:
            with plainly():
                page = (await self._client.ask("GET", query=query)).xml
            for found in page.iter("Contents"):
                yield OldObject(key=text_of(found, "Key"), size=number_of(found, "Size"))
            if page.findtext("IsTruncated") != "true":
                return
            query = {**query, "continuation-token": text_of(page, "NextContinuationToken")}

    async def weight(self, key: str) -> int | None:
        """Return an object's size in bytes, or None when there is no such object."""
        with plainly():
            try:
                return int((await self._client.ask("HEAD", key)).headers["Content-Length"])
            except S3Refused as refused:
                if refused.status != _NOT_FOUND:
                    raise
                await self._client.ask("HEAD")  # raises when it is the bucket that isn't there
                return None

    async def digest(self, key: str) -> tuple[int, bytes] | None:
        """Read an object; return its size in bytes and its SHA-256, None when there is none."""
        digest, size = hashlib.sha256(), 0
        try:
            async with aclosing(self.read(key)) as blocks:
                async for block in blocks:
                    await asyncio.to_thread(digest.update, block)
                    size += len(block)
        except ContentGone:
            return None
        return size, digest.digest()

    async def read(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        """Yield an object's bytes from *start* to before *end*; raise `ContentGone`."""
        if end == start:
            return
        with plainly():
            async with opened(self._client, key, start=start, end=end) as reading:
                if reading is None:
                    return
                async with aclosing(reading.blocks(start)) as blocks:
                    async for block in blocks:
                        yield block

    async def look(self, key: str, scanner: Scanner | None) -> Look | StoreUnavailable | None:
        """Read an object once, for its fingerprint and the scanner; None when there is none."""
        try:
            with plainly():
                async with self._turns, opened(self._client, key) as reading:
                    return None if reading is None else await look(reading, scanner)
        except ContentGone:
            return None
        except StoreUnavailable as error:
            return error


@asynccontextmanager
async def open_foreign(address_text: str, *, life: timedelta) -> AsyncIterator[ForeignBucket]:
    """Open the bucket that a setting names, written as for `open_s3`; raises `BadStore`."""
    async with open_s3(address_text, life=life) as s3:
        yield ForeignBucket(s3.store.client, s3.urls)

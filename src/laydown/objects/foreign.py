"""Objects that stay where another system put them: listed and read there, never changed."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol

from laydown.domain.document import Blob
from laydown.domain.errors import ContentGone, StoreUnavailable
from laydown.domain.legacy import OldObject
from laydown.domain.upload import Upload, is_foreign, place_of
from laydown.objects.s3 import open_s3
from laydown.objects.s3_address import parse_address
from laydown.objects.s3_answers import S3Refused, number_of, plainly, text_of
from laydown.objects.s3_http import S3Client
from laydown.objects.s3_reading import look, opened
from laydown.objects.s3_urls import S3Urls
from laydown.ports import (
    Fingerprinter,
    Look,
    ObjectStore,
    Scanner,
    SignedUrl,
    StoredObject,
    UrlSigner,
)

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


def keys_in_common(ours: str | None, theirs: str) -> str | None:
    """Return what stands before our keys in the old bucket; None when our store is elsewhere."""
    if ours is None:
        return None
    mine, old = parse_address(ours), parse_address(theirs)
    same = (mine.bucket, mine.endpoint, mine.region) == (old.bucket, old.endpoint, old.region)
    return mine.prefix if same else None


class Own(ObjectStore, Fingerprinter, Protocol):
    """A store of ours."""


class WithForeign:
    """Our store, and what stays in another's bucket: that is read there, and nothing else."""

    def __init__(self, own: Own, foreign: ForeignBucket | None) -> None:
        """Keep to *own* but for what is in *foreign*, where there is one."""
        self.own = own
        self._foreign = foreign

    async def join(self, upload: Upload) -> int | None:
        """Make the landed parts one object; what is foreign is one. See `ObjectStore`."""
        return await (self.size(upload.key) if upload.is_foreign else self.own.join(upload))

    async def size(self, key: str) -> int | None:
        """Return the object's size in bytes, or None if there is no such object."""
        if not is_foreign(key):
            return await self.own.size(key)
        bucket, name = _found(self._foreign, key)
        return await bucket.weight(name)

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield the object's bytes in order; raise `ContentGone` when there is no such object."""
        if not is_foreign(key):
            return self.own.read(key, start=start, length=length)
        bucket, name = _found(self._foreign, key)
        return bucket.read(name, start=start, end=None if length is None else start + length)

    async def quarantine(self, key: str) -> None:
        """Keep the object from every reader; a foreign one isn't touched, the ledger keeps it."""
        if not is_foreign(key):
            await self.own.quarantine(key)

    async def discard(self, key: str) -> None:
        """Delete the object; a foreign one stays, whatever happens."""
        if not is_foreign(key):
            await self.own.discard(key)

    def objects(self) -> AsyncIterator[StoredObject]:
        """Yield every object of our own store."""
        return self.own.objects()

    async def fingerprints(
        self, keys: Sequence[str], *, scanner: Scanner | None = None
    ) -> Mapping[str, Look | StoreUnavailable]:
        """Read each object once, for the scanner too; a key without an object is left out."""
        foreign = [key for key in keys if is_foreign(key)]
        own = [key for key in keys if not is_foreign(key)]
        seen = dict(await self.own.fingerprints(own, scanner=scanner)) if own else {}
        looks = await asyncio.gather(*(self._look(key, scanner) for key in foreign))
        return seen | {
            key: look for key, look in zip(foreign, looks, strict=True) if look is not None
        }

    async def _look(self, key: str, scanner: Scanner | None) -> Look | StoreUnavailable | None:
        try:
            bucket, name = _found(self._foreign, key)
        except StoreUnavailable as error:
            return error
        return await bucket.look(name, scanner)


class WithForeignUrls:
    """Our signer, and another one for what stays in another's bucket."""

    def __init__(self, own: UrlSigner, foreign: ForeignBucket | None) -> None:
        self._own = own
        self._foreign = foreign
        self.needs_completion = own.needs_completion

    async def refresh(self) -> None:
        """Have credentials that outlive the URLs signed next."""
        await self._own.refresh()
        if self._foreign is not None:
            await self._foreign.urls.refresh()

    def sign_part(
        self, upload: Upload, number: int, *, length: int, checksum: str | None
    ) -> SignedUrl:
        """Return a URL for a part; nothing is ever sent to another's bucket."""
        return self._own.sign_part(upload, number, length=length, checksum=checksum)

    def sign_read(self, blob: Blob, *, disposition: str) -> SignedUrl | None:
        """Return a URL that gives this content for saving; None: it must be read through us."""
        if not is_foreign(blob.object_key):
            return self._own.sign_read(blob, disposition=disposition)
        bucket, name = _found(self._foreign, blob.object_key)
        return bucket.urls.sign_read(replace(blob, object_key=name), disposition=disposition)


def _found(foreign: ForeignBucket | None, key: str) -> tuple[ForeignBucket, str]:
    """Return where a foreign object is, and what it is called there.

    Raises `StoreUnavailable` for one of a bucket that isn't the one we were told of.
    """
    bucket, name = place_of(key)
    if foreign is None or bucket != foreign.name:
        raise StoreUnavailable(f"it is in the bucket {bucket}: name that, LAYDOWN_LEGACY_STORE")
    return foreign, name

"""Our store and signer, and what stays in another's bucket beside them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from laydown.domain.document import Blob
from laydown.domain.errors import StoreUnavailable
from laydown.domain.upload import Upload, is_foreign, place_of
from laydown.ports import (
    Fingerprinter,
    Look,
    ObjectStore,
    Scanner,
    SignedUrl,
    StoredObject,
    UrlSigner,
)

if TYPE_CHECKING:  # only who has such a bucket loads what it takes
    from laydown.objects.foreign import ForeignBucket


class Own(ObjectStore, Fingerprinter, Protocol):
    """A store of ours."""


class WithForeign:
    """Our store, and what stays in another's bucket: that is read there, and nothing else."""

    def __init__(self, own: Own, foreign: "ForeignBucket | None") -> None:
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

    def __init__(self, own: UrlSigner, foreign: "ForeignBucket | None") -> None:
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


def _found(foreign: "ForeignBucket | None", key: str) -> "tuple[ForeignBucket, str]":
    """Return where a foreign object is, and what it is called there.

    Raises `StoreUnavailable` for one of a bucket that isn't the one we were told of.
    """
    bucket, name = place_of(key)
    if foreign is None or bucket != foreign.name:
        raise StoreUnavailable(f"it is in the bucket {bucket}: name that, LAYDOWN_LEGACY_STORE")
    return foreign, name

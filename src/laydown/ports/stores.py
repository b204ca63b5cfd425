"""Where bytes live, and who permits sending them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laydown.domain.upload import (
    Upload,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as the store knows it."""

    key: str
    size: int  # bytes
    stored_at: datetime


class ObjectStore(Protocol):
    """Where bytes live, whole and immutable once they are an object.

    Every method may be repeated with the same arguments: the second call changes nothing and
    returns the same answer. Raises `StoreUnavailable` for anything a later try may fix.
    """

    async def join(self, key: str, *, size: int) -> int | None:
        """Make the landed parts one durable object; return its size, None when there is nothing."""
        ...

    async def size(self, key: str) -> int | None:
        """Return the object's size in bytes, or None if there is no such object."""
        ...

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield the object's bytes in order; raise `ContentGone` when there is no such object."""
        ...

    async def discard(self, key: str) -> None:
        """Delete the object and every part of it that landed."""
        ...

    def objects(self) -> AsyncIterator[StoredObject]:
        """Yield every object and every unfinished one, in no order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What one pass over an object's bytes tells."""

    size: int  # bytes
    sha256: bytes
    head: bytes  # the first 64 KiB
    tail: bytes  # the last 64 KiB


class Fingerprinter(Protocol):
    """A store that can hash many objects near the bytes, off the event loop."""

    async def fingerprints(self, keys: Sequence[str]) -> Mapping[str, Fingerprint]:
        """Read each object once; a key without an object is left out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUrl:
    """A URL that accepts exactly one part until it expires."""

    url: str
    headers: Mapping[str, str]
    expires_at: datetime


class UrlSigner(Protocol):
    """Permits clients to send and fetch bytes directly."""

    def sign_part(
        self, upload: Upload, number: int, *, length: int, checksum: str | None
    ) -> SignedUrl:
        """Return a URL for this part of this attempt; *checksum* binds it to these bytes."""
        ...

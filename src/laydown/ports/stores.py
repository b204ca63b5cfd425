"""Where bytes live, who permits sending them, and who looks through them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laydown.domain.document import Blob
from laydown.domain.errors import ScannerUnavailable, StoreUnavailable
from laydown.domain.scanning import Scan
from laydown.domain.upload import Upload, UploadId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as the store knows it."""

    key: str
    size: int  # bytes
    stored_at: datetime
    is_object: bool  # False: not by this key, because its parts wait or it was moved aside


class ObjectStore(Protocol):
    """Where bytes live, whole and immutable once they are an object.

    Every method may be repeated with the same arguments: the second call changes nothing and
    returns the same answer. Raises `StoreUnavailable` for anything a later try may fix.
    """

    async def join(self, upload: Upload) -> int | None:
        """Make the landed parts one durable object; return its size, None when there is nothing."""
        ...

    async def size(self, key: str) -> int | None:
        """Return the object's size in bytes, or None if there is no such object."""
        ...

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield the object's bytes in order; raise `ContentGone` when there is no such object."""
        ...

    async def quarantine(self, key: str) -> None:
        """Keep the object from every reader until it is discarded; nothing when there is none."""
        ...

    async def discard(self, key: str) -> None:
        """Delete the object and every part of it that landed."""
        ...

    def objects(self) -> AsyncIterator[StoredObject]:
        """Yield every object in the order of keys, and what is no object at any point among them.

        What comes or goes meanwhile may be left out or come twice.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the bytes of a new object turned out to be."""

    size: int  # bytes
    sha256: bytes
    crc64nvme: int  # unsigned, 64 bits


class ByteSink(Protocol):
    """Takes bytes that come through us, for a key that is chosen before their number is known."""

    async def keep(self, key: str, chunks: AsyncIterator[bytes | memoryview]) -> Kept:
        """Make all *chunks* one durable object; return what they are, once it is.

        Memory doesn't grow with the object. When *chunks* raise, their error passes, and there is
        no object. The same bytes again change nothing; other bytes under a key that has an object
        raise `Conflict`. Raises `StoreFull`, `StoreUnavailable` and `Stopping`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What a store holds of an upload under way."""

    parts: Mapping[int, int]  # bytes by part number
    is_object: bool  # the whole file is one object of the declared size
    is_dropped: bool = False  # what was begun for its parts is gone: none can be sent any more


class DirectEntry(Protocol):
    """A store that clients send bytes to without us seeing them, so that it must be asked.

    Safe to repeat. Raises `StoreUnavailable` for anything a later try may fix.
    """

    async def begin(self, uploads: Sequence[Upload]) -> Mapping[UploadId, str]:
        """Begin a multipart upload for each of these; return the store's names of them."""
        ...

    async def landed(self, uploads: Sequence[Upload]) -> Mapping[UploadId, Landed]:
        """Return what has come of each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What one pass over an object's bytes tells."""

    size: int  # bytes
    sha256: bytes
    head: bytes  # the first 64 KiB
    tail: bytes  # the last 64 KiB
    version: str | None = None  # what the store calls exactly these bytes, if it does


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One pass over an object: its fingerprint, and what the scanner said if there is one."""

    fingerprint: Fingerprint
    scan: Scan | ScannerUnavailable | None = None


class Scanner(Protocol):
    """Looks through bytes for malware."""

    async def scan(self, chunks: AsyncIterator[bytes], *, size: int) -> Scan:
        """Judge *size* bytes, read once; raise `ScannerUnavailable` for what may pass."""
        ...


class Fingerprinter(Protocol):
    """A store that can hash many objects near the bytes, off the event loop."""

    async def fingerprints(
        self, keys: Sequence[str], *, scanner: Scanner | None = None
    ) -> Mapping[str, Look | StoreUnavailable]:
        """Read each object once, for the scanner too; a key without an object is left out.

        One that can't be read now says why, and the others are read all the same.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUrl:
    """A URL that accepts exactly one part, or gives one object, until it expires."""

    url: str
    headers: Mapping[str, str]
    expires_at: datetime


class UrlSigner(Protocol):
    """Permits clients to send and fetch bytes directly."""

    needs_completion: bool
    """Whether a client must say that a file of one part is sent, because we don't see it."""

    async def refresh(self) -> None:
        """Have credentials that outlive the URLs signed next."""
        ...

    def sign_part(
        self, upload: Upload, number: int, *, length: int, checksum: str | None
    ) -> SignedUrl:
        """Return a URL for this part of this attempt; *checksum* binds it to these bytes."""
        ...

    def sign_read(self, blob: Blob, *, disposition: str) -> SignedUrl | None:
        """Return a URL that gives this content for saving; None: it must be read through us."""
        ...

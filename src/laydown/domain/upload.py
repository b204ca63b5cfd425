"""One declared file on its way in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType, Self
from uuid import UUID

from laydown.domain.lifecycle import Event, State, advance
from laydown.domain.reasons import Reason

OrganizationId = NewType("OrganizationId", UUID)
ProjectId = NewType("ProjectId", UUID)
BatchId = NewType("BatchId", UUID)
UploadId = NewType("UploadId", UUID)


class VerdictKind(StrEnum):
    """What a client has to do about an entry it declared."""

    SEND = "send"  # all of it
    RESUME = "resume"  # what the grant does not list as already here
    WAIT = "wait"  # a twin: another file of the batch brings the same bytes
    DUPLICATE = "duplicate"  # nothing: the bytes are here, the path is linked
    SKIPPED = "skipped"  # nothing: junk, unchanged, or the batch said skip
    REJECTED = "rejected"  # nothing: refused, see the reason
    SETTLED = "settled"  # nothing: it was declared before and has ended, see its state


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file as the client declares it, its names normalised."""

    key: str  # the client's own, unique in the batch
    path: str  # as shown: NFC, relative, with slashes
    folded: str  # as compared: NFC and case-folded
    size: int  # bytes
    sha256: bytes | None = None  # 32 bytes; a claim until proven
    content_type: str | None = None
    modified_at: datetime | None = None
    captured_at: datetime | None = None
    position: tuple[float, float] | None = None  # latitude, longitude in degrees (WGS 84)

    @property
    def extension(self) -> str:
        """The file name's extension: lower case, without the dot, or empty."""
        name = self.path.rpartition("/")[2]
        stem, dot, extension = name.rpartition(".")
        return extension.lower() if dot and stem else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What we were promised, and how far it has come."""

    id: UploadId
    organization: OrganizationId
    project: ProjectId
    batch: BatchId
    entry: Entry
    state: State
    attempt: int = 1
    part_size: int | None = None  # bytes; None: one part, the whole file
    parts: int = 1
    reason: Reason | None = None
    detail: str | None = None
    leader: UploadId | None = None  # set: a twin that waits for this upload's bytes
    received: int = 0  # bytes that are durable here
    sha256: bytes | None = None  # proven
    object_key: str | None = None  # the attempt whose bytes are (or were) in the store
    version: UUID | None = None  # what it became
    multipart_id: str | None = None  # what the store calls this attempt's multipart upload

    @property
    def key(self) -> str:
        """Where this attempt's bytes belong in the object store, or are in another's bucket."""
        if self.object_key is not None and is_foreign(self.object_key):
            return self.object_key
        return object_key(self.organization, self.id, self.attempt)

    @property
    def is_foreign(self) -> bool:
        """Whether the bytes are in a bucket that isn't ours, and stay there."""
        return is_foreign(self.key)

    @property
    def is_multipart(self) -> bool:
        """Whether the bytes come as several parts that are joined."""
        return self.part_size is not None

    def after(self, *events: Event, **facts: object) -> Self:
        """Return this upload as it is once *events* have happened, with new *facts*."""
        state = self.state
        for event in events:
            state = advance(state, event)
        return replace(self, state=state, **facts)  # type: ignore[arg-type] # replace checks names


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A range of an upload's bytes that is durable."""

    upload: UploadId
    attempt: int
    number: int  # from 1
    size: int  # bytes
    crc64nvme: int  # unsigned, 64 bits
    is_whole_file: bool  # the one part of a single-part upload


class PartOutcome(StrEnum):
    """What recording a part came to."""

    RECORDED = "recorded"
    ALREADY = "already"  # the same bytes were recorded before
    DIFFERENT = "different"  # other bytes were recorded before
    NOT_RECEIVING = "not_receiving"  # unknown, settled, sealed, or another attempt by now


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A move to be written if nobody moved the upload first."""

    was: State
    was_attempt: int
    now: Upload


def change(before: Upload, after: Upload) -> Change:
    """Return the move from one value of an upload to another."""
    return Change(was=before.state, was_attempt=before.attempt, now=after)


def object_key(organization: OrganizationId, upload: UploadId, attempt: int) -> str:
    """Return the key of an attempt's object; URLs of an attempt reach only its own object."""
    return f"u/{organization}/{upload}/{attempt}"


def foreign_key(upload: Upload, bucket: str, key: str) -> str:
    """Return what we call an object of a bucket that isn't ours, as this attempt's bytes.

    The name is ours, so that no two uploads share one; where the object is stands at its end.
    """
    return f"{_FOREIGN}{upload.organization}/{upload.id}/{upload.attempt}/{bucket}/{key}"


def is_foreign(key: str) -> bool:
    """Say whether a key names an object of a bucket that isn't ours: nobody deletes that."""
    return key.startswith(_FOREIGN)


def place_of(key: str) -> tuple[str, str]:
    """Return the bucket of a foreign key's object, and what it is called there."""
    _, _, _, _, bucket, name = key.split("/", 5)
    return bucket, name


_FOREIGN = "f/"

NO_OBJECT = object_key(OrganizationId(UUID(int=0)), UploadId(UUID(int=0)), 1)
"""A key that no object ever has: asking a store for it tells whether it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectName:
    """What an object key says."""

    key: str
    organization: OrganizationId
    upload: UploadId
    attempt: int


def parse_key(key: str) -> ObjectName:
    """Return what an object key says; raise `ValueError` for a key that is not ours."""
    match key.split("/"):
        case ["u", organization, upload, attempt]:
            name = ObjectName(
                key=key,
                organization=OrganizationId(UUID(organization)),
                upload=UploadId(UUID(upload)),
                attempt=int(attempt),
            )
            if object_key(name.organization, name.upload, name.attempt) == key:
                return name
        case ["f", organization, upload, attempt, _, _, *_]:
            return ObjectName(
                key=key,
                organization=OrganizationId(UUID(organization)),
                upload=UploadId(UUID(upload)),
                attempt=int(attempt),
            )
        case _:
            pass
    raise ValueError(f"not an object key of ours: {key}")


def missing_parts(upload: Upload, have: Sequence[int]) -> list[int]:
    """Return the numbers of the parts that have not landed, in order."""
    landed = set(have)
    return [number for number in range(1, upload.parts + 1) if number not in landed]

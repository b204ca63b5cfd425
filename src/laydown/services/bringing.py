"""Bringing: files whose bytes are in the store before they are declared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from laydown.domain.errors import Conflict
from laydown.domain.jobs import DiscardBytes
from laydown.domain.lifecycle import Event, State
from laydown.domain.publication import Known
from laydown.domain.quotas import Room, Usage
from laydown.domain.reasons import Reason
from laydown.domain.upload import (
    Entry,
    OrganizationId,
    Part,
    PartOutcome,
    Upload,
    UploadId,
    VerdictKind,
    object_key,
)
from laydown.domain.verdicts import Decision
from laydown.ports import Tx

_SPENT = frozenset(
    {
        State.DECLARED,
        State.RECEIVING,
        State.CANCELLED,
        State.EXPIRED,
        State.FAILED,
        State.REJECTED,
    }
)
"""Where an earlier file of the same path and content does not make this one superfluous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file whose bytes are the object of the first attempt of an upload that is to be."""

    entry: Entry  # with the digest of these bytes
    upload: UploadId
    crc64nvme: int


def key_of(path: str, digest: bytes | None) -> str:
    """Return the entry key of a file whose sender gives it none.

    The same file at the same path has the same key, so that a form that is sent again to the same
    batch finds what it brought before.
    """
    return sha256(path.encode(errors="surrogatepass") + b"\0" + (digest or b"")).hexdigest()[:32]


def renewed(file: Brought, known: Known) -> Brought:
    """Return a file under a new key if an earlier try under its key came to nothing."""
    prior = known.uploads.get(file.entry.key)
    if prior is None or prior.state not in _SPENT:
        return file
    return replace(file, entry=replace(file.entry, key=f"{file.entry.key}.{file.upload}"))


def in_hand(decision: Decision, brought: Mapping[str, Brought], room: Room) -> Decision:
    """Return a decision as it is for a file whose bytes are here.

    It need not be sent, in whatever parts, and waits for no other file of the same content: until
    that is proven the same bytes are here twice, and need *room* twice.
    """
    file, upload = brought.get(decision.key), decision.upload
    if file is None or upload is None or decision.is_old:
        return decision
    upload = replace(upload, id=file.upload, leader=None)
    if decision.kind not in (VerdictKind.SEND, VerdictKind.WAIT):
        return replace(decision, upload=upload)
    upload = replace(upload, part_size=None, parts=1)
    if decision.kind is VerdictKind.WAIT and (
        short := room.take(upload.project, Usage(bytes=file.entry.size))
    ):
        room.give_back(upload.project, Usage(files=1, uploads=1))
        return replace(
            decision,
            upload=upload,
            kind=VerdictKind.REJECTED,
            event=Event.REFUSED,
            reason=Reason.QUOTA_EXCEEDED,
            detail=short,
        )
    return replace(decision, upload=upload, kind=VerdictKind.WAIT)


async def land(
    tx: Tx, organization: OrganizationId, brought: Collection[Brought], wanted: Sequence[Upload]
) -> Mapping[UploadId, Upload]:
    """Have those checked that are *wanted*, as declared just now; discard the others' bytes.

    Returns the former as they are then.
    """
    landed = {upload.id: upload for upload in wanted}
    parts = [
        Part(
            upload=file.upload,
            attempt=1,
            number=1,
            size=file.entry.size,
            crc64nvme=file.crc64nvme,
            is_whole_file=True,
        )
        for file in brought
        if file.upload in landed
    ]
    if parts and set(await tx.record(parts)) != {PartOutcome.RECORDED}:
        raise Conflict("uploads were changed while they were declared; repeat the request")
    await tx.enqueue(
        [
            DiscardBytes(file.upload, object_key(organization, file.upload, 1))
            for file in brought
            if file.upload not in landed
        ]
    )
    return {
        upload.id: upload.after(Event.ARRIVED, received=upload.entry.size, object_key=upload.key)
        for upload in landed.values()
    }

"""Sending: permissions to send bytes, and the record of those that are durable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from laydown.domain.lifecycle import TAKES_BYTES
from laydown.domain.plan import Plan, PlanKind, part_range
from laydown.domain.upload import (
    BatchId,
    OrganizationId,
    Part,
    PartOutcome,
    Upload,
    UploadId,
    missing_parts,
)
from laydown.ports import Ledger, SignedUrl, UrlSigner
from laydown.services.identity import Caller
from laydown.services.repeating import repeated

PARTS_AT_ONCE = 1_000
"""How many URLs one answer holds at most: signing them takes about 10 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An upload whose parts a client wants to send; none named: the next that are missing."""

    upload: UploadId
    parts: Sequence[tuple[int, str | None]] = ()  # number; checksum to be bound, if any


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The URLs for an upload's next parts, and the numbers of those already here."""

    upload: UploadId
    parts: Sequence[tuple[int, SignedUrl]] = ()
    have: Sequence[int] = ()
    code: str | None = None  # why nothing is granted


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Use cases while bytes are on their way."""

    ledger: Ledger
    signer: UrlSigner

    async def grant(
        self, caller: Caller, batch_id: BatchId, *, limit: int, wanted: Sequence[Wanted]
    ) -> Sequence[Granted]:
        """Sign the next *limit* parts of the batch, or parts of the uploads that are *wanted*.

        An upload that takes no bytes gets the code `not_receiving`, an unknown one `not_found`.
        """
        limit = min(limit, PARTS_AT_ONCE)
        async with self.ledger.begin(caller.organization) as tx:
            await tx.touch_batch(batch_id)
            if wanted:
                found = await tx.uploads([each.upload for each in wanted])
            else:
                found = await tx.sendable(batch_id, limit=limit)
                wanted = [Wanted(upload=upload.id) for upload in found]
            landed = await tx.landed(found)
        uploads = {upload.id: upload for upload in found if upload.batch == batch_id}
        granted = []
        for each in wanted:
            upload = uploads.get(each.upload)
            if upload is None:
                granted.append(Granted(upload=each.upload, code="not_found"))
                continue
            grant = self._grant(upload, each, have=landed.get(upload.id, ()), room=limit)
            limit -= len(grant.parts)
            granted.append(grant)
        return granted

    def _grant(self, upload: Upload, wanted: Wanted, *, have: Sequence[int], room: int) -> Granted:
        if upload.state not in TAKES_BYTES or upload.leader is not None:
            return Granted(upload=upload.id, have=have, code="not_receiving")
        asked = wanted.parts or [(number, None) for number in missing_parts(upload, have)]
        plan = Plan(
            kind=PlanKind.MULTIPART if upload.is_multipart else PlanKind.SINGLE,
            part_size=upload.part_size,
            parts=upload.parts,
        )
        parts = []
        for number, checksum in asked[: max(room, 0)]:
            if not 1 <= number <= upload.parts or number in have:
                continue
            _, length = part_range(plan, upload.entry.size, number)
            url = self.signer.sign_part(upload, number, length=length, checksum=checksum)
            parts.append((number, url))
        return Granted(upload=upload.id, parts=parts, have=have)

    async def record(
        self, organization: OrganizationId, parts: Sequence[Part]
    ) -> Sequence[PartOutcome]:
        """Record parts that are durable, one outcome each, in one transaction."""

        async def record() -> Sequence[PartOutcome]:
            async with self.ledger.begin(organization) as tx:
                return await tx.record(parts)

        return await repeated(record)

    async def recorded(
        self, organization: OrganizationId, attempts: Sequence[tuple[UploadId, int]]
    ) -> Mapping[tuple[UploadId, int], Sequence[int]]:
        """Return which parts of these (upload, attempt) are recorded and must not be rewritten."""
        async with self.ledger.begin(organization) as tx:
            return await tx.recorded(attempts)

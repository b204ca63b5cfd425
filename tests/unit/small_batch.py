"""One batch in memory that keeps the contract of `laydown.wire`, for the small server."""

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from awscrt import checksums

from laydown import wire
from tests.unit.small_store import SmallStore, key_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Row:
    """One upload."""

    entry: wire.Entry
    part_size: int | None
    id: UUID = field(default_factory=uuid4)
    state: wire.UploadState = "declared"
    reason: str | None = None
    attempt: int = 1
    leader: UUID | None = None
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def plan(self) -> wire.Plan:
        size = self.part_size
        if size is None or self.entry.size <= size:
            return wire.Plan(kind="single", part_size=None, parts=1, concurrency=4)
        count = -(-self.entry.size // size)
        return wire.Plan(kind="multipart", part_size=size, parts=count, concurrency=4)

    def upload(self, batch_id: UUID) -> wire.Upload:
        return wire.Upload(
            id=self.id,
            batch_id=batch_id,
            key=self.entry.key,
            path=self.entry.path,
            size=self.entry.size,
            state=self.state,
            attempt=self.attempt,
            reason=self.reason,
            received_bytes=sum(map(len, self.parts.values())),
            declared_at=NOW,
            moved_at=NOW,
        )

    def receipt(self) -> wire.ReceiptRow:
        return wire.ReceiptRow(
            path=self.entry.path,
            size=self.entry.size,
            state=self.state,
            key=self.entry.key,
            upload_id=self.id,
            reason=self.reason,
        )


class SmallBatch:
    """Uploads, and what happens to them."""

    def __init__(self, *, part_size: int | None = None, store: SmallStore | None = None) -> None:
        self.part_size = part_size
        self.store = store
        self.refused: Mapping[str, str] = {}  # reason by path: proven to be rejected
        self.id = uuid4()
        self.project_id = uuid4()
        self.reference = ""
        self.label: str | None = None
        self.is_closed = False
        self.rows: dict[UUID, Row] = {}
        self.changes: list[wire.Change] = []
        self.changed = asyncio.Event()

    def by_path(self) -> dict[str, Row]:
        """Return the uploads by their paths."""
        return {row.entry.path: row for row in self.rows.values()}

    def summary(self) -> wire.Batch:
        """Return the batch in numbers."""
        rows = list(self.rows.values())
        settled = [row for row in rows if row.state in wire.SETTLED]
        is_over = self.is_closed and len(settled) == len(rows)
        return wire.Batch(
            id=self.id,
            project_id=self.project_id,
            reference=self.reference,
            label=self.label,
            on_conflict="new_version",
            state="settled" if is_over else "closed" if self.is_closed else "open",
            created_at=NOW,
            closed_at=None,
            declared=_amount(rows),
            counts=Counter(row.state for row in rows),
            reasons=Counter(row.reason for row in rows if row.reason),
            settled=_amount(settled),
            received_bytes=sum(len(part) for row in rows for part in row.parts.values()),
        )

    def open(self, new: wire.NewBatch) -> None:
        """Return to the open batch of this reference, or begin its successor."""
        if self.is_closed or new.reference != self.reference:
            self.id, self.is_closed, self.rows = uuid4(), False, {}
        self.reference, self.label = new.reference, new.label

    def close(self) -> None:
        self.is_closed = True
        self.changed.set()

    def declare(self, entry: wire.Entry) -> wire.Verdict:
        row = next((row for row in self.rows.values() if row.entry.key == entry.key), None)
        kind: wire.VerdictKind = "send"
        if row is None:
            row = Row(entry=entry, part_size=self.part_size)
            twins = [each for each in self.rows.values() if each.entry.sha256 == entry.sha256]
            if twins:
                row.leader, kind = twins[0].id, "wait"
            self.rows[row.id] = row
        elif row.entry.sha256 != entry.sha256:
            row.entry, row.attempt, row.parts, row.state = entry, row.attempt + 1, {}, "declared"
        elif row.state in wire.SETTLED:
            kind = "settled"
        elif row.parts:
            kind = "resume"
        return wire.Verdict(
            key=entry.key,
            verdict=kind,
            upload_id=row.id,
            state=row.state,
            reason=row.reason,
            plan=row.plan if kind in ("send", "resume") else None,
        )

    def grant(self, wanted: wire.WantedUpload) -> wire.UploadGrant:
        row = self.rows[wanted.id]
        if row.state not in ("declared", "receiving") or row.leader is not None:
            return wire.UploadGrant(id=row.id, have=[*row.parts], code="not_receiving")
        if self.store is not None:
            return self._granted_in(self.store, row, wanted)
        numbers = [part.number for part in wanted.parts] or [1]
        parts = [
            wire.PartGrant(
                number=number,
                url=f"/bytes/{row.id}/{row.attempt}/{number}",
                expires_at=NOW,
                headers={"x-signed": "yes"},
            )
            for number in numbers
            if number not in row.parts
        ]
        return wire.UploadGrant(id=row.id, parts=parts, have=[*row.parts])

    def _granted_in(
        self, store: SmallStore, row: Row, wanted: wire.WantedUpload
    ) -> wire.UploadGrant:
        """Send a client to the store; what that has is looked up only where no part is named."""
        row.state = "receiving"
        key, size = key_of(row.id, row.attempt), row.plan.part_size or row.entry.size
        have = [] if wanted.parts else sorted(store.has(key))
        grants = []
        for part in wanted.parts or [wire.WantedPart(number=1)]:
            url, headers = store.grant(
                key,
                part.number,
                size=min(size, row.entry.size - (part.number - 1) * size),
                is_part=row.plan.kind == "multipart",
                checksum=part.checksum,
            )
            grant = wire.PartGrant(number=part.number, url=url, expires_at=NOW, headers=headers)
            grants.append(grant)
        return wire.UploadGrant(id=row.id, parts=grants, have=have, needs_completion=True)

    def put(self, row: Row, *, attempt: int, number: int, checksum: str, body: bytes) -> str | None:
        """Take a part; return the code of what stands against it."""
        if attempt != row.attempt or row.state not in ("declared", "receiving"):
            return "not_receiving"
        crc = base64.b64encode(checksums.crc64nvme(body).to_bytes(8, "big")).decode()
        if checksum != crc:
            return "checksum_mismatch"
        row.parts[number] = body
        row.state = "receiving"
        if row.plan.kind == "single":
            self._prove(row)
        return None

    def complete(self, upload: UUID) -> wire.Completion:
        row = self.rows[upload]
        if self.store is not None:
            row.parts = dict(self.store.has(key_of(row.id, row.attempt)))
        missing = sorted(set(range(1, row.plan.parts + 1)) - row.parts.keys())
        if missing:
            return wire.Completion(
                id=upload, state=row.state, code="parts_missing", missing=missing
            )
        if row.state == "receiving":
            self._prove(row)
        return wire.Completion(id=upload, state=row.state)

    def retry(self) -> int:
        again = [row for row in self.rows.values() if row.state == "expired"]
        for row in again:
            row.state, row.reason = "declared", None
        return len(again)

    def cancel(self, row: Row) -> None:
        self._move(row, "cancelled", "cancelled_by_user")

    def _prove(self, row: Row) -> None:
        whole = b"".join(row.parts[number] for number in sorted(row.parts))
        twins = [each for each in self.rows.values() if each.leader == row.id]
        if row.entry.path in self.refused:
            self._move(row, "rejected", self.refused[row.entry.path])
            for twin in twins:
                twin.leader = None
                self._tell(twin, "promoted")
        elif hashlib.sha256(whole).hexdigest() != row.entry.sha256:
            self._move(row, "rejected", "checksum_mismatch")
        else:
            self._move(row, "ready", None)
            for twin in twins:
                self._move(twin, "duplicate", "duplicate_in_batch")

    def _move(self, row: Row, state: wire.UploadState, reason: str | None) -> None:
        row.state, row.reason = state, reason
        self._tell(row, "moved")

    def _tell(self, row: Row, kind: str) -> None:
        number = len(self.changes) + 1
        self.changes.append(
            wire.Change(number=number, kind=kind, at=NOW, upload_id=row.id, state=row.state)
        )
        self.changed.set()


def _amount(rows: list[Row]) -> wire.Amount:
    return wire.Amount(count=len(rows), bytes=sum(row.entry.size for row in rows))

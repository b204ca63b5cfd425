"""Uploads and their parts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from laydown.domain.access import PrincipalId
from laydown.domain.batch import Batch
from laydown.domain.errors import NotFound
from laydown.domain.filetypes import POLICY_VERSION
from laydown.domain.happening import Happening, Kind
from laydown.domain.lifecycle import SETTLED, State
from laydown.domain.publication import Known
from laydown.domain.reasons import Reason
from laydown.domain.upload import (
    BatchId,
    Change,
    Entry,
    Part,
    PartOutcome,
    Upload,
    UploadId,
    object_key,
)
from laydown.ports import Page, UploadFilter, UploadRecord
from laydown.postgres import sql
from laydown.postgres.rows import (
    blob_of,
    change_row,
    hexed,
    json_rows,
    record_of,
    signed,
    upload_of,
    upload_row,
)
from laydown.postgres.session import Session
from laydown.services.identifiers import new_id

_Q = sql.load("uploads.sql")


class UploadRows(Session):
    """The `UploadRows` port on one connection."""

    async def known(
        self,
        batch: Batch,
        entries: Sequence[Entry],
        *,
        is_new: bool,
        whose: PrincipalId | None = None,
    ) -> Known:
        """Return what bears on the verdicts of *entries*; a new batch itself knows nothing."""
        rows = json_rows(
            {
                "key": entry.key,
                "folded": entry.folded,
                "digest": hexed(entry.sha256),
                "extension": entry.extension,
            }
            for entry in entries
        )
        known = Known()
        if not is_new:
            await self._known_in_batch(known, batch, entries, rows)
        for row in await self.all(
            _Q["known_elsewhere"],
            project=batch.project,
            entries=rows,
            policy=POLICY_VERSION,
            whose=whose,
        ):
            entry = entries[row.n - 1]
            match row.what:
                case "blob":
                    known.blobs[row.sha256] = blob_of(row, self.organization)
                case "current":
                    known.current[entry.folded] = row.sha256
                case _:
                    known.refusals[row.sha256, entry.extension] = Reason(row.reason)
        return known

    async def _known_in_batch(
        self, known: Known, batch: Batch, entries: Sequence[Entry], rows: str
    ) -> None:
        """Add what the batch knows, its uploads of the same keys and the leaders locked.

        Who settles a leader takes the same lock, and then looks for twins: it finds those that
        are about to be declared, or is found here to have settled.
        """
        same_key: set[UploadId] = set()
        leaders: dict[UploadId, bytes] = {}
        for row in await self.all(_Q["known_in_batch"], batch=batch.id, entries=rows):
            entry = entries[row.n - 1]
            match row.what:
                case "upload":
                    same_key.add(row.id)
                case "path":
                    known.paths[entry.folded] = row.id
                case _:
                    if entry.sha256 is not None:
                        leaders[row.id] = entry.sha256
        if same_key or leaders:
            for upload in await self.uploads([*same_key | leaders.keys()], lock=True):
                if upload.id in same_key:
                    known.uploads[upload.entry.key] = upload
                if upload.id in leaders and upload.state not in SETTLED:
                    known.leaders[leaders[upload.id]] = upload.id

    async def declare(self, uploads: Sequence[Upload]) -> None:
        """Write new uploads, in this order."""
        if uploads:
            await self.run(
                _Q["declare_uploads"],
                project=uploads[0].project,
                batch=uploads[0].batch,
                rows=json_rows(map(upload_row, uploads)),
            )

    async def uploads(self, ids: Sequence[UploadId], *, lock: bool = False) -> Sequence[Upload]:
        """Return those that exist, in order of declaration."""
        rows = await self.all(_Q["lock_uploads"] if lock else _Q["get_uploads"], ids=list(ids))
        return [upload_of(row, self.organization) for row in rows]

    async def upload(self, upload: UploadId) -> UploadRecord:
        """Return it, or raise `NotFound`."""
        row = await self.one(_Q["get_upload"], id=upload)
        if row is None:
            raise NotFound("upload", upload)
        return record_of(row, self.organization)

    async def records(
        self, batch: BatchId, page: Page, which: UploadFilter
    ) -> Sequence[UploadRecord]:
        """Return uploads of a batch in order of declaration; the cursor is their order."""
        rows = await self.all(
            _Q["list_uploads"],
            batch=batch,
            after=None if page.after is None else int(page.after),
            limit=page.limit,
            state=which.state,
            reason=which.reason,
            text=None if which.text is None else which.text.casefold(),
        )
        return [record_of(row, self.organization) for row in rows]

    async def sendable(self, batch: BatchId, *, limit: int) -> Sequence[Upload]:
        """Return uploads whose bytes are wanted now, in order of declaration."""
        rows = await self.all(_Q["sendable_uploads"], batch=batch, limit=limit)
        return [upload_of(row, self.organization) for row in rows]

    async def landed(self, uploads: Sequence[Upload]) -> Mapping[UploadId, Sequence[int]]:
        """Return the numbers of the parts recorded for each one's current attempt."""
        ids = [upload.id for upload in uploads if upload.is_multipart]
        rows = await self.all(_Q["landed_parts"], ids=ids) if ids else []
        return {row.upload_id: row.numbers for row in rows}

    async def recorded(
        self, attempts: Sequence[tuple[UploadId, int]]
    ) -> Mapping[tuple[UploadId, int], Sequence[int]]:
        """Return the numbers of the parts recorded for each (upload, attempt)."""
        await self.all(_Q["settle_attempts"], ids=[upload for upload, _ in attempts])
        rows = await self.all(
            _Q["recorded_parts"],
            attempts=json_rows({"id": upload, "attempt": attempt} for upload, attempt in attempts),
        )
        return {(row.id, row.attempt): row.numbers for row in rows}

    async def record(self, parts: Sequence[Part]) -> Sequence[PartOutcome]:
        """Record durable parts, one outcome each; a whole file goes on to be checked."""
        outcomes: dict[tuple[UploadId, int, int], PartOutcome] = {}
        whole = [part for part in parts if part.is_whole_file]
        if whole:
            rows = await self.all(_Q["record_whole_files"], parts=self._arrivals(whole))
            outcomes |= {(row.id, row.attempt, 1): _outcome(row) for row in rows}
            self.said += [
                Happening(kind=Kind.MOVED, batch=row.batch_id, upload=row.id, state=State.CHECKING)
                for row in rows
                if row.is_recorded
            ]
        ranges = [part for part in parts if not part.is_whole_file]
        if ranges:
            rows = await self.all(_Q["record_parts"], parts=self._arrivals(ranges))
            outcomes |= {(row.id, row.attempt, row.number): _outcome(row) for row in rows}
            begun = {row.id: row.batch_id for row in rows if row.is_first}
            self.said += [
                Happening(kind=Kind.MOVED, batch=batch, upload=upload, state=State.RECEIVING)
                for upload, batch in begun.items()
            ]
        return [outcomes[part.upload, part.attempt, part.number] for part in parts]

    def _arrivals(self, parts: Sequence[Part]) -> str:
        return json_rows(
            {
                "id": part.upload,
                "attempt": part.attempt,
                "number": part.number,
                "size": part.size,
                "crc": signed(part.crc64nvme),
                "object_key": object_key(self.organization, part.upload, part.attempt),
                "job": new_id(),
            }
            for part in parts
        )

    async def say_received(self, batch: BatchId, sent: Mapping[UploadId, int]) -> None:
        """Show bytes that are said to be with the store; the last one isn't until it is known."""
        if sent:
            rows = json_rows({"id": upload, "bytes": size} for upload, size in sent.items())
            await self.run(_Q["say_received"], batch=batch, rows=rows)

    async def move(self, changes: Sequence[Change]) -> frozenset[UploadId]:
        """Write the moves nobody was faster with and log each; return the uploads that moved."""
        if not changes:
            return frozenset()
        rows = await self.all(_Q["move_uploads"], changes=json_rows(map(change_row, changes)))
        moved = frozenset(row.id for row in rows)
        self.said += [
            Happening(
                kind=Kind.MOVED,
                batch=change.now.batch,
                upload=change.now.id,
                state=change.now.state,
                reason=change.now.reason,
                detail=change.now.detail,
            )
            for change in changes
            if change.now.id in moved
        ]
        return moved

    async def restart(self, uploads: Sequence[Upload]) -> None:
        """Write new attempts of declared or receiving uploads (other entry, no parts)."""
        if not uploads:
            return
        await self.run(_Q["restart_uploads"], rows=json_rows(map(upload_row, uploads)))
        await self.run(_Q["drop_parts"], ids=[upload.id for upload in uploads])
        self.said += [
            Happening(kind=Kind.RESTARTED, batch=upload.batch, upload=upload.id, state=upload.state)
            for upload in uploads
        ]

    async def still_silent(
        self, uploads: Sequence[UploadId], silence: timedelta
    ) -> frozenset[UploadId]:
        """Return those that have been quiet for so long, their batches locked."""
        rows = await self.all(_Q["still_silent"], ids=list(uploads), silence=silence)
        return frozenset(row.id for row in rows)

    async def twins(self, leaders: Sequence[UploadId]) -> Sequence[Upload]:
        """Return the uploads waiting for these, locked, in order of declaration."""
        rows = await self.all(_Q["lock_twins"], leaders=list(leaders))
        return [upload_of(row, self.organization) for row in rows]

    async def follow(self, twins: Sequence[UploadId], leader: UploadId | None) -> None:
        """Make *twins* wait for another leader, or for none: then they must be sent."""
        if twins:
            await self.run(_Q["follow_leader"], ids=list(twins), leader=leader)


def _outcome(row: Any) -> PartOutcome:  # noqa: ANN401 - a row
    """Read the three flags with which the recording queries answer."""
    if row.is_recorded:
        return PartOutcome.RECORDED
    if not row.was_recorded:
        return PartOutcome.NOT_RECEIVING
    return PartOutcome.ALREADY if row.is_same else PartOutcome.DIFFERENT

"""Forecasting: what a declaration would come to, decided by what decides it, and not recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from laydown.domain.access import Act
from laydown.domain.batch import Batch, OnConflict
from laydown.domain.lifecycle import Event
from laydown.domain.policy import Policy
from laydown.domain.publication import Known
from laydown.domain.reasons import Reason
from laydown.domain.upload import BatchId, Entry, ProjectId, UploadId, VerdictKind
from laydown.domain.verdicts import Decision, Refused, decide
from laydown.ports import Ledger
from laydown.services.access import project_for
from laydown.services.declaring import check_count, readable_to
from laydown.services.dropping import placed
from laydown.services.identifiers import EPOCH, new_id
from laydown.services.identity import Caller
from laydown.services.quotas import room_in

_SAME_BYTES = {
    VerdictKind.WAIT: Reason.DUPLICATE_IN_BATCH,
    VerdictKind.DUPLICATE: Reason.DUPLICATE_EXACT,
}


class Outlook(StrEnum):
    """What a file would be."""

    NEW = "new"
    NEW_VERSION = "new_version"
    PRESENT = "present"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would become of one entry."""

    key: str
    outlook: Outlook
    reason: Reason | None
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class Forecasting:
    """The use case of somebody who looks before they deliver."""

    ledger: Ledger
    policy: Policy

    async def preview(
        self,
        caller: Caller,
        project_id: ProjectId,
        *,
        on_conflict: OnConflict,
        entries: Sequence[Entry | Refused],
    ) -> Sequence[Forecast]:
        """Return what would become of each entry in a new batch, in order; nothing is promised.

        Raises `NotFound` for the project, `Forbidden` and `TooManyEntries`.
        """
        check_count(entries)
        inside = placed(entries, caller.link)
        async with self.ledger.snapshot(caller.organization) as tx:
            await project_for(tx, caller, Act.DELIVER, project_id)
            room = await room_in(tx, caller, project_id, lock=False)
            batch = _imagined(caller, project_id, on_conflict)
            named = [
                entry
                for each in inside
                if (entry := each if isinstance(each, Entry) else each.entry) is not None
            ]
            known = await tx.known(batch, named, is_new=True, whose=readable_to(caller))
        decisions = decide(
            inside,
            known=known,
            batch=batch,
            policy=self.policy,
            room=room,
            new_id=lambda: UploadId(new_id()),
        )
        return [_forecast(decision, known) for decision in decisions]


def _imagined(caller: Caller, project_id: ProjectId, on_conflict: OnConflict) -> Batch:
    return Batch(
        id=BatchId(new_id()),
        organization=caller.organization,
        project=project_id,
        reference="",
        label=None,
        on_conflict=on_conflict,
        declared_by=caller.principal,
        created_at=EPOCH,
        closed_at=None,
    )


def _forecast(decision: Decision, known: Known) -> Forecast:
    return Forecast(
        key=decision.key,
        outlook=_outlook(decision, known),
        reason=_SAME_BYTES.get(decision.kind, decision.reason),
        detail=decision.detail,
    )


def _outlook(decision: Decision, known: Known) -> Outlook:
    if decision.reason is Reason.UNCHANGED or decision.kind in _SAME_BYTES:
        return Outlook.PRESENT
    if decision.event is Event.SKIPPED:
        return Outlook.SKIPPED
    upload = decision.upload
    if upload is None or decision.kind is VerdictKind.REJECTED:
        return Outlook.REFUSED
    return Outlook.NEW_VERSION if upload.entry.folded in known.current else Outlook.NEW

"""Quotas: reading them, setting them, and holding files to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from laydown.domain.access import Act
from laydown.domain.audit import Audited, Deed
from laydown.domain.errors import InvalidRequest, Unauthenticated
from laydown.domain.quotas import MOST, NOTHING, Measure, Quota, Room, Usage, usage_of
from laydown.domain.reasons import Reason
from laydown.domain.upload import ProjectId, Upload, UploadId
from laydown.ports import Ledger, Tx
from laydown.services.access import allow, project_for
from laydown.services.concluding import Finding, Passed, Refusal
from laydown.services.identity import Caller


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Use cases around quotas; a project of None is the whole organization."""

    ledger: Ledger

    async def read(self, caller: Caller, project_id: ProjectId | None) -> tuple[Quota, Usage]:
        """Return a quota and what is used of it; raise `NotFound` or `Forbidden`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            projects = await _named(tx, caller, Act.SEE_DELIVERIES, project_id)
            used = await tx.usage(projects)
            return await _quota(tx, project_id), used.get(project_id, NOTHING)

    async def set(self, caller: Caller, quota: Quota) -> Quota:
        """Write a quota over the one there is.

        Raises `NotFound`, `Forbidden` or `InvalidRequest`.

        What is in stays in when it is less than what is used; what comes is refused.
        """
        for measure in Measure:
            most = getattr(quota, measure)
            if most is not None and not 0 <= most <= MOST:
                raise InvalidRequest(
                    "a quota is a number from 0, or null for as much as it likes",
                    ((f"/{measure}", f"expected 0 to {MOST:,}"),),
                )
        async with self.ledger.begin(caller.organization) as tx:
            await _named(tx, caller, Act.SET_QUOTAS, quota.project)
            await tx.set_quota(quota)
            await tx.note(_did(caller, quota))
        return quota


def _did(caller: Caller, quota: Quota) -> Audited:
    """Return the line of the audit; what it doesn't name is unlimited."""
    limits = {measure.value: getattr(quota, measure) for measure in Measure}
    named = {name: most for name, most in limits.items() if most is not None}
    return caller.did(Deed.QUOTA_SET, subject=quota.project, project=quota.project, **named)


async def _named(
    tx: Tx, caller: Caller, act: Act, project_id: ProjectId | None
) -> Sequence[ProjectId]:
    """Return the project as a list, or nothing, if *act* is allowed there."""
    if project_id is not None:
        return [(await project_for(tx, caller, act, project_id)).id]
    allow(caller, act)
    return []


async def _quota(tx: Tx, project_id: ProjectId | None) -> Quota:
    found = await tx.quotas([] if project_id is None else [project_id])
    return next(
        (quota for quota in found if quota.project == project_id), Quota(project=project_id)
    )


async def room_in(tx: Tx, caller: Caller, project_id: ProjectId, *, lock: bool = True) -> Room:
    """Return what the quotas, and the caller's drop link, leave for a project.

    With *lock* nobody else takes of it until the end of *tx*; that comes before uploads are
    locked, and after their batch is. Raises `Unauthenticated` for a link that was revoked since it
    was shown.
    """
    if caller.link is None:
        return await _room(tx, [project_id], lock=lock)
    quotas = await tx.quotas([project_id], lock=lock)
    used: dict[UUID | None, Usage] = dict(await tx.usage([project_id])) if quotas else {}
    link = await tx.link(caller.link.id, lock=lock)
    if link.revoked_at is not None:
        raise Unauthenticated("this link is revoked; get a new one")
    files, size = await tx.delivered_by(link.id)
    used[link.id] = Usage(files=files, bytes=size)
    own = Quota(project=None, link=link.id, files=link.most_files, bytes=link.most_bytes)
    return Room([*quotas, own], used)


async def room_at_the_end(tx: Tx, projects: Iterable[ProjectId]) -> Room:
    """Return what the quotas leave when files complete, locked only where one is exceeded.

    That takes a quota that was cut since they were declared. Comes before uploads are locked.
    """
    named = sorted(set(projects))
    room = await _room(tx, named, lock=False)
    return await _room(tx, named, lock=True) if room.is_exceeded else room


async def _room(tx: Tx, projects: Sequence[ProjectId], *, lock: bool) -> Room:
    quotas = await tx.quotas(projects, lock=lock)
    return Room(quotas, await tx.usage(projects) if quotas else {})


def within(
    room: Room, uploads: Mapping[UploadId, Upload], findings: Mapping[UploadId, Finding]
) -> Mapping[UploadId, Finding]:
    """Return findings with as many files refused as it takes to be within the quotas again.

    What stays in another's bucket counts, but isn't refused: it was here before the quota was.
    """
    if not room.is_exceeded:
        return findings
    for id_, finding in findings.items():
        if isinstance(finding, Refusal):
            room.give_back(uploads[id_].project, usage_of(uploads[id_]))
    return {
        id_: _within(room, uploads[id_], finding) if isinstance(finding, Passed) else finding
        for id_, finding in findings.items()
    }


def _within(room: Room, upload: Upload, finding: Passed) -> Finding:
    excess = room.excess(upload.project)
    if excess is None or upload.is_foreign:
        return finding
    room.give_back(upload.project, usage_of(upload))
    return Refusal(reason=Reason.QUOTA_EXCEEDED, detail=excess, proof=finding.proof)

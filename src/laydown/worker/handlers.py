"""Which use case answers which job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from laydown.domain.jobs import (
    ClaimedJob,
    DiscardBytes,
    JoinParts,
    ProveUpload,
    QuarantineBytes,
    RescanBytes,
)
from laydown.services.proving import Proving
from laydown.services.rescanning import Rescanning


def kind_of(claimed: ClaimedJob) -> str:
    """Return a job's kind, as metrics label it."""
    match claimed.job:
        case JoinParts():
            return "join"
        case ProveUpload():
            return "prove"
        case DiscardBytes():
            return "discard"
        case QuarantineBytes():
            return "quarantine"
        case RescanBytes():
            return "rescan"
        case _:
            assert_never(claimed.job)


@dataclass(frozen=True, kw_only=True)
class UseCases:
    """What jobs ask for."""

    proving: Proving
    rescanning: Rescanning


async def handle(claimed: Sequence[ClaimedJob], *, use_cases: UseCases) -> None:
    """Do jobs of one kind and one organization; all of them are done, or any may be done again."""
    organization = claimed[0].organization
    to_join, to_prove = [], []
    for each in claimed:
        match each.job:
            case JoinParts(upload_id):
                to_join.append(upload_id)
            case ProveUpload(upload_id):
                to_prove.append(upload_id)
            case DiscardBytes(_, object_key):
                await use_cases.proving.discard(object_key)
            case QuarantineBytes(upload_id, object_key):
                await use_cases.proving.quarantine(organization, upload_id, object_key)
            case RescanBytes(upload_id, object_key):
                await use_cases.rescanning.look_again(organization, upload_id, object_key)
            case _:
                assert_never(each.job)
    if to_join:
        await use_cases.proving.join(organization, to_join)
    if to_prove:
        await use_cases.proving.prove(organization, to_prove)


async def give_up(claimed: ClaimedJob, *, use_cases: UseCases) -> None:
    """Say in the ledger that a job's last attempt failed."""
    match claimed.job:
        case JoinParts(upload_id) | ProveUpload(upload_id):
            await use_cases.proving.give_up(claimed.organization, upload_id)
        case DiscardBytes() | QuarantineBytes() | RescanBytes():
            pass  # no upload waits for it; the dead job is listed, and the sweeper comes by
        case _:
            assert_never(claimed.job)

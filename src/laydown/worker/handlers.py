"""Which use case answers which job."""

from collections.abc import Sequence
from typing import assert_never

from laydown.domain.jobs import ClaimedJob, DiscardBytes, JoinParts, ProveUpload
from laydown.services.proving import Proving


def kind_of(claimed: ClaimedJob) -> str:
    """Return a job's kind, as metrics label it."""
    match claimed.job:
        case JoinParts():
            return "join"
        case ProveUpload():
            return "prove"
        case DiscardBytes():
            return "discard"
        case _:
            assert_never(claimed.job)


async def handle(claimed: Sequence[ClaimedJob], *, proving: Proving) -> None:
    """Do jobs of one kind and one organization; all of them are done, or any may be done again."""
    organization = claimed[0].organization
    uploads = []
    for each in claimed:
        match each.job:
            case JoinParts(upload_id):
                await proving.join(organization, upload_id)
            case ProveUpload(upload_id):
                uploads.append(upload_id)
            case DiscardBytes(_, object_key):
                await proving.discard(object_key)
            case _:
                assert_never(each.job)
    if uploads:
        await proving.prove(organization, uploads)


async def give_up(claimed: ClaimedJob, *, proving: Proving) -> None:
    """Say in the ledger that a job's last attempt failed."""
    match claimed.job:
        case JoinParts(upload_id) | ProveUpload(upload_id):
            await proving.give_up(claimed.organization, upload_id)
        case DiscardBytes():
            pass  # only space is lost, and the sweeper comes by
        case _:
            assert_never(claimed.job)

"""Files with the same bytes in one batch: one is sent, the others wait for it."""

from collections.abc import Mapping, Sequence

from laydown.domain.happening import Happening, Kind
from laydown.domain.upload import Upload, UploadId
from laydown.ports import Tx


def by_leader(twins: Sequence[Upload]) -> Mapping[UploadId, Sequence[Upload]]:
    """Return the waiting uploads by whom they wait for, in order of declaration."""
    grouped: dict[UploadId, list[Upload]] = {}
    for twin in twins:
        if twin.leader is not None:
            grouped.setdefault(twin.leader, []).append(twin)
    return grouped


async def promote_twins(tx: Tx, leaders: Sequence[UploadId]) -> None:
    """Let the oldest twin of each leader that brought no bytes be sent in its stead."""
    for twins in by_leader(await tx.twins(leaders)).values():
        first, *others = twins
        await tx.follow([first.id], None)
        await tx.follow([twin.id for twin in others], first.id)
        await tx.say(
            [
                Happening(
                    kind=Kind.PROMOTED,
                    batch=first.batch,
                    upload=first.id,
                    state=first.state,
                    detail="the file it waited for brought no bytes: send this one",
                )
            ]
        )

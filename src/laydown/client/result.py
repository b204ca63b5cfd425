"""What a push came to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from laydown import wire
from laydown.client.walk import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Files that fared alike."""

    state: wire.UploadState
    reason: str | None
    message: str | None  # what the reason means
    files: wire.Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """A push in the end; counts are of the whole batch, earlier pushes into it included."""

    batch: wire.Batch | None  # None: there was nothing to declare
    groups: Sequence[Group]  # the largest first
    problems: Sequence[wire.ReceiptRow]  # files of the batch that did not get in
    unreadable: Sequence[Trouble]  # files that did not go out, and why
    passed_over: Sequence[Trouble]  # links and devices, which are nothing to send
    bytes_sent: int  # in this push, acknowledged
    seconds: float

    @property
    def is_success(self) -> bool:
        """Whether every file is in."""
        return not self.problems and not self.unreadable


def grouped(rows: Iterable[wire.ReceiptRow]) -> Sequence[Group]:
    """Return the rows of a receipt by state and reason."""
    amounts: dict[tuple[wire.UploadState, str | None], list[int]] = {}
    messages: dict[str | None, str | None] = {}
    for row in rows:
        amount = amounts.setdefault((row.state, row.reason), [0, 0])
        amount[0] += 1
        amount[1] += row.size
        if not row.infected:  # what was found later says nothing about its state
            messages[row.reason] = row.message
    groups = [
        Group(
            state=state,
            reason=reason,
            message=messages.get(reason),
            files=wire.Amount(count=count, bytes=size),
        )
        for (state, reason), (count, size) in amounts.items()
    ]
    return sorted(groups, key=lambda each: (each.state not in wire.SUCCEEDED, -each.files.count))

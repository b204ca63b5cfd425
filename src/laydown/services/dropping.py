"""What comes through a drop link lies below the link's folder."""

from collections.abc import Sequence
from dataclasses import replace

from laydown.domain.names import RefusedName, normalised
from laydown.domain.people import DropLink
from laydown.domain.reasons import Reason
from laydown.domain.upload import Entry
from laydown.domain.verdicts import Refused


def placed(entries: Sequence[Entry | Refused], link: DropLink | None) -> list[Entry | Refused]:
    """Return *entries* where a link puts them; one whose path becomes too long is refused."""
    if link is None or not link.folder:
        return list(entries)
    return [_placed(each, link.folder) for each in entries]


def _placed(given: Entry | Refused, folder: str) -> Entry | Refused:
    entry = given if isinstance(given, Entry) else given.entry
    if entry is None:
        return given
    below = replace(
        entry, path=f"{folder}/{entry.path}", folded=f"{normalised(folder).folded}/{entry.folded}"
    )
    if isinstance(given, Refused):
        return replace(given, entry=below)
    try:
        normalised(below.path)
    except RefusedName as refused:
        return Refused(
            key=entry.key, reason=Reason(refused.reason), detail=refused.detail, entry=entry
        )
    return below

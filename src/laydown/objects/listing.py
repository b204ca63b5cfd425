"""What a store's directory holds, a page at a time, however much that is."""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import nsmallest
from pathlib import Path
from typing import Final

from laydown.domain.upload import OrganizationId
from laydown.objects.destination import in_our_words
from laydown.objects.layout import Attempt, Layout, placed_attempt, staged_attempt
from laydown.ports import StoredObject

_AT_ONCE: Final = 1 << 16  # names in memory: a million objects are looked through 16 times


def listing(layout: Layout, *, at_once: int = _AT_ONCE) -> Iterator[list[StoredObject]]:
    """Yield what is no object now, and then the objects in the order of their keys; blocks.

    A directory has no order, so the next *at_once* names of an organization are picked out of all
    of them, as often as it takes. What goes away meanwhile is left out.
    """
    with in_our_words():
        for folder in (layout.staged, layout.quarantine):
            yield [
                each
                for name in _names(folder)
                if (attempt := staged_attempt(name)) is not None
                for each in _stored(attempt, f"{folder}/{name}", is_object=False)
            ]
        for organization in layout.organizations():
            yield from _placed(layout, organization, at_once)


def _placed(
    layout: Layout, organization: OrganizationId, at_once: int
) -> Iterator[list[StoredObject]]:
    shelves, last = layout.shelves(organization), ""
    while names := nsmallest(
        at_once, (name for shelf in shelves for name in _names(shelf) if name > last)
    ):
        yield [
            each
            for name in names  # in the order of keys, because a UUID is as long as any other
            if (attempt := placed_attempt(name, organization)) is not None
            for each in _stored(attempt, layout.placed_path(attempt), is_object=True)
        ]
        last = names[-1]


def _names(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _stored(attempt: Attempt, path: str, *, is_object: bool) -> Iterator[StoredObject]:
    with contextlib.suppress(FileNotFoundError):
        status = Path(path).lstat()
        yield StoredObject(
            key=attempt.key,
            size=status.st_size,
            stored_at=datetime.fromtimestamp(status.st_mtime, UTC),
            is_object=is_object,
        )

"""What a declaration would come to, before anything is declared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from laydown.wire.batches import Entry
from laydown.wire.states import OnConflict

Outlook = Literal["new", "new_version", "present", "skipped", "refused"]
"""What a file would be: a document's first version, its next one, nothing new, junk, or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRequest:
    """What `POST /v1/projects/{id}/previews` takes; at most 5,000 entries."""

    entries: Sequence[Entry]  # without digests it is quick, with them `present` is known
    on_conflict: OnConflict = "new_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would become of one entry."""

    key: str
    outlook: Outlook
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A forecast for each entry, in order. Nothing was recorded, and nothing is promised."""

    items: Sequence[Forecast]

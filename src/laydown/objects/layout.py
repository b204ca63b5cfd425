"""Where objects lie below the store's directory, and how their keys read."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from laydown.domain.upload import OrganizationId, UploadId, object_key

_UUID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_NUMBER = r"([1-9][0-9]{0,8})"
_KEY = re.compile(f"u/{_UUID}/{_UUID}/{_NUMBER}")
_PLACED = re.compile(rf"{_UUID}\.{_NUMBER}")
_STAGED = re.compile(rf"{_UUID}\.{_UUID}\.{_NUMBER}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at sending an upload's bytes; every try has an object of its own."""

    organization: OrganizationId
    upload: UploadId
    number: int  # from 1

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Read an object key; raise `ValueError` for anything that isn't exactly one."""
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(f"not an object key: {key!r}")
        organization, upload, number = match.groups()
        return cls(OrganizationId(UUID(organization)), UploadId(UUID(upload)), int(number))

    @property
    def key(self) -> str:
        """The object key that reads back as this."""
        return object_key(self.organization, self.upload, self.number)


class Layout:
    """The paths of a store. No name in it was ever chosen by a client.

    `incoming/` holds bodies on their way, worthless after a crash. `staged/` holds files that
    arrive in parts, each part where it belongs. `quarantine/` holds what was refused and is kept
    for a while, out of every reader's reach. `u/` holds objects, whole and immutable, spread
    over 256 directories an organization, so that none grows large.
    """

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.owner_lock = f"{root}/owner.lock"
        self.incoming = f"{root}/incoming"
        self.staged = f"{root}/staged"
        self.quarantine = f"{root}/quarantine"
        self.objects = f"{root}/u"

    def folders(self) -> tuple[str, ...]:
        """Return the directories every store has."""
        return self.incoming, self.staged, self.quarantine, self.objects

    def placed_path(self, attempt: Attempt) -> str:
        """Return where the object is, once it is one."""
        upload = str(attempt.upload)
        folder = f"{self.objects}/{attempt.organization}/{upload[-2:]}"
        return f"{folder}/{upload}.{attempt.number}"

    def staged_path(self, attempt: Attempt) -> str:
        """Return where its parts are collected."""
        return f"{self.staged}/{attempt.organization}.{attempt.upload}.{attempt.number}"

    def quarantined_path(self, attempt: Attempt) -> str:
        """Return where the object is kept once it was refused."""
        return f"{self.quarantine}/{attempt.organization}.{attempt.upload}.{attempt.number}"

    def organizations(self) -> list[OrganizationId]:
        """Return whose objects there are, in the order of their keys; blocks."""
        names = filter(re.compile(_UUID).fullmatch, _folders(self.objects))
        return [OrganizationId(UUID(name)) for name in names]

    def shelves(self, organization: OrganizationId) -> list[str]:
        """Return the directories of an organization's objects; blocks."""
        folder = f"{self.objects}/{organization}"
        return [f"{folder}/{name}" for name in _folders(folder)]


def placed_attempt(name: str, organization: OrganizationId) -> Attempt | None:
    """Return whose object a file of a shelf is, or None for a file we didn't write."""
    match = _PLACED.fullmatch(name)
    if match is None:
        return None
    return Attempt(organization, UploadId(UUID(match[1])), int(match[2]))


def staged_attempt(name: str) -> Attempt | None:
    """Return whose parts a file of `staged/` collects, or None for a file we didn't write."""
    match = _STAGED.fullmatch(name)
    if match is None:
        return None
    organization, upload, number = match.groups()
    return Attempt(OrganizationId(UUID(organization)), UploadId(UUID(upload)), int(number))


def _folders(folder: str) -> list[str]:
    return sorted(entry.name for entry in Path(folder).iterdir() if entry.is_dir())

"""Every reason code: why an upload is where it is, and what the user can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """A stable code beside a settled state."""

    DUPLICATE_EXACT = "duplicate_exact"
    DUPLICATE_IN_BATCH = "duplicate_in_batch"
    SYSTEM_JUNK = "system_junk"
    UNCHANGED = "unchanged"
    EMPTY_FILE = "empty_file"
    PLACEHOLDER_POINTER = "placeholder_pointer"
    TOO_LARGE = "too_large"
    PATH_TOO_LONG = "path_too_long"
    ILLEGAL_NAME = "illegal_name"
    TYPE_MISMATCH = "type_mismatch"
    TYPE_NOT_ALLOWED = "type_not_allowed"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    SIZE_MISMATCH = "size_mismatch"
    INFECTED = "infected"
    SCAN_UNAVAILABLE = "scan_unavailable"
    QUOTA_EXCEEDED = "quota_exceeded"
    NAME_CONFLICT = "name_conflict"
    INVALID_ENTRY = "invalid_entry"
    KEY_REUSED = "key_reused"
    EXPIRED = "expired"
    CANCELLED_BY_USER = "cancelled_by_user"
    NO_PERMISSION = "no_permission"
    PROCESSING_GAVE_UP = "processing_gave_up"


class Severity(StrEnum):
    """How much a person should care."""

    INFO = "info"  # a success, or nothing lost
    ERROR = "error"  # somebody must act before the file is in


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a reason means and what to do."""

    severity: Severity
    message: str
    remedy: str


def _info(message: str, remedy: str) -> Explanation:
    return Explanation(severity=Severity.INFO, message=message, remedy=remedy)


def _error(message: str, remedy: str) -> Explanation:
    return Explanation(severity=Severity.ERROR, message=message, remedy=remedy)


EXPLANATIONS: Mapping[Reason, Explanation] = {
    Reason.DUPLICATE_EXACT: _info(
        "The same bytes are already here; this path is linked to them.", "Nothing to do."
    ),
    Reason.DUPLICATE_IN_BATCH: _info(
        "Another file of this batch has the same bytes; this path is linked to them.",
        "Nothing to do.",
    ),
    Reason.SYSTEM_JUNK: _info(
        "A file that an operating system or a program leaves behind; it was not stored.",
        "Nothing to do; if it is wanted, rename it or have the junk list changed.",
    ),
    Reason.UNCHANGED: _info(
        "The current version of this document has exactly these bytes.", "Nothing to do."
    ),
    Reason.EMPTY_FILE: _error(
        "The file has no bytes.", "Export or copy it again, and deliver the folder again."
    ),
    Reason.PLACEHOLDER_POINTER: _error(
        "This is a Git-LFS pointer, a few lines that stand for a file that was never downloaded.",
        "Run `git lfs pull` where the file comes from, and deliver the folder again.",
    ),
    Reason.TOO_LARGE: _error(
        "The file is larger than this server takes.",
        "Split it, or ask the operator to raise the limit.",
    ),
    Reason.PATH_TOO_LONG: _error(
        "The path is longer than a document's path may be.",
        "Shorten folder or file names, and deliver the folder again.",
    ),
    Reason.ILLEGAL_NAME: _error(
        "The name has characters or parts that a document's path may not have.",
        "Rename the file as the detail says, and deliver the folder again.",
    ),
    Reason.TYPE_MISMATCH: _error(
        "The content is not what the file's extension says.",
        "Give the file the extension of its content, or export it again.",
    ),
    Reason.TYPE_NOT_ALLOWED: _error(
        "Programs and scripts are not accepted.",
        "Leave it out; if it is needed, ask the operator to allow the type.",
    ),
    Reason.CHECKSUM_MISMATCH: _error(
        "The bytes that arrived are not the bytes that were declared.",
        "Push the folder again; only this file is sent.",
    ),
    Reason.SIZE_MISMATCH: _error(
        "The number of bytes stored is not the number declared.",
        "Push the folder again; only this file is sent.",
    ),
    Reason.INFECTED: _error(
        "The malware scanner found what the detail names in this file.",
        "Clean the computer it comes from; then export or download the file again and push it.",
    ),
    Reason.SCAN_UNAVAILABLE: _error(
        "The malware scanner can't look into this file, so nobody knows whether it is clean.",
        "Remove its password or split it; or ask the operator to accept such files.",
    ),
    Reason.QUOTA_EXCEEDED: _error(
        "There is no room for it: the detail says which quota is used up, and what is left of it.",
        "Have the quota raised, or wait for uploads under way where it counts those; then push "
        "the folder again: what is in stays in, and only the rest is sent.",
    ),
    Reason.NAME_CONFLICT: _error(
        "Another file has this path, and the batch said not to replace it; "
        "paths that differ only in case or accents' encoding are the same path.",
        "Rename the file, or push with new versions allowed.",
    ),
    Reason.INVALID_ENTRY: _error(
        "The entry is not what the API describes.", "Correct it as the detail says."
    ),
    Reason.KEY_REUSED: _error(
        "This key named another file of the batch, which is already sealed.",
        "Declare the file under a new key.",
    ),
    Reason.EXPIRED: _error(
        "Nothing came for this file for too long.",
        "Push the folder again; what arrived before is not sent twice.",
    ),
    Reason.CANCELLED_BY_USER: _info("Somebody took the file back.", "Declare it again if wanted."),
    Reason.NO_PERMISSION: _error(
        "Whoever was delivering it may deliver no more: the link or the membership was ended.",
        "Ask whoever runs the project for a new link or role, and deliver the folder again.",
    ),
    Reason.PROCESSING_GAVE_UP: _error(
        "We could not finish, after several attempts; the bytes are kept.",
        "Retry the batch; if it fails again, the operator sees why in the dead jobs.",
    ),
}

TRANSPORT = frozenset({Reason.CHECKSUM_MISMATCH, Reason.SIZE_MISMATCH})
"""Rejections that say nothing about the file, only about its journey: they can be retried."""

RETRYABLE = TRANSPORT | {Reason.QUOTA_EXCEEDED}
"""Rejections that needn't be met again: retrying, or declaring the file again, decides anew."""

BY_CONTENT = frozenset(
    {Reason.PLACEHOLDER_POINTER, Reason.TYPE_MISMATCH, Reason.TYPE_NOT_ALLOWED, Reason.EMPTY_FILE}
)
"""Rejections that the same bytes under the same extension would meet again: they are remembered."""

OF_THE_BYTES = frozenset({Reason.INFECTED, Reason.SCAN_UNAVAILABLE})
"""Rejections that the same bytes meet under any name, until the scanner thinks otherwise."""

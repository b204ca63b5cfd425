"""What can stand in the way of one part, and how often it is met before its file is given up."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from laydown.client.errors import ApiError, StoreRefused
from laydown.client.refusals import is_stale, refusal
from laydown.client.transport import AGAIN, Answer


class Obstacle(StrEnum):
    """Why a part has not landed."""

    BROKEN = "broken"  # the connection
    LATER = "later"  # the server is busy, or what stands before it says so
    BUSY = "busy"  # another request writes the same part: one we gave up, or another client's
    GRANT = "grant"  # the URL expired before its turn, or is of an earlier attempt
    DAMAGED = "damaged"  # other bytes arrived than were sent, or the file changed
    CONFLICT = "conflict"  # other bytes were recorded before
    FULL = "full"  # the store
    ELSEWHERE = "elsewhere"  # the upload takes no bytes (any more)
    THERE = "there"  # the object is there already
    DENIED = "denied"  # the store refuses what the server permitted: somebody must set it right
    REFUSED = "refused"  # for another reason


PATIENCE: Mapping[Obstacle, int] = {
    Obstacle.BROKEN: 10,
    Obstacle.LATER: 40,
    Obstacle.BUSY: 60,
    Obstacle.GRANT: 6,
    Obstacle.DAMAGED: 4,
    Obstacle.FULL: 4,
}
"""How often one part may meet it while the server lives; otherwise never.

A server that is away altogether is waited for, however many parts meet that.
"""

FINAL = frozenset({Obstacle.DAMAGED, Obstacle.CONFLICT, Obstacle.REFUSED})
"""What a later push would meet again: the upload is taken back, so that its batch can end."""

_BY_CODE: Mapping[str, Obstacle] = {
    "not_receiving": Obstacle.ELSEWHERE,
    "conflict": Obstacle.LATER,
    "part_busy": Obstacle.BUSY,
    "part_conflict": Obstacle.CONFLICT,
    "checksum_mismatch": Obstacle.DAMAGED,
    "wrong_length": Obstacle.DAMAGED,
    "client_gone": Obstacle.BROKEN,
    "store_full": Obstacle.FULL,
}

# What S3 calls it ("Error responses" in its API reference), and what its likes do.
_BY_STORE_CODE: Mapping[str, Obstacle] = {
    "BadDigest": Obstacle.DAMAGED,
    "InvalidDigest": Obstacle.DAMAGED,
    "XAmzContentChecksumMismatch": Obstacle.DAMAGED,
    "XAmzContentSHA256Mismatch": Obstacle.DAMAGED,
    "IncompleteBody": Obstacle.BROKEN,
    "RequestTimeout": Obstacle.BROKEN,
    "ConditionalRequestConflict": Obstacle.LATER,
    "OperationAborted": Obstacle.LATER,
    "InternalError": Obstacle.LATER,
    "ServiceUnavailable": Obstacle.LATER,
    "SlowDown": Obstacle.LATER,
    "PreconditionFailed": Obstacle.THERE,
    "NoSuchBucket": Obstacle.DENIED,
}

# Proxies answer without any code.
_BY_STATUS: Mapping[int, Obstacle] = {
    **dict.fromkeys(AGAIN, Obstacle.LATER),
    HTTPStatus.INTERNAL_SERVER_ERROR: Obstacle.LATER,
    HTTPStatus.FORBIDDEN: Obstacle.GRANT,
    HTTPStatus.REQUEST_TIMEOUT: Obstacle.BROKEN,
    HTTPStatus.PRECONDITION_FAILED: Obstacle.THERE,
    HTTPStatus.INSUFFICIENT_STORAGE: Obstacle.FULL,
}


def obstacle(answer: Answer | None) -> Obstacle:
    """Return what an unsuccessful answer to a PUT means; None: the connection broke."""
    if answer is None:
        return Obstacle.BROKEN
    error = refusal(answer.status, answer.body)
    if isinstance(error, StoreRefused):
        return _in_store(error)
    if isinstance(error, ApiError) and error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return _BY_STATUS.get(answer.status, Obstacle.REFUSED)


def _in_store(refused: StoreRefused) -> Obstacle:
    if is_stale(refused):
        return Obstacle.GRANT
    if refused.code in _BY_STORE_CODE:
        return _BY_STORE_CODE[refused.code]
    if "checksum" in refused.message.lower():  # `InvalidRequest`, and what else they call it
        return Obstacle.DAMAGED
    if refused.status == HTTPStatus.FORBIDDEN:
        return Obstacle.DENIED
    return _BY_STATUS.get(refused.status, Obstacle.REFUSED)

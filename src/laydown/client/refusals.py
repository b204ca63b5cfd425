"""What an unsuccessful answer means: a problem of the server's, or the XML of an object store."""

import html
import re

import msgspec

from laydown import wire
from laydown.client.errors import ApiError, BadAnswer, StoreRefused, error_for

# How S3 and its likes explain a refusal, whatever else their XML has in it, and however broken.
_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9._-]{1,64})\s*</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]{0,300})")
_EXPLAINED_WITHIN = 4_096  # bytes

# S3's codes ("Error responses" in its API reference) for what a new signature puts right.
_STALE = frozenset(
    {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "NoSuchUpload", "TokenRefreshRequired"}
)
_OF_THE_MOMENT = frozenset({"conflict", "ConditionalRequestConflict", "OperationAborted"})

_problem = msgspec.json.Decoder(wire.Problem)


def refusal(status: int, body: bytes) -> ApiError | BadAnswer | StoreRefused:
    """Return the error that an unsuccessful answer means."""
    try:
        return error_for(_problem.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        if code := _CODE.search(body, 0, _EXPLAINED_WITHIN):
            return StoreRefused(status, code[1].decode(), _explained(body))
        said = " ".join(body[:200].decode(errors="replace").split())
        return BadAnswer(f"the server answered {status}, which is not laydown's way: {said}")


def is_stale(refused: StoreRefused) -> bool:
    """Say whether a store would let a fresh URL do what this one no longer may."""
    if refused.code == "AccessDenied":  # the same code for "never": only the text tells
        return "expired" in refused.message.lower()
    return refused.code in _STALE


def is_of_the_moment(refused: ApiError | BadAnswer | StoreRefused) -> bool:
    """Say whether another request was in the way, so that the same one may do now."""
    return isinstance(refused, ApiError | StoreRefused) and refused.code in _OF_THE_MOMENT


def is_under_way(refused: ApiError | BadAnswer | StoreRefused) -> bool:
    """Say whether the same request came before, and is still being answered."""
    return isinstance(refused, ApiError) and refused.code == "idempotency_in_progress"


def _explained(body: bytes) -> str:
    """Return a store's own words; of the rest of its XML some must not be shown to people."""
    message = _MESSAGE.search(body, 0, _EXPLAINED_WITHIN)
    text = "" if message is None else html.unescape(message[1].decode(errors="replace"))
    return " ".join(text.split())

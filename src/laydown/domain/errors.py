"""Everything that can go wrong, by name and stable code."""

from typing import ClassVar


class LaydownError(Exception):
    """Root of every error this package raises on purpose."""

    code: ClassVar[str]


class NotFound(LaydownError):
    """Nothing with this id exists, or the caller may not see it."""

    code = "not_found"

    def __init__(self, what: str, identifier: object) -> None:
        super().__init__(f"no {what} {identifier}")


class Unauthenticated(LaydownError):
    """No valid token came with the request; send `Authorization: Bearer ldn_…`."""

    code = "unauthenticated"


class Forbidden(LaydownError):
    """Your role doesn't allow this; ask an owner or a manager of the organization."""

    code = "forbidden"


class MemberExists(LaydownError):
    """A member has this e-mail address already; change that member, or use another address."""

    code = "member_exists"


class LastOwner(LaydownError):
    """Somebody has to answer for the organization; make another member its owner first."""

    code = "last_owner"


class IllegalMove(LaydownError):
    """The upload's state does not allow this."""

    code = "illegal_move"

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"an upload that is {state} cannot be {event}")
        self.state = state
        self.event = event


class Conflict(LaydownError):
    """Someone else changed it first; read it again and repeat the request."""

    code = "conflict"


class NotReceiving(LaydownError):
    """The upload takes no bytes: it is past that, or settled; ask for its state."""

    code = "not_receiving"


class PartConflict(LaydownError):
    """The part was recorded with other bytes and is never rewritten; declare the file again."""

    code = "part_conflict"


class PartBusy(LaydownError):
    """Another request is writing this part now; wait for it, or repeat the request."""

    code = "part_busy"


class PartsMissing(LaydownError):
    """Completion was asked for before every part had landed; send the missing parts."""

    code = "parts_missing"


class BatchClosed(LaydownError):
    """The batch takes no more entries; declare them in a new batch."""

    code = "batch_closed"


class ProjectExists(LaydownError):
    """A project with this code exists already; use it, or choose another code."""

    code = "project_exists"


class KeyReused(LaydownError):
    """The entry key named another file, which is already sealed; choose a new key."""

    code = "key_reused"


class TooManyEntries(LaydownError):
    """More entries than a request or a batch may have; split them."""

    code = "too_many_entries"


class InvalidRequest(LaydownError):
    """The request is not what the API describes; `errors` points at each fault."""

    code = "invalid_request"

    def __init__(self, detail: str, faults: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.faults = faults


class TooLarge(LaydownError):
    """The request body is larger than this route takes."""

    code = "request_too_large"


class UnsupportedMediaType(LaydownError):
    """The request's `Content-Type` or `Content-Encoding` is not one that this route takes."""

    code = "unsupported_media_type"


class RateLimited(LaydownError):
    """Too many requests in too short a time; wait for as many seconds as `Retry-After` says."""

    code = "rate_limited"

    def __init__(self, detail: str, *, seconds: int = 1) -> None:
        super().__init__(detail)
        self.seconds = seconds  # after which the same request makes sense


class Overloaded(LaydownError):
    """The server process has as many event streams as it can serve; try again in a moment."""

    code = "overloaded"


class TooManyBatches(LaydownError):
    """The organization has as many open batches as it may; close or cancel some of them."""

    code = "too_many_batches"


class IdempotencyKeyReused(LaydownError):
    """The `Idempotency-Key` came with another request before; every request needs a new one."""

    code = "idempotency_key_reused"


class IdempotencyInProgress(LaydownError):
    """The request that first came with this `Idempotency-Key` is not answered yet; ask again."""

    code = "idempotency_in_progress"


class BadSignature(LaydownError):
    """The URL was altered, expired, or signed with a retired key; ask for a new grant."""

    code = "bad_signature"


class WrongLength(LaydownError):
    """The body's length is not the one the URL was signed for; nothing was stored."""

    code = "wrong_length"


class ChecksumMismatch(LaydownError):
    """The bytes do not have the checksum sent with them; nothing was stored, send them again."""

    code = "checksum_mismatch"


class ClientGone(LaydownError):
    """The client went away, or was too slow, before the last byte; send the part again."""

    code = "client_gone"


class RangeNotSatisfiable(LaydownError):
    """The range asked for lies outside the content."""

    code = "range_not_satisfiable"


class ContentGone(LaydownError):
    """The ledger knows this content but the store does not have it; tell the operator."""

    code = "content_gone"


class StoreFull(LaydownError):
    """There is no room left for these bytes; nothing was stored, try again when there is."""

    code = "store_full"


class StoreUnavailable(LaydownError):
    """The object store did not answer; the same request may work later."""

    code = "store_unavailable"


class ContentInfected(LaydownError):
    """Malware was found in this content after it was published; nobody can fetch it any more."""

    code = "infected"


class ScannerUnavailable(LaydownError):
    """The malware scanner did not answer; the file waits until it does."""

    code = "scanner_unavailable"


class NoScanner(LaydownError):
    """Nothing can be scanned: this server has no malware scanner that it can ask."""

    code = "no_scanner"


class QueueUnavailable(LaydownError):
    """The message queue did not answer; what is to be said is said later."""

    code = "queue_unavailable"


class IssuerUnavailable(LaydownError):
    """The identity provider did not answer as it should; the same request may work later."""

    code = "issuer_unavailable"


class LedgerUnavailable(LaydownError):
    """The database did not answer; the same request may work later."""

    code = "ledger_unavailable"


class Stopping(LaydownError):
    """The server is shutting down; the same request works after it has restarted."""

    code = "stopping"

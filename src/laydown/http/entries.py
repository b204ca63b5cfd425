"""Declared files as they come: each read alone, so that a bad one fails alone."""

import json
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import msgspec

from laydown import wire
from laydown.domain.batch import ENTRIES_PER_REQUEST, OnConflict
from laydown.domain.digest import BadChecksum, sha256_from_hex
from laydown.domain.errors import InvalidRequest, TooManyEntries
from laydown.domain.names import MOST_BYTES, RefusedName, folded, normalised
from laydown.domain.plan import S3_LARGEST_OBJECT
from laydown.domain.reasons import Reason
from laydown.domain.upload import Entry
from laydown.domain.verdicts import Refused
from laydown.http.bodies import UNSOUND, decoded, located

MOST_KEY_BYTES = 1_024
"""A key may be the path; with the batch it fits an index row of Postgres (2,704 bytes)."""

_LONGEST_CONTENT_TYPE = 255  # characters; RFC 6838 allows 127 for the type and for the subtype
_LARGEST_SIZE = S3_LARGEST_OBJECT  # bytes; the sum over a whole batch still fits a bigint
# Other times come from broken clocks. Windows counts from 1601; Python's calendar ends in 9999.
_FIRST_YEAR, _LAST_YEAR = 1601, 9998
_LATITUDE, _LONGITUDE = 90.0, 180.0  # degrees


class Envelope(msgspec.Struct, kw_only=True):
    """A new batch whose entries are not looked at yet."""

    reference: str
    label: str | None = None
    on_conflict: OnConflict = OnConflict.NEW_VERSION
    entries: list[msgspec.Raw] = []


class MoreEntries(msgspec.Struct, kw_only=True):
    """More entries, not looked at yet."""

    entries: list[msgspec.Raw]


class Previewed(msgspec.Struct, kw_only=True):
    """Entries to be looked at only, not looked at yet."""

    on_conflict: OnConflict = OnConflict.NEW_VERSION
    entries: list[msgspec.Raw]


class _Keyed(msgspec.Struct):
    key: str


E = TypeVar("E", Envelope, MoreEntries, Previewed)


class _Invalid(ValueError):
    """An entry is not what the API describes."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")


_entry = msgspec.json.Decoder(wire.Entry)
_keyed = msgspec.json.Decoder(_Keyed)


def opened(body: bytes, shape: type[E]) -> E:
    """Return the envelope of a declaration; raise `InvalidRequest` when there is none to be had.

    Half a surrogate pair, as some clients write it for names that are no Unicode, is an entry's
    fault and not the envelope's: then the slower parser of the standard library takes over.
    """
    try:
        return decoded(body, msgspec.json.Decoder(shape))
    except InvalidRequest as error:
        if error.faults:
            raise
        try:
            document = _leniently(body)
        except (ValueError, RecursionError):
            raise error from None
    if isinstance(document, dict) and isinstance(document.get("entries"), list):
        document["entries"] = [_raw(entry) for entry in document["entries"]]
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        text, pointer = located(error)
        fault = (pointer, text)
        raise InvalidRequest("The body is not what this route takes.", (fault,)) from None


def read(raws: list[msgspec.Raw]) -> list[Entry | Refused]:
    """Return every entry as the domain knows it, or as refused with what is wrong with it.

    Raises `TooManyEntries` before looking at any.
    """
    if len(raws) > ENTRIES_PER_REQUEST:
        raise TooManyEntries(
            f"The body has {len(raws):,} entries; a request takes {ENTRIES_PER_REQUEST:,}."
        )
    return [_read(raw, index) for index, raw in enumerate(raws)]


def named(path: str, *, content_type: str | None, modified_at: datetime | None) -> Entry | Refused:
    """Return the entry of a file of which only this is known yet; its key stands for one."""
    given = wire.Entry(
        key="file", path=path, size=0, content_type=content_type, modified_at=modified_at
    )
    try:
        return _checked(given)
    except _Invalid as error:
        return Refused(key="file", reason=Reason.INVALID_ENTRY, detail=str(error))


def printable(text: str) -> str:
    """Return *text* with a mark for what can't be shown, within the bytes of a path."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:MOST_BYTES])
    return shown.encode()[:MOST_BYTES].decode(errors="ignore") or "\ufffd"


def _read(raw: msgspec.Raw, index: int) -> Entry | Refused:
    try:
        return _checked(_decoded(raw))
    except _Invalid as error:
        wrong = str(error)
    except msgspec.ValidationError as error:
        text, pointer = located(error)
        wrong = f"{pointer}: {text}"
    except (ValueError, RecursionError) as error:
        wrong = f": {error}"
    return Refused(key=_key_of(raw), reason=Reason.INVALID_ENTRY, detail=f"/entries/{index}{wrong}")


def _decoded(raw: msgspec.Raw) -> wire.Entry:
    try:
        return _entry.decode(raw)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return msgspec.convert(_leniently(bytes(raw)), wire.Entry)


def _checked(given: wire.Entry) -> Entry | Refused:
    """Return the entry, or the refusal of its name; raise `_Invalid` for anything else."""
    if UNSOUND.search(given.key):
        raise _Invalid("/key", "It has a control character or half of one")
    if not 0 < len(given.key.encode()) <= MOST_KEY_BYTES:
        raise _Invalid("/key", f"Expected 1 to {MOST_KEY_BYTES:,} bytes of UTF-8")
    if not 0 <= given.size <= _LARGEST_SIZE:
        raise _Invalid("/size", f"Expected a number of bytes, 0 to {_LARGEST_SIZE:,}")
    try:
        name = normalised(given.path)
    except RefusedName as refused:
        path = printable(given.path)
        return Refused(
            key=given.key,
            reason=Reason(refused.reason),
            detail=refused.detail,
            entry=_entry_of(given, path, folded(path)),
        )
    return _entry_of(given, name.path, name.folded)


def _entry_of(given: wire.Entry, path: str, folded_path: str) -> Entry:
    return Entry(
        key=given.key,
        path=path,
        folded=folded_path,
        size=given.size,
        sha256=None if given.sha256 is None else _sha256(given.sha256),
        content_type=None if given.content_type is None else _content_type(given.content_type),
        modified_at=None if given.modified_at is None else _moment(given.modified_at, "modified"),
        captured_at=None if given.captured_at is None else _moment(given.captured_at, "captured"),
        position=None if given.position is None else _position(given.position),
    )


def _sha256(text: str) -> bytes:
    try:
        return sha256_from_hex(text)
    except BadChecksum as error:
        raise _Invalid("/sha256", str(error)) from None


def _content_type(text: str) -> str | None:
    if len(text) > _LONGEST_CONTENT_TYPE or UNSOUND.search(text):
        raise _Invalid("/content_type", f"Expected {_LONGEST_CONTENT_TYPE} characters at most")
    return text or None  # browsers say "" for what they don't know


def _moment(moment: datetime, which: str) -> datetime:
    if moment.tzinfo is None:
        raise _Invalid(f"/{which}_at", "Expected an offset from UTC, such as `Z`")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise _Invalid(f"/{which}_at", f"Expected a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment.astimezone(UTC)


def _position(position: wire.Position) -> tuple[float, float]:
    if not (abs(position.latitude) <= _LATITUDE and abs(position.longitude) <= _LONGITUDE):
        raise _Invalid("/position", "Expected degrees: latitude ±90, longitude ±180")
    return position.latitude, position.longitude


def _key_of(raw: msgspec.Raw) -> str:
    """Return an entry's key, as printable as it gets, or nothing when it has none."""
    try:
        return printable(_keyed.decode(raw).key)
    except (ValueError, RecursionError):
        return ""


def _leniently(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(body.decode(), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _raw(entry: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(entry).encode())

r"""The heads of a form's parts: what a field is called, and a file, by every client's habits.

RFC 7578 has names in UTF-8; the HTML standard (4.10.21.8) writes `"` as `%22` and line breaks as
`%0D` and `%0A`, and leaves every other `%` as it is; older clients write `\"` and `\\`, or the
`filename*` of RFC 5987, perhaps in the pieces of RFC 2231. All of these are read. Bytes that are no
UTF-8 are read as what the form says of itself in `_charset_` (RFC 7578, 4.6), or not at all: a
guess would name a file what nobody called it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from laydown.domain.errors import InvalidRequest

DISPOSITION = b"content-disposition"

# What a page may have been written in: the encoding standard (4.2) takes all of the first few
# names to mean windows-1252.
CHARSETS: Mapping[str, str] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "windows-1252",
    "ascii": "windows-1252",
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
    "windows-1252": "windows-1252",
}
_EXTENDED: Mapping[str, str] = {"utf-8": "utf-8", "iso-8859-1": "iso-8859-1"}  # RFC 5987, 3.2.1

_NAME = re.compile(rb"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*")
_PIECE = re.compile(r"(filename)\*(\d{1,3})(\*?)")
_ESCAPES = re.compile(rb"%(22|0[AaDd])")
_TRANSPARENT = frozenset({b"", b"7bit", b"8bit", b"binary"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHead:
    """What the head of a part says."""

    name: str  # of the field
    filename: str | None  # None: no file; a mark stands for each byte that can't be read
    is_legible: bool = True  # whether the file's name can be read
    content_type: str | None = None


def head_of(headers: Sequence[tuple[bytes, bytes]], *, charset: str | None) -> PartHead:
    """Return what the headers of a part say; names are in lower case.

    *charset* is what names are in that are no UTF-8, one of `CHARSETS`'s values. Raises
    `InvalidRequest` for headers of which a parser could make more than one thing.
    """
    known = dict(headers)
    if len(known) != len(headers):
        raise InvalidRequest("A part of the form has one of its headers twice.")
    if DISPOSITION not in known:
        raise InvalidRequest("A part of the form has no Content-Disposition.")
    if known.get(b"content-transfer-encoding", b"").strip().lower() not in _TRANSPARENT:
        raise InvalidRequest("A part of the form has a Content-Transfer-Encoding; send its bytes.")
    parameters = _parameters(known[DISPOSITION])
    name, _ = _text(_unescaped(parameters.get("name", b"")), charset)
    filename, is_legible = _filename(parameters, charset)
    content_type = known.get(b"content-type")
    return PartHead(
        name=name,
        filename=filename,
        is_legible=is_legible,
        content_type=None if content_type is None else content_type.decode("latin-1").strip(),
    )


def _filename(parameters: Mapping[str, bytes], charset: str | None) -> tuple[str | None, bool]:
    """Return a file's name, and whether it can be read; a `filename*` is what counts."""
    pieces = sorted(_pieces(parameters))
    if "filename*" in parameters:
        encoded = parameters["filename*"]
    elif pieces:
        if [number for number, _, _ in pieces] != [*range(len(pieces))]:
            raise InvalidRequest("A part of the form has a file name that lacks a piece.")
        if not pieces[0][1]:
            return _text(b"".join(value for _, _, value in pieces), charset)
        encoded = b"".join(
            value if is_encoded else value.replace(b"%", b"%25") for _, is_encoded, value in pieces
        )
    elif "filename" in parameters:
        return _text(_unescaped(parameters["filename"]), charset)
    else:
        return None, True
    declared, _, rest = encoded.partition(b"'")
    _, quote, value = rest.partition(b"'")
    codec = _EXTENDED.get(declared.decode("latin-1").lower())
    raw = unquote_to_bytes(value if quote else encoded)
    if codec is None or not quote:
        return raw.decode(errors="replace"), False
    return _decoded(raw, codec)


def _pieces(parameters: Mapping[str, bytes]) -> Iterator[tuple[int, bool, bytes]]:
    """Yield the pieces of a name that is cut: number, whether it is encoded, value."""
    for name, value in parameters.items():
        if match := _PIECE.fullmatch(name):
            yield int(match[2]), bool(match[3]), value


def _text(raw: bytes, charset: str | None) -> tuple[str, bool]:
    """Return a name, and whether it can be read."""
    if charset is not None:
        return _decoded(raw, charset)
    return _decoded(raw, "utf-8")


def _decoded(raw: bytes, codec: str) -> tuple[str, bool]:
    try:
        return raw.decode(codec), True
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), False


def _unescaped(raw: bytes) -> bytes:
    return _ESCAPES.sub(lambda match: bytes.fromhex(match[1].decode()), raw)


def _parameters(value: bytes) -> Mapping[str, bytes]:
    """Return the parameters of a `Content-Disposition: form-data`, by their names in lower case."""
    kind, _, rest = value.partition(b";")
    if kind.strip().lower() != b"form-data":
        raise InvalidRequest("A part of the form has a Content-Disposition that isn't form-data.")
    found: dict[str, bytes] = {}
    at = 0
    while rest[at:].strip():
        match = _NAME.match(rest, at)
        if match is None:
            raise InvalidRequest("A part of the form has a Content-Disposition nobody can read.")
        name = match[1].decode().lower()
        if name in found:
            raise InvalidRequest(f"A part of the form has its {name} twice.")
        found[name], at = _value(rest, match.end())
    return found


def _value(text: bytes, at: int) -> tuple[bytes, int]:
    """Return the value that begins there, and where the next parameter does."""
    if text[at : at + 1] != b'"':
        end = text.find(b";", at)
        end = len(text) if end < 0 else end
        return text[at:end].strip(), end + 1
    end = at + 1
    while True:
        end = text.find(b'"', end)
        if end < 0:
            raise InvalidRequest("A part of the form has a name without its closing quote.")
        if not _is_escaped(text, end, at + 1) or not text[end + 1 :].strip():
            break
        end += 1
    raw = text[at + 1 : end].replace(b"\\\\", b"\0").replace(b'\\"', b'"').replace(b"\0", b"\\")
    after = text[end + 1 :].lstrip()
    if after and not after.startswith(b";"):
        raise InvalidRequest("A part of the form has a Content-Disposition nobody can read.")
    return raw, len(text) - len(after) + 1


def _is_escaped(text: bytes, at: int, start: int) -> bool:
    """Say whether an odd number of backslashes stands before a character."""
    before = text[start:at]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1

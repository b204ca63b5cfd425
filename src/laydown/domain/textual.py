"""Formats made of lines of text: told apart by how the text begins.

Every step is linear in the bytes given: prologues are skipped by looking for their ends, never by
expressions that could try again.
"""

import re
from collections.abc import Callable

from laydown.domain.kinds import KINDS, Kind

_BYTE_ORDER_MARKS = (  # Unicode 23.8, longest first: UTF-32LE begins like UTF-16LE
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

# Text has no control bytes but BS, HT, LF, VT, FF, CR, ESC, and SUB (the end mark of DOS files).
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x19\x1c-\x1f\x7f]")

_SAMPLE = 4_096  # bytes that decide on UTF-16 without a mark
_MOSTLY = 0.7  # of the high bytes of text in a European language are zero in UTF-16

_SCHEMA = re.compile(r"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'", re.IGNORECASE)
_IFC_ENTITY = re.compile(r"=\s*IFC[A-Z]+\s*\(", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_DOCTYPE = re.compile(r"<!DOCTYPE\s+([\w:.-]+)[^>\[]*(\[?)", re.IGNORECASE)
_TAG = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_HTML_TAGS = frozenset(  # WHATWG MIME Sniffing 7.1
    "html head script iframe h1 div font table a style title b body br p".split()  # noqa: SIM905 - a list of words reads better
)
_JSON = re.compile(r'[\[{]\s*(?:["{}\[\]]|-?\d|true\b|false\b|null\b)')
_DXF = re.compile(r"\s*(?:999[^\n]*\n[^\n]*\n\s*)*0\s*\n\s*SECTION\b")
_VERTEX = re.compile(r"^v\s+-?[\d.]", re.MULTILINE)
_OBJ_START = re.compile(r"(?:mtllib|usemtl|o|g|v|vn|vt)\s")
_SCRIPT = re.compile(r"#!\s*/")
_HEADER_LINE = re.compile(
    r"(?:Received|Return-Path|Delivered-To|From|To|Subject|Date|Message-ID|MIME-Version|Sender"
    r"|DKIM-Signature|Authentication-Results|Content-Type|(?:X|ARC)-[\w-]+):\s",
    re.IGNORECASE,
)
_ORIGIN = re.compile(r"^(?:From|Sender):\s", re.IGNORECASE | re.MULTILINE)
_MESSAGE = re.compile(r"^(?:Date|Subject|Message-ID|MIME-Version):\s", re.IGNORECASE | re.MULTILINE)


def by_text(head: bytes) -> Kind | None:
    """Return what kind of text *head* begins, or None when it is not text."""
    text = decoded(head)
    claims = _CLAIMS
    if text is None:  # photos, archives and the like: most bytes that ever arrive
        text, claims = head.decode("latin-1"), _STURDY
        if not text.lstrip().startswith(_STURDY_STARTS):
            return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    opening = text.lstrip()
    kind = next((kind for kind, is_so in claims if is_so(text, opening)), None)
    if kind is None and claims is _CLAIMS:
        kind = "text"
    return KINDS[kind] if kind else None


def decoded(head: bytes) -> str | None:
    """Return *head* as text, without its byte order mark, or None when it can't be text.

    UTF-8, UTF-16, UTF-32, and anything with one byte a letter or a multi-byte East Asian encoding,
    which come out as Latin-1: enough to recognise what is written in ASCII.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return _without_controls(head[len(mark) :].decode(encoding, "ignore"))
    if b"\0" in head:
        encoding = _unmarked_utf16(head[:_SAMPLE])
        return _without_controls(head.decode(encoding, "ignore")) if encoding else None
    try:
        return _without_controls(head[: len(head) - _cut_letter(head)].decode())
    except UnicodeDecodeError:
        return _without_controls(head.decode("latin-1"))


def _without_controls(text: str) -> str | None:
    return None if _CONTROL.search(text) else text


def _cut_letter(head: bytes) -> int:
    """Return how many bytes at the end begin a UTF-8 letter that goes on past *head*."""
    for back in (1, 2, 3):
        if len(head) >= back and head[-back] >= 0xC0:  # noqa: PLR2004 - a lead byte, RFC 3629 3
            length = 2 + (head[-back] >= 0xE0) + (head[-back] >= 0xF0)  # noqa: PLR2004 - same
            return back if length > back else 0
    return 0


def _unmarked_utf16(sample: bytes) -> str:
    """Return the UTF-16 that *sample* seems to be in, or an empty string."""
    pairs = len(sample) // 2
    even, odd = sample[: 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if not even and odd > _MOSTLY * pairs:
        return "utf-16-le"
    if not odd and even > _MOSTLY * pairs:
        return "utf-16-be"
    return ""


def _is_script(text: str, _: str) -> bool:
    return _SCRIPT.match(text) is not None


def _past(text: str, at: int, end: str) -> int:
    """Return where *text* goes on after *end* and white space, or its length when it doesn't."""
    found = text.find(end, at)
    return len(text) if found < 0 else _SPACE.match(text, found + len(end)).end()  # type: ignore[union-attr] # matches anything


def _is_part21(_: str, opening: str) -> bool:
    at = 0
    while opening.startswith("/*", at):
        at = _past(opening, at, "*/")
    return opening.startswith("ISO-10303-21", at)


def _is_ifc(text: str, opening: str) -> bool:
    """Say whether it is a STEP file by an IFC schema; when none is in sight, by its entities."""
    if not _is_part21(text, opening):
        return False
    schema = _SCHEMA.search(text)
    if schema:
        return schema[1].strip().upper().startswith("IFC")
    return _IFC_ENTITY.search(text) is not None


def _root(opening: str) -> str | None:
    """Return the local name of the first element, "" when it is out of sight, None without one."""
    at = 0
    while at < len(opening):
        if opening.startswith("<!--", at):
            end = "-->"
        elif opening.startswith("<?", at):
            end = "?>"
        elif doctype := _DOCTYPE.match(opening, at):
            if doctype[1].lower() == "html":
                return "html"
            end = "]>" if doctype[2] else ">"
        else:
            tag = _TAG.match(opening, at)
            return tag[1] if tag else None
        at = _past(opening, at, end)
    return ""


def _is_html(_: str, opening: str) -> bool:
    root = _root(opening)
    if root is None:
        return False
    if opening.startswith("<?xml"):
        return root.lower() == "html"
    return root.lower() in _HTML_TAGS


def _is_svg(_: str, opening: str) -> bool:
    return _root(opening) == "svg"


def _is_ifcxml(_: str, opening: str) -> bool:
    # IFC4 ifcXML; IFC2x3 in the configured form of ISO 10303-28, and in the first edition.
    return _root(opening) in {"ifcXML", "iso_10303_28", "uos"}


def _is_xml(_: str, opening: str) -> bool:
    root = _root(opening)
    return bool(root) or (root == "" and opening.startswith("<?xml"))


def _is_gltf(text: str, opening: str) -> bool:
    return _is_json(text, opening) and '"asset"' in text and '"scene' in text  # glTF 2.0 §5.17


def _is_json(_: str, opening: str) -> bool:
    return _JSON.match(opening) is not None


def _is_dxf(text: str, _: str) -> bool:
    return _DXF.match(text) is not None


def _is_stl(text: str, opening: str) -> bool:
    return opening.startswith("solid") and "facet" in text and "vertex" in text


def _is_xer(_: str, opening: str) -> bool:
    return opening.startswith("ERMHDR\t")  # Primavera P6 import/export guide


def _is_eml(text: str, opening: str) -> bool:
    """Say whether it begins with a header (RFC 5322 2.2) that names a sender and a message."""
    if not _HEADER_LINE.match(opening):
        return False
    header = text.lstrip().partition("\n\n")[0]
    return bool(_ORIGIN.search(header)) and bool(_MESSAGE.search(header))


def _is_obj(text: str, opening: str) -> bool:
    at = 0
    while opening.startswith("#", at):
        at = _past(opening, at, "\n")
    return _OBJ_START.match(opening, at) is not None and _VERTEX.search(text) is not None


_CLAIMS: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("script", _is_script),
    ("ifc", _is_ifc),
    ("step", _is_part21),
    ("html", _is_html),
    ("svg", _is_svg),
    ("ifcxml", _is_ifcxml),
    ("xml", _is_xml),
    ("gltf", _is_gltf),
    ("json", _is_json),
    ("dxf", _is_dxf),
    ("stl", _is_stl),
    ("xer", _is_xer),
    ("eml", _is_eml),
    ("obj", _is_obj),
)
"""In this order; each is asked with the whole text, and with it from its first letter on."""

_STURDY = tuple(claim for claim in _CLAIMS if claim[0] in {"ifc", "step", "dxf"})
"""Recognised in spite of a stray control byte, as careless exporters put into descriptions."""

_STURDY_STARTS = ("ISO-10303-21", "/*", "0", "999")
"""One of these begins whatever `_STURDY` recognises; nothing else is worth looking at closely."""

"""What a file is, by its bytes alone: the name it came under is not asked."""

import re
import struct
from collections.abc import Callable

from laydown.domain.containers import by_media, by_ole, by_zip
from laydown.domain.kinds import KINDS, Kind
from laydown.domain.signatures import by_signature
from laydown.domain.textual import by_text

HEAD_BYTES = 64 * 1024
"""The first bytes `sniff` wants: a STEP header with all its comments, a ZIP's first entries."""

TAIL_BYTES = 66 * 1024
"""The last bytes `sniff` wants: a ZIP's end record lies in the last 65,557 (APPNOTE 4.3.16)."""

_PDF = re.compile(rb"(?:\A|[^ -~])%PDF-\d")
_PDF_WITHIN = 1_024  # ISO 32000-1 annex H, note 13: readers accept it after a printer's header

# Open Design Specification for .dwg 3; releases before 13 have a dot or no zeros after them.
_DWG = re.compile(rb"AC10\d\d\0|AC1\.\d|AC2\.\d\d|MC0\.0")

_BMP_HEADERS = frozenset([12, 16, 40, 52, 56, 64, 108, 124])  # BITMAPCOREHEADER to V5
_DBASE = frozenset([0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0xCB, 0xF5])


def sniff(head: bytes, *, tail: bytes = b"", size: int) -> Kind:
    """Return what kind of file begins with *head*, ends with *tail* and has *size* bytes.

    *head* is the first `HEAD_BYTES` or the whole file, *tail* the last `TAIL_BYTES`; a tail may
    be left out when *head* is the whole file. Always returns a kind: `empty` for no bytes,
    `binary` for what it doesn't know.
    """
    if size == 0 or not head:
        return KINDS["empty"]
    if not tail and size <= len(head):
        tail = head
    kind = _by_program(head) or by_zip(head, tail) or by_ole(head, tail, size)
    kind = kind or by_signature(head) or by_media(head) or _by_drawing(head)
    kind = kind or by_text(head) or _by_structure(head, size)
    return kind or KINDS["binary"]


def _by_program(head: bytes) -> Kind | None:
    """Return a Windows program, by [PE Format]: text that begins with “MZ” has no zero bytes."""
    is_program = head.startswith(b"MZ") and b"\0" in head[:64]
    return KINDS["windows-program"] if is_program else None


def _by_drawing(head: bytes) -> Kind | None:
    """Return a PDF, DWG or point cloud, whose signatures have a variable part or place."""
    if head.find(b"%PDF-", 0, _PDF_WITHIN) >= 0 and _PDF.search(head, 0, _PDF_WITHIN):
        return KINDS["pdf"]
    if _DWG.match(head):
        return KINDS["dwg"]
    if head.startswith(b"LASF") and b"\0" in head[:105]:  # ASPRS LAS 1.4: file signature
        # LASzip sets the high bit of the point format.
        return KINDS["laz" if head[104:105] >= b"\x80" else "las"]
    return None


def _by_structure(head: bytes, size: int) -> Kind | None:
    """Return a kind without a real signature, when the numbers in its header fit together.

    Asked last: the first bytes of these can also be a word.
    """
    return next((KINDS[kind] for kind, fits in _STRUCTURES if fits(head, size)), None)


def _is_bmp(head: bytes, size: int) -> bool:
    """Say whether it is a Windows bitmap: reserved bytes zero, a known header, pixels within."""
    if not head.startswith(b"BM") or len(head) < 18:  # noqa: PLR2004 - where the header's size ends
        return False
    reserved, pixels, header = struct.unpack_from("<III", head, 6)
    return reserved == 0 and header in _BMP_HEADERS and pixels <= size


def _is_flash(head: bytes, _: int) -> bool:
    return head[:3] in (b"FWS", b"CWS", b"ZWS") and 1 <= head[3] <= 60  # noqa: PLR2004 - SWF 19: the version


def _is_shapefile(head: bytes, _: int) -> bool:
    """Say whether it has the file code and version of the ESRI Shapefile Technical Description."""
    return head.startswith(b"\x00\x00\x27\x0a") and head[28:32] == b"\xe8\x03\x00\x00"


def _is_dbf(head: bytes, size: int) -> bool:
    """Say whether a dBase header's date and lengths are possible (dBASE table file format)."""
    if len(head) < 33 or head[0] not in _DBASE:  # noqa: PLR2004 - the shortest header
        return False
    month, day = head[2:4]
    records, header, record = struct.unpack_from("<IHH", head, 4)
    return (
        1 <= month <= 12  # noqa: PLR2004 - months
        and 1 <= day <= 31  # noqa: PLR2004 - days
        and 33 <= header <= size  # noqa: PLR2004 - the shortest header
        and record > 0
        and 0 <= size - header - records * record <= max(record, 512)
    )


def _is_binary_stl(head: bytes, size: int) -> bool:
    """Say whether the count of triangles, 50 bytes each after 84, accounts for the size."""
    if len(head) < 84:  # noqa: PLR2004 - header and count
        return False
    (triangles,) = struct.unpack_from("<I", head, 80)
    return triangles > 0 and size == 84 + 50 * int(triangles)


def _is_mpegts(head: bytes, _: int) -> bool:
    """Say whether a sync byte opens every packet (ISO 13818-1 2.4.3), with time codes or not."""
    plain = head[0:941:188]
    timed = head[4:965:192]
    return any(len(sync) >= 3 and set(sync) == {0x47} for sync in (plain, timed))  # noqa: PLR2004 - enough not to be chance


_STRUCTURES: tuple[tuple[str, Callable[[bytes, int], bool]], ...] = (
    ("bmp", _is_bmp),
    ("flash", _is_flash),
    ("shapefile", _is_shapefile),
    ("stl", _is_binary_stl),
    ("mpegts", _is_mpegts),
    ("dbf", _is_dbf),
)

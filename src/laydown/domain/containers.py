"""Containers that hold many formats: told apart by the names of what is inside.

Nothing is unpacked here: names and identifiers are read from the first and last bytes of a file,
every length is checked, and work is bounded by the bytes given.
"""

import struct
from collections.abc import Iterator, Sequence

from laydown.domain.kinds import KINDS, Kind

# --- ZIP: PKWARE APPNOTE 6.3.10 ---------------------------------------------------------------

_LOCAL = b"PK\x03\x04"  # 4.3.7
_LOCAL_SIZE = 30
_CENTRAL = b"PK\x01\x02"  # 4.3.12
_CENTRAL_SIZE = 46
_END = b"PK\x05\x06"  # 4.3.16; alone: an empty archive
_END_SIZE = 22
_END_64 = b"PK\x06\x06"  # 4.3.14
_END_64_SIZE = 56
_SEE_ZIP64 = 0xFFFF_FFFF  # 4.4.1.4: the real number is in the ZIP64 record
_SPANNED = b"PK\x07\x08PK\x03\x04"  # 8.5.4: a split archive that came out in one piece

# OpenDocument 1.2 part 3, 3.3 and EPUB OCF 3.3, 4.3: the first entry, stored, is the media type.
_MIMETYPES = (
    (b"application/vnd.oasis.opendocument.text", "odt"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"application/vnd.oasis.opendocument.presentation", "odp"),
    (b"application/vnd.oasis.opendocument.graphics", "odg"),
    (b"application/vnd.oasis.opendocument.", "odf"),
    (b"application/epub+zip", "epub"),
)

# Open Packaging Conventions (ECMA-376 part 2): the folder of the main part tells which it is.
_OPC_FOLDERS = (
    ("word/", "docx"),
    ("xl/", "xlsx"),
    ("ppt/", "pptx"),
    ("visio/", "vsdx"),
    ("dwf/", "dwfx"),
    ("3D/", "3mf"),
    ("Documents/", "xps"),
)


def by_zip(head: bytes, tail: bytes) -> Kind | None:
    """Return what kind of ZIP archive the bytes are, or None when they are no ZIP archive."""
    if not head.startswith((_LOCAL, _END, _SPANNED)):
        return None
    names, is_whole = _central_names(tail)
    if not is_whole:
        names = [*_local_names(head), *names]
    return KINDS[_zip_by_mimetype(head) or _zip_by_names(names)]


def _zip_by_mimetype(head: bytes) -> str | None:
    if not head.startswith(b"mimetype", _LOCAL_SIZE):
        return None
    name_length, extra_length = struct.unpack_from("<HH", head, 26)
    content = head[_LOCAL_SIZE + name_length + extra_length :][:80]
    return next((kind for media, kind in _MIMETYPES if content.startswith(media)), None)


def _zip_by_names(names: Sequence[str]) -> str:
    """Return the first kind whose agreed names are all there."""
    files = [name.lower() for name in names if not name.endswith("/")]
    if "[content_types].xml" in files:
        return next((kind for folder, kind in _OPC_FOLDERS if _holds(names, folder)), "opc")
    claims = {
        "android-app": "androidmanifest.xml" in files,
        "java": "meta-inf/manifest.mf" in files and _any_ends(files, ".class"),  # JAR specification
        "odf": "meta-inf/manifest.xml" in files and "content.xml" in files,
        # buildingSMART BCF-XML 2.1, "File structure"
        "bcf": "bcf.version" in files or _any_ends(files, "/markup.bcf"),
        # buildingSMART, IFC formats: one model, zipped
        "ifczip": bool(files) and all(file.endswith((".ifc", ".ifcxml")) for file in files),
        "kmz": "doc.kml" in files,  # KML reference, "KMZ files"
    }
    return next((kind for kind, holds in claims.items() if holds), "zip")


def _any_ends(files: Sequence[str], ending: str) -> bool:
    return any(file.endswith(ending) for file in files)


def _holds(names: Sequence[str], folder: str) -> bool:
    return any(name.startswith(folder) for name in names)


def _local_names(head: bytes) -> Iterator[str]:
    """Yield the names in the local headers that *head* reaches.

    An entry written to a stream has no size in its header (4.4.4, bit 3), so the next header is
    looked for; a ZIP stored inside this one can be mistaken for entries of it, which is why the
    central directory is asked first.
    """
    position = head.find(_LOCAL)
    while 0 <= position <= len(head) - _LOCAL_SIZE:
        packed, name_length, extra_length = struct.unpack_from("<I4xHH", head, position + 18)
        start = position + _LOCAL_SIZE
        yield head[start : start + name_length].decode("utf-8", "replace")
        after = start + name_length + extra_length
        position = head.find(_LOCAL, after + (0 if packed == _SEE_ZIP64 else packed))


def _central_names(tail: bytes) -> tuple[list[str], bool]:
    """Return the names in the central directory, which is near a file's end, and if that is all."""
    end = tail.rfind(_END)
    if end < 0 or end + _END_SIZE > len(tail):
        return [], False
    (size,) = struct.unpack_from("<I", tail, end + 12)
    end_64 = tail.rfind(_END_64, 0, end)
    if size == _SEE_ZIP64 and 0 <= end_64 <= end - _END_64_SIZE:
        (size,) = struct.unpack_from("<Q", tail, end_64 + 40)
        end = end_64
    # A directory that starts before the tail is entered at the first header that is there.
    position = end - size if size <= end else tail.find(_CENTRAL)
    names = []
    while 0 <= position <= end - _CENTRAL_SIZE and tail.startswith(_CENTRAL, position):
        lengths = struct.unpack_from("<HHH", tail, position + 28)
        start = position + _CENTRAL_SIZE
        names.append(tail[start : start + lengths[0]].decode("utf-8", "replace"))
        position = start + sum(lengths)
    return names, size <= end and bool(names)


# --- OLE compound files: [MS-CFB] -------------------------------------------------------------

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # 2.2
_ENTRY_SIZE = 128  # 2.6.1
_ROOT = 5

# Root storage class ids, as programs write them: {000C1084-…} Windows Installer ([MS-CFB] has it
# little-endian), then Word, Excel (5 and 8), PowerPoint, Outlook, Visio.
_CLASSES = {
    "84100c0000000000c000000000000046": "windows-installer",
    "86100c0000000000c000000000000046": "windows-installer",  # a patch, .msp
    "82100c0000000000c000000000000046": "windows-installer",  # a transform, .mst
    "0609020000000000c000000000000046": "doc",
    "0009020000000000c000000000000046": "doc",
    "1008020000000000c000000000000046": "xls",
    "2008020000000000c000000000000046": "xls",
    "108d81649b4fcf1186ea00aa00b929e8": "ppt",
    "0b0d020000000000c000000000000046": "msg",
    "141a020000000000c000000000000046": "vsd",
}

# Streams that only one program writes. Those of the first group decide alone; the others also
# occur inside one another (a workbook embedded in a document), and then nothing is claimed.
_TELLING = (
    ("EncryptedPackage", "encrypted-office"),  # [MS-OFFCRYPTO] 2.3.4.4
    ("BasicFileInfo", "rvt"),  # Revit: version and worksharing facts
    ("__properties_version1.0", "msg"),  # [MS-OXMSG] 2.4
    ("Dgn~H", "dgn"),  # MicroStation 8
    ("Dgn~S", "dgn"),
    ("   19", "mpp"),  # Project 2000 to 2003, then 2007, then 2010: the folder with the tasks
    ("   112", "mpp"),
    ("   114", "mpp"),
)
_USUAL = (
    ("WordDocument", "doc"),  # [MS-DOC] 2.1.1
    ("Workbook", "xls"),  # [MS-XLS] 2.1.2
    ("Book", "xls"),  # Excel 5
    ("PowerPoint Document", "ppt"),  # [MS-PPT] 2.1.2
    ("VisioDocument", "vsd"),
    ("Quill", "pub"),
)


def by_ole(head: bytes, tail: bytes, size: int) -> Kind | None:
    """Return what kind of OLE compound file the bytes are, or None when they are none.

    The directory can lie anywhere; entries are found wherever *head* and *tail* show some. A file
    whose directory is out of sight is just `ole`.
    """
    if not head.startswith(_OLE):
        return None
    start = max(0, size - len(tail))
    entries = dict(_ole_entries(head, 512))
    entries.update(_ole_entries(tail, -start % _ENTRY_SIZE))
    for name, kind in _TELLING:
        if name in entries:
            return KINDS[kind]
    root = entries.get("Root Entry", b"").hex()
    if root in _CLASSES:
        return KINDS[_CLASSES[root]]
    found = {kind for name, kind in _USUAL if name in entries}
    return KINDS[found.pop() if len(found) == 1 else "ole"]


def _ole_entries(content: bytes, first: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and class id of everything in *content* that is formed like a directory entry."""
    for position in range(first, len(content) - _ENTRY_SIZE + 1, _ENTRY_SIZE):
        name_bytes, what, colour = struct.unpack_from("<HBB", content, position + 64)
        if what not in (1, 2, _ROOT) or colour > 1 or not 4 <= name_bytes <= 64 or name_bytes % 2:  # noqa: PLR2004 - [MS-CFB] 2.6.1: UTF-16, up to 32 with its end
            continue
        name = content[position : position + name_bytes]
        if name.endswith(b"\0\0"):
            yield name[:-2].decode("utf-16-le", "replace"), content[position + 80 : position + 96]


# --- ISO base media files (ISO 14496-12), RIFF, EBML ------------------------------------------

_HEIF_BRANDS = frozenset(
    ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"]
)
_AVIF_BRANDS = frozenset(("avif", "avis"))
_OTHER_BRANDS = {"qt  ": "quicktime", "crx ": "cr3", "M4A ": "m4a", "M4B ": "m4a", "jp2 ": "jp2"}
# QuickTime File Format: files older than `ftyp` open with one of these atoms.
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")

_RIFF_KINDS = {b"WEBP": "webp", b"AVI ": "avi", b"WAVE": "wav"}


def by_media(head: bytes) -> Kind | None:
    """Return which picture, film or sound a box- or chunk-based file holds, or None."""
    if head[4:8] == b"ftyp":
        return KINDS[_by_brand(head)]
    if head[4:8] in _OLD_QUICKTIME and head[:2] in (b"\0\0", b"\0\x01"):
        return KINDS["quicktime"]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] in _RIFF_KINDS:
        return KINDS[_RIFF_KINDS[head[8:12]]]
    if head.startswith(b"\x1aE\xdf\xa3"):  # RFC 8794 11.2.1
        return KINDS["matroska"]
    return None


def _by_brand(head: bytes) -> str:
    """Return the kind that the major brand names, or for a general one, a compatible brand."""
    length = min(int.from_bytes(head[:4], "big"), len(head), 256)
    major = head[8:12].decode("latin-1")
    compatible = {head[at : at + 4].decode("latin-1") for at in range(16, length - 3, 4)}
    if major in _AVIF_BRANDS or (major in {"mif1", "msf1"} and compatible & _AVIF_BRANDS):
        return "avif"
    if major in _HEIF_BRANDS:
        return "heif"
    return _OTHER_BRANDS.get(major, "mp4")

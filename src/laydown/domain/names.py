"""Paths as users give them: normalise, refuse, compare, and give back safely.

The name a user chose is kept for display; objects are stored under keys of our own. So a name
needs to be honest (it shows what it is), unambiguous (one spelling for one document) and
harmless to whoever downloads it, on any system. Nothing is repaired in silence: a path is
accepted as it is, apart from Unicode NFC, or refused with a sentence that says what to change.
"""

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

MOST_BYTES = 1_024
"""Bytes of a path in UTF-8. The longest in a real delivery of 334 files had 135."""

MOST_SEGMENT_BYTES = 255
"""Bytes of one folder's or file's name in UTF-8: NAME_MAX of Linux; NTFS and APFS take no more."""

MOST_SEGMENTS = 64
"""Folders above a file, and the file; a bound, so that nothing recurses without end."""

ILLEGAL_NAME = "illegal_name"
PATH_TOO_LONG = "path_too_long"

# Everything with the property Bidi_Control (Unicode PropList.txt; UAX #9): it reorders the
# characters around it, so that `photo<RLO>gpj.exe` shows as `photoexe.jpg`.
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"

# Takes no room on the screen, so two names that look the same differ: Default_Ignorable_Code_Point
# (Unicode DerivedCoreProperties.txt) and the interlinear marks U+FFF9-FFFB. Kept are those that
# spelling needs: ZWNJ and ZWJ (U+200C, U+200D: Persian, Indic scripts, emoji), variation selectors
# (U+FE00-FE0F, U+E0100-E01EF) and the Mongolian ones (U+180B-180F).
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff"
)

# Controls (Cc) and the two line breaks outside Cc (Zl, Zp): they break logs, tables and headers.
_CONTROL = "\x00-\x1f\x7f-\x9f\u2028\u2029"

# Never characters (Unicode 23.7): the last two of each plane and U+FDD0-FDEF.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)

_SURROGATES = "\ud800-\udfff"

_UNWANTED = re.compile(f"[{_BIDI}{_INVISIBLE}{_CONTROL}{_NONCHARACTERS}{_SURROGATES}]")
_WHY_UNWANTED = (
    (re.compile(f"[{_SURROGATES}]"), "half a character (its encoding was damaged on the way)"),
    (re.compile(f"[{_CONTROL}]"), "a control character"),
    (re.compile(f"[{_BIDI}]"), "a character that reverses how the name reads"),
    (re.compile(f"[{_INVISIBLE}]"), "an invisible character"),
    (re.compile(f"[{_NONCHARACTERS}]"), "a code that is no character"),
)

# Windows takes none of these in a name, and gives these names to devices, with any extension:
# "Naming Files, Paths, and Namespaces", Microsoft Learn; CONIN$ and CONOUT$: "CreateFile".
_NOT_ON_WINDOWS = re.compile(r'[<>:"/\\|?*]')
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"]
)

_DRIVE = re.compile(r"[A-Za-z]:")
_NOWHERE = sys.maxsize  # past the end of any list of patterns
_WILDCARD = re.compile(r"[*?]")
_DOTS_AND_SPACES = re.compile(r"[\s.]*")
_DECODINGS = 3  # deep enough for a name encoded by a browser, a proxy and a framework

# RFC 8187 §3.2.1 `attr-char`, beyond letters and digits, which `quote` never encodes.
_ATTR_CHARS = "!#$&+-.^_`|~"


class RefusedName(ValueError):
    """A path that no document may have; `detail` tells the user what to change."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason  # `illegal_name` or `path_too_long`
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Name:
    """A path that is fit to be a document's."""

    path: str  # as shown: NFC, relative, segments joined by single slashes
    folded: str  # as compared: two paths with the same `folded` are the same document

    @property
    def file_name(self) -> str:
        """The last segment."""
        return self.path.rpartition("/")[2]


def normalised(path: str, *, longest: int = MOST_BYTES) -> Name:
    """Return *path* in the one form we keep, or raise `RefusedName`.

    *path* is relative, with `/` between its segments; *longest* is its limit in bytes of UTF-8.
    """
    # NFC never makes text shorter than half its length in code points (the worst is U+01D6: three
    # code points, two bytes). Refusing first keeps normalisation, which is quadratic in a run
    # of combining marks, away from text of any length.
    if len(path) > 2 * longest:
        raise RefusedName(PATH_TOO_LONG, f"The path has more than {longest:,} bytes; shorten it.")
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    if unwanted := _UNWANTED.search(path):
        raise RefusedName(ILLEGAL_NAME, _describe(unwanted[0], path))
    if len(path.encode()) > longest:
        raise RefusedName(PATH_TOO_LONG, f"The path has more than {longest:,} bytes; shorten it.")
    _refuse_absolute(path)
    segments = path.split("/")
    if len(segments) > MOST_SEGMENTS:
        raise RefusedName(
            PATH_TOO_LONG, f"The path is more than {MOST_SEGMENTS} folders deep; flatten it."
        )
    for segment in segments:
        _refuse_segment(segment)
    return Name(path, folded(path))


def folded(path: str) -> str:
    """Return what *path* is compared by: paths that differ in case or composition fold alike.

    Canonical caseless matching (Unicode 3.13, D145), recomposed. At most twice the bytes of a
    normalised path.
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def download_name(path: str) -> str:
    """Return a file name for *path*'s last segment that every system can write.

    Takes any text. What Windows refuses becomes `_`: its forbidden characters, device names
    (`CON.txt` is given as `CON_.txt`); spaces around and dots at the end go. At most 255 bytes.
    """
    name = unicodedata.normalize("NFC", path.rpartition("/")[2][: 4 * MOST_SEGMENT_BYTES])
    name = _NOT_ON_WINDOWS.sub("_", _UNWANTED.sub("_", name))
    name = name.strip(" .") if name[:1] == " " else name.rstrip(" .")
    stem, dot, extension = name.partition(".")
    if stem.rstrip().casefold() in _DEVICES:
        name = f"{stem.rstrip()}_{dot}{extension}"
    return _shortened(name) or "file"


def content_disposition(name: str) -> str:
    """Return a `Content-Disposition` value that has a browser save *name*, never show it.

    RFC 6266 with both parameters: `filename` in ASCII for old clients (without `%`, which some
    decode: appendix D), `filename*` in UTF-8 as in RFC 8187.
    """
    safe = download_name(name)
    plain = unicodedata.normalize("NFKD", safe)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    # Decomposition can bring back what `download_name` took out: U+FF0A is `*`, U+2025 is `..`.
    plain = download_name(re.sub(r'[^ -~]|["\\%/]', "_", plain))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe=_ATTR_CHARS)}"


@dataclass(frozen=True, slots=True)
class JunkPattern:
    """Files that a system or a program leaves behind, and why nobody delivers them on purpose."""

    pattern: str  # as `junk` reads it
    why: str


SYSTEM_JUNK = (
    JunkPattern(".DS_Store", "macOS Finder: how a folder's window looked"),
    JunkPattern("._*", "macOS AppleDouble: a file's attributes on a foreign disk"),
    JunkPattern(".AppleDouble/", "netatalk: the same, as a folder"),
    JunkPattern(".apdisk", "macOS: notes about a shared disk"),
    JunkPattern(".LSOverride", "macOS: which program opens a folder"),
    JunkPattern("__MACOSX/", "macOS: attributes inside a ZIP file"),
    JunkPattern(".Spotlight-V100/", "macOS: search index"),
    JunkPattern(".fseventsd/", "macOS: log of changes"),
    JunkPattern(".TemporaryItems/", "macOS: files being saved"),
    JunkPattern(".DocumentRevisions-V100/", "macOS: earlier states of documents"),
    JunkPattern(".Trashes/", "macOS: deleted files"),
    JunkPattern("Thumbs.db", "Windows: previews of a folder"),
    JunkPattern("ehthumbs.db", "Windows Media Center: previews"),
    JunkPattern("ehthumbs_vista.db", "Windows Media Center: previews"),
    JunkPattern("desktop.ini", "Windows: how a folder's window looked"),
    JunkPattern("*.ini", "settings of a program on the sender's machine"),
    JunkPattern("*.lnk", "Windows: a link to a file on the sender's machine"),
    JunkPattern("*.url", "Windows: a link to a web page, not the page"),
    JunkPattern("$RECYCLE.BIN/", "Windows: deleted files"),
    JunkPattern("RECYCLER/", "Windows XP: deleted files"),
    JunkPattern("System Volume Information/", "Windows: restore points and indexes"),
    JunkPattern("~$*", "Microsoft Office: who has the file open"),
    JunkPattern("~*.tmp", "Microsoft Office: a file being saved"),
    JunkPattern(".~lock.*#", "LibreOffice: who has the file open"),
    JunkPattern("*.dwl", "AutoCAD: who has the drawing open"),
    JunkPattern("*.dwl2", "AutoCAD: the same, as XML"),
    JunkPattern("*.bak", "AutoCAD and others: the state before the last save"),
    JunkPattern("*.sv$", "AutoCAD: automatic save, left by a crash"),
    JunkPattern("*.ac$", "AutoCAD: work in progress, left by a crash"),
    JunkPattern("*.idlk", "Adobe InDesign: who has the file open"),
    JunkPattern(".BridgeCache*", "Adobe Bridge: previews of a folder"),
    JunkPattern("*.crdownload", "Chrome: an unfinished download"),
    JunkPattern("*.*.part", "Firefox: an unfinished download"),
    JunkPattern("*.partial", "Edge, Internet Explorer: an unfinished download"),
    JunkPattern("@eaDir/", "Synology: previews and indexes"),
    JunkPattern("#recycle/", "Synology: deleted files"),
    JunkPattern("@Recycle/", "QNAP: deleted files"),
    JunkPattern(".@__thumb/", "QNAP: previews"),
    JunkPattern(".Trash-*/", "Linux desktops: deleted files"),
    JunkPattern(".directory", "KDE: how a folder's window looked"),
    JunkPattern(".nfs*", "NFS: a file that was deleted while open"),
    JunkPattern(".dropbox", "Dropbox: which account a folder belongs to"),
    JunkPattern(".dropbox.attr", "Dropbox: attributes of a folder"),
    JunkPattern(".dropbox.cache/", "Dropbox: files being transferred"),
    JunkPattern(".tmp.drivedownload/", "Google Drive: files being transferred"),
    JunkPattern(".tmp.driveupload/", "Google Drive: files being transferred"),
)
"""The default list. Not on it, because somebody may mean them: `*.tmp` (a crash can leave the
only copy of a day's work there), `*.part` (a part in some CAD programs), `*.log`, `*.old`."""

JUNK_PATTERNS = tuple(junk.pattern for junk in SYSTEM_JUNK)


def junk(name: Name, patterns: Sequence[str] = JUNK_PATTERNS) -> str | None:
    """Return the first pattern that makes *name* junk, or None.

    A pattern matches a file's whole name, or with `/` at its end the name of any folder above it.
    `*` stands for any characters, `?` for one, everything else for itself, in either case.
    """
    patterns = tuple(patterns)
    above, _, file_name = name.folded.rpartition("/")
    files, _ = _compiled(patterns)
    place = min(files.first(file_name), _first_above(patterns, above))
    return patterns[place] if place < len(patterns) else None


@dataclass(frozen=True, slots=True)
class _Globs:
    """Patterns sorted by what it takes to match them: most need one look into a dictionary."""

    names: Mapping[str, int]  # without a wildcard → place in the list
    endings: Mapping[str, int]  # `*.` and an extension → place
    places: Sequence[int]  # of the patterns in `others`, one a group
    others: re.Pattern[str]

    def first(self, name: str) -> int:
        """Return the place of the first pattern that matches the folded *name*, or `_NOWHERE`."""
        place = self.names.get(name, _NOWHERE)
        _, dot, ending = name.rpartition(".")
        if dot:
            place = min(place, self.endings.get(ending, _NOWHERE))
        if match := self.others.fullmatch(name):
            place = min(place, self.places[(match.lastindex or 1) - 1])
        return place


@lru_cache(maxsize=16)
def _compiled(patterns: tuple[str, ...]) -> tuple[_Globs, _Globs]:
    """Return what matches files' names, and what matches folders' names."""
    numbered = [(folded(pattern), place) for place, pattern in enumerate(patterns)]
    files = [(glob, place) for glob, place in numbered if not glob.endswith("/")]
    folders = [(glob[:-1], place) for glob, place in numbered if glob.endswith("/")]
    return _globs(files), _globs(folders)


@lru_cache(maxsize=1_024)
def _first_above(patterns: tuple[str, ...], above: str) -> int:
    """Return the place of the first pattern that matches a folder of the folded path *above*.

    Kept for the folders looked at last: the thousands of files of a delivery share a few dozen.
    """
    _, folders = _compiled(patterns)
    return min(map(folders.first, above.split("/"))) if above else _NOWHERE


def _globs(numbered: Sequence[tuple[str, int]]) -> _Globs:
    names: dict[str, int] = {}
    endings: dict[str, int] = {}
    others: list[tuple[str, int]] = []
    for glob, place in numbered:
        if not _WILDCARD.search(glob):
            names.setdefault(glob, place)
        elif glob.startswith("*.") and not re.search(r"[*?.]", glob[2:]):
            endings.setdefault(glob[2:], place)
        else:
            others.append((glob, place))
    expression = "|".join(f"({_expression(glob)})" for glob, _ in others) or "(?!)"
    return _Globs(names, endings, [place for _, place in others], re.compile(expression, re.DOTALL))


def _expression(glob: str) -> str:
    return re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")


def _describe(unwanted: str, path: str) -> str:
    what = next(why for pattern, why in _WHY_UNWANTED if pattern.match(unwanted))
    shown = _UNWANTED.sub("\ufffd", path)
    return f"The path has {what}, U+{ord(unwanted):04X}, at the mark in “{shown}”; rename it."


def _refuse_absolute(path: str) -> None:
    if not path:
        raise RefusedName(ILLEGAL_NAME, "The path is empty.")
    if "\\" in path:
        raise RefusedName(ILLEGAL_NAME, "The path has a backslash; separate folders with “/”.")
    if path.startswith("/"):
        raise RefusedName(ILLEGAL_NAME, "The path starts with “/”; give it relative to the folder.")
    if _DRIVE.match(path):
        raise RefusedName(
            ILLEGAL_NAME, "The path starts with a drive letter; give it relative to the folder."
        )


def _refuse_segment(segment: str) -> None:
    """Raise `RefusedName` for a segment that is empty, leads elsewhere or is too long."""
    if not segment:
        raise RefusedName(ILLEGAL_NAME, "The path has an empty part, as in “a//b” or “a/”.")
    # Windows drops dots and spaces at the end, so `.. ` is `..` to it; and its older interfaces
    # turn a full-width dot into a dot, as NFKC does.
    if segment[0] in " ." or not segment.isascii():
        seen = segment if segment.isascii() else unicodedata.normalize("NFKC", segment)
        if _DOTS_AND_SPACES.fullmatch(seen):
            raise RefusedName(
                ILLEGAL_NAME, f"The part “{segment}” has nothing but dots and spaces; rename it."
            )
    if "%" in segment and _is_encoded_traversal(segment):
        raise RefusedName(ILLEGAL_NAME, f"The part “{segment}” hides “..” or NUL; rename it.")
    if len(segment.encode()) > MOST_SEGMENT_BYTES:
        raise RefusedName(
            PATH_TOO_LONG,
            f"The part “{segment[:40]}…” has more than {MOST_SEGMENT_BYTES} bytes; shorten it.",
        )


def _is_encoded_traversal(segment: str) -> bool:
    """Say whether some decoder downstream would read this as a way up or the end of a string."""
    for _ in range(_DECODINGS):
        decoded = unquote(segment, errors="surrogateescape")
        if "\0" in decoded or ".." in re.split(r"[/\\]", decoded):
            return True
        if decoded == segment:
            return False
        segment = decoded
    return False


def _shortened(name: str) -> str:
    """Return *name* within the bytes of a segment, its extension kept when it is one."""
    if len(name.encode()) <= MOST_SEGMENT_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}" if stem and len(extension.encode()) <= 16 else ""  # noqa: PLR2004 - longer is no extension
    room = MOST_SEGMENT_BYTES - len(ending.encode())
    kept = name.removesuffix(ending).encode()[:room].decode(errors="ignore")
    return kept.rstrip(" .") + ending

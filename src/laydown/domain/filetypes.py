"""Which content belongs under which extension, and which is not taken at all.

The table errs towards taking: an extension is listed only where its content can be recognised, and
a format without a mandatory signature lists `binary` too. What is not listed is taken, unless it
is a program.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import assert_never

from laydown.domain.kinds import KINDS, PROGRAMS, TEXTS, ZIPS, Kind

POLICY_VERSION = 1
"""Raise it when the tables or `sniffing` change their mind: remembered rejections are forgotten."""


class TypeVerdict(StrEnum):
    """What the content's kind means for a file with this extension."""

    AGREES = "agrees"
    TYPE_MISMATCH = "type_mismatch"  # the extension promises something else
    TYPE_NOT_ALLOWED = "type_not_allowed"  # a program, by its content or its extension


_ANY_TEXT = " ".join(sorted(TEXTS))
_ANY_ZIP = " ".join(sorted(ZIPS))

# Extensions on the left; on the right the kind they promise, then others that agree. It is looser
# than names are where practice is: web systems export tables as `.xls` that are HTML, XML or text,
# and Word writes RTF and HTML as `.doc`. A file of Office with a password is an OLE file, whose
# directory may lie where `sniff` doesn't look.
_TABLE: tuple[tuple[str, str], ...] = (
    # documents
    ("pdf", "pdf"),
    ("ps eps", "postscript"),
    ("ai", "pdf postscript"),
    ("rtf", "rtf"),
    ("docx docm dotx dotm", "docx opc encrypted-office ole"),
    ("xlsx xlsm xltx xltm xlsb xlam", "xlsx opc encrypted-office ole"),
    ("pptx pptm potx potm ppsx ppsm", "pptx opc encrypted-office ole"),
    ("vsdx vsdm vstx vssx", "vsdx opc encrypted-office ole"),
    ("doc", "doc ole encrypted-office rtf html xml"),
    ("dot", "doc ole encrypted-office rtf html xml text"),  # also Graphviz
    ("xls xlt", "xls ole encrypted-office html xml text"),
    ("ppt pps", "ppt ole encrypted-office"),
    ("vsd vst vss", "vsd ole"),
    ("mpp mpt", "mpp ole"),
    ("pub", "pub ole text"),  # also public keys
    ("msg oft", "msg ole"),
    ("eml", "eml text"),
    ("odt ott", "odt odf"),
    ("ods ots", "ods odf"),
    ("odp otp", "odp odf"),
    ("odg otg", "odg odf"),
    ("xps oxps", "xps opc"),
    ("epub", "epub"),
    # text
    ("txt text csv tsv log md rst asc xyz pts ptx", f"text {_ANY_TEXT} binary"),
    ("xml gml landxml pmxml", "xml ifcxml svg html text binary"),
    ("html htm xhtml mht mhtml", f"html {_ANY_TEXT} binary"),
    ("json geojson", "json gltf text"),
    ("svg", "svg xml"),
    ("svgz", "gzip"),
    ("kml gpx dae", "xml text"),
    # drawings
    ("dwg dwt dws", "dwg"),
    ("dxf", "dxf"),
    ("dgn", "dgn ole"),
    ("dwf", "dwf"),
    ("dwfx", "dwfx xps opc"),
    ("plt hpgl hpg hgl", "plot text pdf postscript binary"),
    # models
    ("ifc", "ifc"),
    ("ifcxml", "ifcxml xml"),
    ("ifczip", "ifczip zip"),
    ("bcf bcfzip", "bcf zip"),
    ("stp step p21", "step ifc"),
    ("stpz", "zip gzip"),
    ("rvt rfa rte rft", "rvt ole"),
    ("nwd nwc", "navisworks ole zip binary"),
    ("nwf", "navisworks ole zip xml text binary"),
    ("skp", "skp zip binary"),
    ("3dm", "3dm"),
    ("fbx", "fbx text"),
    ("glb", "glb"),
    ("gltf", "gltf json"),
    ("obj", "obj text binary"),
    ("stl", "stl text binary"),
    ("3mf", "3mf opc"),
    # measurements, maps, tables, schedules
    ("ply", "ply"),
    ("las", "las laz text"),  # also Log ASCII Standard, of bore holes
    ("laz", "las laz"),
    ("e57", "e57"),
    ("shp", "shapefile"),
    ("shx", "shapefile text binary"),  # also AutoCAD's compiled shapes
    ("dbf", "dbf binary"),
    ("kmz", "kmz zip"),
    ("gpkg sqlite sqlite3", "sqlite"),
    ("xer", "xer text"),
    # pictures
    ("jpg jpeg jpe jfif", "jpeg"),
    ("png", "png"),
    ("gif", "gif"),
    ("tif tiff dng", "tiff"),
    ("bmp dib", "bmp"),
    ("webp", "webp"),
    ("heic heif hif", "heif avif"),
    ("avif", "avif heif"),
    ("jp2 j2k jpf jpx", "jp2"),
    ("jxl", "jxl binary"),
    ("psd psb", "psd"),
    ("cr3", "cr3"),
    # film and sound
    ("mp4 m4v mov qt 3gp 3g2", "mp4 quicktime"),
    ("avi", "avi"),
    ("mkv webm", "matroska"),
    ("wmv wma asf", "asf"),
    ("mpg mpeg", "mpeg mpegts binary"),
    ("mts m2ts", "mpegts text binary"),  # also TypeScript
    ("m4a", "m4a mp4"),
    ("mp3", "mp3 binary"),
    ("wav", "wav"),
    ("ogg oga ogv opus", "ogg"),
    ("flac", "flac mp3"),  # some carry an ID3 tag in front
    # archives
    ("zip", f"zip {_ANY_ZIP}"),
    ("7z", "7z"),
    ("rar", "rar"),
    ("tar", "tar binary"),
    ("gz tgz", "gzip"),
    ("bz2 tbz2", "bzip2"),
    ("xz txz", "xz"),
    ("zst", "zstd"),
)

ACCEPTED: Mapping[str, frozenset[str]] = {
    extension: frozenset(kinds.split())
    for extensions, kinds in _TABLE
    for extension in extensions.split()
}
"""The kinds of content, by name, that agree with each extension; lower case, without the dot."""

_PROMISED: Mapping[str, str] = {
    extension: kinds.split()[0] for extensions, kinds in _TABLE for extension in extensions.split()
}

_PROGRAM_GROUPS = (
    # Windows programs, installers, shell objects: “Blocked attachments in Outlook”, Microsoft
    "exe com pif scr dll ocx sys drv cpl efi msi msp mst msix msixbundle appx appxbundle",
    "application appref-ms gadget msc reg inf hta chm hlp scf lnk jnlp xll settingcontent-ms",
    # scripts that a double click runs, there and elsewhere
    "bat cmd ps1 ps1xml psm1 psd1 psc1 vb vbe vbs js jse mjs ws wsc wsf wsh sct",
    "sh bash csh ksh zsh fish command py pyc pyo pyw pyz pl rb lua",
    # programs and packages elsewhere
    "so dylib app dmg pkg deb rpm apk ipa jar class war swf wasm",
    # what a web server would run
    "php phtml phar asp aspx ashx jsp jspx cgi",
    # what AutoCAD and its kin load from a drawing's folder: the way of ACAD/Medre and others
    "arx crx zrx fas vlx lsp mnl dvb",
)

PROGRAM_EXTENSIONS = frozenset(
    extension for group in _PROGRAM_GROUPS for extension in group.split()
)
"""Never taken, whatever their content, unless a setting says otherwise."""

# git-lfs/docs/spec.md, "The Pointer": this version line first, under 1,024 bytes; `hawser` is the
# name of the project before its first release.
_POINTER = re.compile(rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v1\r?\n")
_POINTER_BELOW = 1_024


def verdict(
    extension: str, kind: Kind, *, refused: AbstractSet[str] = PROGRAM_EXTENSIONS
) -> TypeVerdict:
    """Say whether content of this *kind* may stand under this *extension*.

    *extension* is lower case, without its dot, empty when there is none. *refused* are the
    extensions never taken; one of `PROGRAM_EXTENSIONS` that is missing from it is taken with any
    content. An empty file agrees with everything: whether it is wanted is another question.
    """
    if extension in refused:
        return TypeVerdict.TYPE_NOT_ALLOWED
    if extension in PROGRAM_EXTENSIONS:
        return TypeVerdict.AGREES
    if kind.name in PROGRAMS:
        return TypeVerdict.TYPE_NOT_ALLOWED
    accepted = ACCEPTED.get(extension)
    if accepted is None or kind.name in accepted or kind.name == "empty":
        return TypeVerdict.AGREES
    return TypeVerdict.TYPE_MISMATCH


def detail(extension: str, kind: Kind, outcome: TypeVerdict) -> str:
    """Return a sentence for the user about what `verdict` found."""
    match outcome:
        case TypeVerdict.AGREES:
            return f"The content is {kind.called}."
        case TypeVerdict.TYPE_MISMATCH:
            promised = KINDS[_PROMISED[extension]].called
            return f"“.{extension}” promises {promised}, but the content is {kind.called}."
        case TypeVerdict.TYPE_NOT_ALLOWED if kind.name in PROGRAMS:
            return f"The content is {kind.called}, which is not taken."
        case TypeVerdict.TYPE_NOT_ALLOWED:
            return f"Files ending in “.{extension}” are not taken."
        case _:
            assert_never(outcome)


def pointer_stub(head: bytes, size: int) -> bool:
    """Say whether a file of *size* bytes is a Git-LFS pointer: the stand-in for a missing file."""
    return size < _POINTER_BELOW and _POINTER.match(head) is not None and b"\noid " in head

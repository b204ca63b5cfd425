"""What content can be: every kind of file that `sniffing` tells apart."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file's bytes are, whatever its name says."""

    name: str  # stable: stored beside a blob, and what `filetypes.ACCEPTED` speaks of
    media_type: str  # from IANA's registry where it has one, else what software commonly uses
    called: str  # in a sentence, with its article


_BYTES = "application/octet-stream"
_OPENXML = "application/vnd.openxmlformats-officedocument"
_OPENDOC = "application/vnd.oasis.opendocument"

_TABLE = (
    # nothing known
    Kind("empty", _BYTES, "an empty file"),
    Kind("binary", _BYTES, "data of an unknown kind"),
    # documents
    Kind("pdf", "application/pdf", "a PDF document"),
    Kind("postscript", "application/postscript", "a PostScript file"),
    Kind("rtf", "application/rtf", "a rich text document"),
    Kind("docx", f"{_OPENXML}.wordprocessingml.document", "a Word document"),
    Kind("xlsx", f"{_OPENXML}.spreadsheetml.sheet", "an Excel workbook"),
    Kind("pptx", f"{_OPENXML}.presentationml.presentation", "a PowerPoint presentation"),
    Kind("vsdx", "application/vnd.ms-visio.drawing.main+xml", "a Visio drawing"),
    Kind("xps", "application/oxps", "an XPS document"),
    Kind("opc", "application/zip", "an Office or other Open Packaging file"),
    Kind("odt", f"{_OPENDOC}.text", "an OpenDocument text"),
    Kind("ods", f"{_OPENDOC}.spreadsheet", "an OpenDocument spreadsheet"),
    Kind("odp", f"{_OPENDOC}.presentation", "an OpenDocument presentation"),
    Kind("odg", f"{_OPENDOC}.graphics", "an OpenDocument drawing"),
    Kind("odf", "application/zip", "an OpenDocument file"),
    Kind("epub", "application/epub+zip", "an e-book"),
    Kind("ole", "application/x-ole-storage", "an OLE compound file"),
    Kind("doc", "application/msword", "a Word 97-2003 document"),
    Kind("xls", "application/vnd.ms-excel", "an Excel 97-2003 workbook"),
    Kind("ppt", "application/vnd.ms-powerpoint", "a PowerPoint 97-2003 presentation"),
    Kind("vsd", "application/vnd.visio", "a Visio 2003 drawing"),
    Kind("mpp", "application/vnd.ms-project", "a Microsoft Project plan"),
    Kind("pub", "application/x-mspublisher", "a Publisher document"),
    Kind("encrypted-office", "application/x-ole-storage", "an Office file with a password"),
    Kind("msg", "application/vnd.ms-outlook", "an Outlook message"),
    Kind("eml", "message/rfc822", "an e-mail message"),
    # drawings, models, measurements
    Kind("dwg", "image/vnd.dwg", "an AutoCAD drawing"),
    Kind("dxf", "image/vnd.dxf", "a DXF drawing"),
    Kind("dgn", "image/vnd.dgn", "a MicroStation design"),
    Kind("dwf", "model/vnd.dwf", "a DWF drawing"),
    Kind("dwfx", "model/vnd.dwfx+xps", "a DWFx drawing"),
    Kind("plot", "application/vnd.hp-HPGL", "a plotter file"),
    Kind("ifc", "application/x-step", "an IFC model"),
    Kind("ifcxml", "application/xml", "an IFC model in XML"),
    Kind("ifczip", "application/zip", "a zipped IFC model"),
    Kind("bcf", "application/zip", "a BCF collection of remarks"),
    Kind("step", "model/step", "a STEP model"),
    Kind("rvt", _BYTES, "a Revit file"),
    Kind("navisworks", _BYTES, "a Navisworks file"),
    Kind("skp", "application/vnd.sketchup.skp", "a SketchUp model"),
    Kind("3dm", "model/vnd.3dm", "a Rhino model"),
    Kind("fbx", _BYTES, "an FBX model"),
    Kind("glb", "model/gltf-binary", "a binary glTF model"),
    Kind("gltf", "model/gltf+json", "a glTF model"),
    Kind("obj", "model/obj", "a Wavefront model"),
    Kind("stl", "model/stl", "an STL model"),
    Kind("3mf", "model/3mf", "a 3MF model"),
    Kind("ply", _BYTES, "a PLY point cloud or mesh"),
    Kind("las", "application/vnd.las", "a LAS point cloud"),
    Kind("laz", "application/vnd.laszip", "a LAZ point cloud"),
    Kind("e57", "model/e57", "an E57 point cloud"),
    Kind("shapefile", "application/vnd.shp", "an ESRI shapefile"),
    Kind("dbf", "application/vnd.dbf", "a dBase table"),
    Kind("kmz", "application/vnd.google-earth.kmz", "a zipped KML map"),
    Kind("sqlite", "application/vnd.sqlite3", "a SQLite database"),
    Kind("xer", "text/plain", "a Primavera P6 schedule"),
    # text
    Kind("text", "text/plain", "plain text"),
    Kind("xml", "application/xml", "an XML file"),
    Kind("html", "text/html", "a web page"),
    Kind("svg", "image/svg+xml", "an SVG drawing"),
    Kind("json", "application/json", "a JSON file"),
    # pictures
    Kind("jpeg", "image/jpeg", "a JPEG picture"),
    Kind("png", "image/png", "a PNG picture"),
    Kind("gif", "image/gif", "a GIF picture"),
    Kind("tiff", "image/tiff", "a TIFF picture"),
    Kind("bmp", "image/bmp", "a BMP picture"),
    Kind("webp", "image/webp", "a WebP picture"),
    Kind("heif", "image/heic", "a HEIC picture"),
    Kind("avif", "image/avif", "an AVIF picture"),
    Kind("jp2", "image/jp2", "a JPEG 2000 picture"),
    Kind("jxl", "image/jxl", "a JPEG XL picture"),
    Kind("psd", "image/vnd.adobe.photoshop", "a Photoshop picture"),
    Kind("cr3", "image/x-canon-cr3", "a Canon raw picture"),
    # film and sound
    Kind("mp4", "video/mp4", "an MP4 video"),
    Kind("quicktime", "video/quicktime", "a QuickTime video"),
    Kind("avi", "video/x-msvideo", "an AVI video"),
    Kind("matroska", "video/matroska", "a Matroska or WebM video"),
    Kind("asf", "video/x-ms-asf", "a Windows Media file"),
    Kind("mpeg", "video/mpeg", "an MPEG video"),
    Kind("mpegts", "video/mp2t", "an MPEG transport stream"),
    Kind("m4a", "audio/mp4", "an MP4 sound file"),
    Kind("mp3", "audio/mpeg", "an MP3 sound file"),
    Kind("wav", "audio/wav", "a WAV sound file"),
    Kind("ogg", "application/ogg", "an Ogg file"),
    Kind("flac", "audio/flac", "a FLAC sound file"),
    # archives
    Kind("zip", "application/zip", "a ZIP archive"),
    Kind("7z", "application/x-7z-compressed", "a 7-Zip archive"),
    Kind("rar", "application/vnd.rar", "a RAR archive"),
    Kind("tar", "application/x-tar", "a TAR archive"),
    Kind("gzip", "application/gzip", "a gzip file"),
    Kind("bzip2", "application/x-bzip2", "a bzip2 file"),
    Kind("xz", "application/x-xz", "an xz file"),
    Kind("zstd", "application/zstd", "a Zstandard file"),
    # programs
    Kind("windows-program", "application/vnd.microsoft.portable-executable", "a Windows program"),
    Kind("windows-installer", "application/x-msi", "a Windows installer"),
    Kind("windows-shortcut", "application/x-ms-shortcut", "a Windows shortcut"),
    Kind("windows-help", "application/vnd.ms-htmlhelp", "a compiled Windows help file"),
    Kind("elf", "application/x-elf", "a Linux program"),
    Kind("mach-o", "application/x-mach-binary", "a macOS program"),
    Kind("java", "application/java-vm", "a Java program"),
    Kind("android-app", "application/vnd.android.package-archive", "an Android app"),
    Kind("flash", "application/vnd.adobe.flash.movie", "a Flash program"),
    Kind("package", _BYTES, "a software package"),
    Kind("script", "text/plain", "a script"),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _TABLE}
"""Every kind by its name."""

TEXTS = frozenset(
    [
        "text",
        "xml",
        "html",
        "svg",
        "json",
        "gltf",
        "ifc",
        "ifcxml",
        "step",
        "dxf",
        "obj",
        "stl",
        "ply",
        "xer",
        "eml",
        "rtf",
        "postscript",
    ]
)
"""Kinds whose content is, or can be, lines of text."""

ZIPS = frozenset(
    [
        "zip",
        "docx",
        "xlsx",
        "pptx",
        "vsdx",
        "xps",
        "opc",
        "odt",
        "ods",
        "odp",
        "odg",
        "odf",
        "epub",
        "dwfx",
        "ifczip",
        "bcf",
        "kmz",
        "3mf",
        "skp",
    ]
)
"""Kinds whose content is a ZIP archive with agreed names inside."""

PROGRAMS = frozenset(
    [
        "windows-program",
        "windows-installer",
        "windows-shortcut",
        "windows-help",
        "elf",
        "mach-o",
        "java",
        "android-app",
        "flash",
        "package",
        "script",
    ]
)
"""Kinds that a computer runs."""

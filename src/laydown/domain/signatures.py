"""Bytes at a fixed place that say what a file is, each with where that is written down."""

from dataclasses import dataclass

from laydown.domain.kinds import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes that files of a kind have at an offset, and others don't."""

    kind: str
    magic: bytes
    offset: int = 0


SIGNATURES = (
    Signature("jpeg", b"\xff\xd8\xff"),  # ITU-T T.81 B.1.1.3: SOI, then another marker
    Signature("png", b"\x89PNG\r\n\x1a\n"),  # W3C PNG 5.2
    Signature("gif", b"GIF87a"),  # GIF89a specification 17
    Signature("gif", b"GIF89a"),
    Signature("tiff", b"II*\x00"),  # TIFF 6.0 section 2
    Signature("tiff", b"MM\x00*"),
    Signature("tiff", b"II+\x00\x08\x00\x00\x00"),  # BigTIFF: version 43, offsets of 8 bytes
    Signature("tiff", b"MM\x00+\x00\x08\x00\x00"),
    Signature("psd", b"8BPS\x00\x01"),  # Adobe Photoshop File Formats: version 1
    Signature("psd", b"8BPS\x00\x02"),  # and the large one, PSB
    Signature("jp2", b"\x00\x00\x00\x0cjP  \r\n\x87\n"),  # ISO 15444-1 I.5.1
    Signature("jp2", b"\xff\x4f\xff\x51"),  # ISO 15444-1 A.4: SOC, SIZ
    Signature("jxl", b"\x00\x00\x00\x0cJXL \r\n\x87\n"),  # ISO 18181-2: the container
    Signature("rtf", b"{\\rtf"),  # RTF 1.9.1
    Signature("postscript", b"%!PS"),  # PostScript Language DSC 3.0
    Signature("postscript", b"\x04%!PS"),  # the same after a Ctrl-D, as old drivers write
    Signature("postscript", b"\xc5\xd0\xd3\xc6"),  # EPSF 3.0 5.2: EPS with a preview
    Signature("dxf", b"AutoCAD Binary DXF\r\n\x1a\x00"),  # AutoCAD DXF Reference, "Binary DXF"
    Signature("dwf", b"(DWF V"),  # Autodesk DWF Toolkit: version, then stream or ZIP
    Signature("plot", b"\x1b%-12345X"),  # HP PJL Technical Reference 2: universal exit language
    Signature("plot", b"\x1b%-1B"),  # HP-GL/2 Reference: enter HP-GL/2, stand-alone plotter
    Signature("plot", b"\x1b.("),  # HP-GL: plotter on
    Signature("dgn", b"\x08\x09\xfe\x02"),  # Intergraph ISFF (MicroStation 7): 2D
    Signature("dgn", b"\xc8\x09\xfe\x02"),  # 3D
    Signature("dgn", b"\x08\x05\x17\x00"),  # cell library
    Signature("navisworks", b"#LcUStream-"),  # as found in NWC files of contractors
    Signature("skp", b"\xff\xfe\xff\x0eS\x00k\x00e\x00t\x00c\x00h\x00U\x00p\x00"),  # MFC string
    Signature("3dm", b"3D Geometry File Format "),  # openNURBS: ON_BinaryArchive start section
    Signature("fbx", b"Kaydara FBX Binary  \x00"),  # Autodesk FBX SDK
    Signature("glb", b"glTF"),  # Khronos glTF 2.0 §4.4.2
    Signature("e57", b"ASTM-E57"),  # ASTM E2807
    Signature("ply", b"ply\nformat "),  # Turk, The PLY Polygon File Format, 1994
    Signature("ply", b"ply\r\nformat "),
    Signature("ply", b"ply\rformat "),
    Signature("sqlite", b"SQLite format 3\x00"),  # sqlite.org/fileformat2.html 1.3
    Signature("7z", b"7z\xbc\xaf\x27\x1c"),  # 7zFormat.txt
    Signature("rar", b"Rar!\x1a\x07"),  # RAR 5.0 archive format; the same before, in 1.5 to 4
    Signature("gzip", b"\x1f\x8b\x08"),  # RFC 1952 2.3.1: deflate
    Signature("bzip2", b"1AY&SY", 4),  # bzip2: pi in BCD opens a block, after "BZh" and a digit
    Signature("xz", b"\xfd7zXZ\x00"),  # The .xz File Format 2.1.1.1
    Signature("zstd", b"\x28\xb5\x2f\xfd"),  # RFC 8878 3.1.1
    Signature("tar", b"ustar", 257),  # POSIX.1-2001 pax, ustar interchange format
    Signature("asf", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")),  # ASF header object
    Signature("mpeg", b"\x00\x00\x01\xba"),  # ISO 13818-1: pack header
    Signature("mpeg", b"\x00\x00\x01\xb3"),  # ISO 13818-2: sequence header
    Signature("ogg", b"OggS\x00"),  # RFC 3533 6
    Signature("flac", b"fLaC"),  # RFC 9639 6
    Signature("mp3", b"ID3"),  # ID3v2.4 3.1; refined in `sniffing`
    Signature("elf", b"\x7fELF"),  # System V ABI, "ELF Header"
    Signature("mach-o", b"\xce\xfa\xed\xfe"),  # <mach-o/loader.h>: MH_MAGIC, little-endian
    Signature("mach-o", b"\xcf\xfa\xed\xfe"),  # MH_MAGIC_64
    Signature("mach-o", b"\xfe\xed\xfa\xce"),
    Signature("mach-o", b"\xfe\xed\xfa\xcf"),
    Signature("java", b"\xca\xfe\xba\xbe"),  # JVMS 4.1; also a universal macOS program
    Signature("windows-shortcut", b"L\x00\x00\x00\x01\x14\x02\x00"),  # MS-SHLLINK 2.1
    Signature("windows-help", b"ITSF\x03\x00\x00\x00"),  # HTML Help
    Signature("android-app", b"dex\n0"),  # Dalvik Executable format: DEX_FILE_MAGIC
    Signature("package", b"!<arch>\ndebian-binary"),  # deb(5)
    Signature("package", b"\xed\xab\xee\xdb"),  # rpm: lead
)


def by_signature(head: bytes) -> Kind | None:
    """Return the kind whose bytes *head* has in the agreed place, or None."""
    for signature in SIGNATURES:
        if head.startswith(signature.magic, signature.offset):
            return KINDS[signature.kind]
    return None

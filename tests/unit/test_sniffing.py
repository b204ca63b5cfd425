"""What files are told to be, by their bytes alone."""

import io
import json
import struct
import zipfile
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.kinds import KINDS
from laydown.domain.signatures import SIGNATURES
from laydown.domain.sniffing import HEAD_BYTES, TAIL_BYTES, sniff

IFC = b"ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC2X3'));\nENDSEC;\nDATA;\n"
DXF = b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def zipped(*names, content=b"x", mimetype=None, method=zipfile.ZIP_STORED):
    """Return a ZIP archive with entries of these names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


def compound(*names, root_class="", before=0):
    """Return an OLE file whose directory, of these names, comes *before* bytes after the header."""
    entries = b""
    for what, name in [(5, "Root Entry"), *((2, name) for name in names)]:
        encoded = (name + "\0").encode("utf-16-le")
        entry = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), what, 1)
        class_id = bytes.fromhex(root_class) if what == 5 and root_class else bytes(16)
        entries += (entry.ljust(80, b"\xff") + class_id).ljust(128, b"\0")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512 + before, b"\x01") + entries


def boxes(major, *compatible):
    """Return the `ftyp` box of an ISO base media file."""
    brands = major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + b"\0\0\0\x08free"


def whole(content):
    """Return the name of the kind that *content* is, as a whole file."""
    return sniff(content[:HEAD_BYTES], tail=content[-TAIL_BYTES:], size=len(content)).name


BINARY = {
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "pdf after a mark": b"\xef\xbb\xbf%PDF-1.4\n",
    "pdf after a printer's header": b"\x00HP LaserJet\r\n" + b" " * 900 + b"\r\n%PDF-1.3\n",
    "heif": boxes(b"heic", b"mif1"),
    "heif by mif1": boxes(b"mif1", b"heic"),
    "avif": boxes(b"avif", b"mif1"),
    "avif by mif1": boxes(b"mif1", b"avif"),
    "mp4": boxes(b"isom", b"iso2", b"mp41"),
    "mp4 by 3gp": boxes(b"3gp5"),
    "quicktime": boxes(b"qt  "),
    "quicktime without a box": b"\x00\x00\x00\x08wide\x00\x01\x00\x00mdat",
    "m4a": boxes(b"M4A "),
    "webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "avi": b"RIFF\x10\x00\x00\x00AVI LIST",
    "wav": b"RIFF\x10\x00\x00\x00WAVEfmt ",
    "matroska": b"\x1aE\xdf\xa3\x93B\x82\x88matroska",
    "bmp": b"BM" + struct.pack("<IIIIii", 70, 0, 54, 40, 2, 2) + bytes(44),
    "dwg": b"AC1032\0\0\0\0\0\x06",
    "dwg of 1990": b"AC1009\0\0\0\0\0\0",
    "dxf": b"AutoCAD Binary DXF\r\n\x1a\x00\x00\x00SECTION",
    "las": b"LASF".ljust(104, b"\0") + b"\x03\x22",
    "laz": b"LASF".ljust(104, b"\0") + b"\x83\x22",
    "stl": bytes(80) + struct.pack("<I", 2) + bytes(100),
    "stl that says solid": b"solid\0".ljust(80, b"\0") + struct.pack("<I", 1) + bytes(50),
    "shapefile": b"\x00\x00\x27\x0a".ljust(28, b"\0") + b"\xe8\x03\x00\x00" + bytes(68),
    "dbf": b"\x03\x7e\x0b\x16" + struct.pack("<IHH", 1, 65, 10) + bytes(53) + b"\r" + bytes(10),
    "mpegts": (b"G\x00" + b"\xff" * 186) * 5,
    "windows-program": b"MZ\x90\x00\x03\x00\x00\x00PE".ljust(128, b"\0"),
    "windows-program that is also a pdf": b"MZ\x90\x00\r\n%PDF-1.7\r\n".ljust(128, b"\0"),
    "flash": b"CWS\x0a\x10\x00\x00\x00x\x9c",
    "binary": bytes(range(256)),
    "ole": compound("Contents"),
    "doc": compound("1Table", "WordDocument"),
    "doc by its class": compound(root_class="0609020000000000c000000000000046"),
    "xls": compound("Workbook"),
    "ppt": compound("PowerPoint Document", "Current User"),
    "ole with two tellers": compound("WordDocument", "Workbook"),
    "msg": compound("__nameid_version1.0", "__properties_version1.0", "WordDocument"),
    "mpp": compound("CompObj", "   114"),
    "rvt": compound("BasicFileInfo", "RevitPreview4.0"),
    "dgn": compound("Dgn~H"),
    "encrypted-office": compound("EncryptionInfo", "EncryptedPackage"),
    "windows-installer": compound(root_class="84100c0000000000c000000000000046"),
    "xls at its end": compound("Workbook", before=600 * 512),
    "zip": zipped("a.txt", "b/c.pdf"),
    "zip that is empty": b"PK\x05\x06".ljust(22, b"\0"),
    "docx": zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "docx with a workbook in it": zipped(
        "[Content_Types].xml",
        "word/document.xml",
        "word/embeddings/1.xlsx",
        content=zipped("[Content_Types].xml", "xl/workbook.xml"),
    ),
    "xlsx": zipped("[Content_Types].xml", "xl/workbook.xml", method=zipfile.ZIP_DEFLATED),
    "pptx": zipped("[Content_Types].xml", "ppt/presentation.xml"),
    "vsdx": zipped("[Content_Types].xml", "visio/document.xml"),
    "dwfx": zipped("[Content_Types].xml", "dwf/documents/1/manifest.xml", "Documents/1/x"),
    "opc": zipped("[Content_Types].xml", "other/part.xml"),
    "odt": zipped("content.xml", mimetype="application/vnd.oasis.opendocument.text"),
    "odf": zipped("META-INF/manifest.xml", "content.xml"),
    "epub": zipped("OEBPS/a.xhtml", mimetype="application/epub+zip"),
    "ifczip": zipped("model.ifc", content=IFC),
    "zip with a model and more": zipped("model.ifc", "readme.txt"),
    "bcf": zipped("bcf.version", "1/markup.bcf", "1/snapshot.png"),
    "kmz": zipped("doc.kml", "images/1.png"),
    "java": zipped("META-INF/MANIFEST.MF", "com/x/A.class"),
    "android-app": zipped("AndroidManifest.xml", "classes.dex"),
    "docx of a thousand parts": zipped(
        "[Content_Types].xml", "word/document.xml", *(f"word/media/{n:>60}" for n in range(1_000))
    ),
    "zip of a thousand documents": zipped(
        *(f"{n}.docx" for n in range(1_000)),
        content=zipped("[Content_Types].xml", "word/document.xml"),
    ),
}

TEXT = {
    "ifc": IFC,
    "ifc after a mark and a comment": b"\xef\xbb\xbf\n /* a */ /* b */\n" + IFC,
    "ifc with its schema out of sight": b"ISO-10303-21;\nDATA;\n#1=IFCPROJECT('x',$);\n",
    "ifc with a stray control byte": IFC.replace(b"HEADER;", b"HEADER;/*\x01*/"),
    "step": IFC.replace(b"IFC2X3", b"AUTOMOTIVE_DESIGN"),
    "dxf": DXF,
    "dxf after a comment": b"999\nmade by us\n" + DXF,
    "dxf with a stray control byte": DXF + b"\x02",
    "xml": b'<?xml version="1.0"?>\n<!-- x -->\n<a:root xmlns:a="x"/>',
    "xml without a declaration": b"<Project><Name/></Project>",
    "xml in UTF-16": '\ufeff<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16-le"),
    "xml cut short": b'<?xml version="1.0"?><!-- ' + b"x" * 70_000,
    "ifcxml": b'<?xml version="1.0"?><ifc:ifcXML xmlns:ifc="x"></ifc:ifcXML>',
    "svg": SVG,
    "svg after a doctype": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]>' + SVG,
    "html": b"\r\n<!-- saved --><!DocType  HTML><html>",
    "html without a doctype": b"<TABLE><tr>",
    "html that is XML": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">',
    "json": b' {"a": [1, 2]}',
    "json of numbers": b"[1, 2]",
    "gltf": json.dumps({"asset": {"version": "2.0"}, "scenes": []}).encode(),
    "stl": b"solid cube\n facet normal 0 0 1\n  outer loop\n   vertex 0 0 0\n",
    "obj": b"# made by us\nmtllib a.mtl\nv 1.0 2.0 3.0\nf 1 1 1\n",
    "xer": b"ERMHDR\t8.0\t2026-11-22\tProject\r\n",
    "eml": b"Received: from a\r\nFrom: a@b.c\r\nSubject: RFI 12\r\n\r\nDear all,\r\n",
    "script": b"#!/bin/sh\nrm -rf /\n",
    "text": b"Delivery note\r\n12 x A-101\r\n",
    "text in UTF-16": "Lieferschein für A-101\r\n".encode("utf-16"),
    "text in UTF-16 without a mark": "Lieferschein A-101\r\n".encode("utf-16-be"),
    "text in Latin-1": "Maße: 12 m²\n".encode("latin-1"),
    "text in GBK": "建筑施工图\n".encode("gbk"),
    "text cut inside a letter": ("é" * 40_000).encode()[: HEAD_BYTES - 1],
    "text like a program": b"MZ-101;valve\n",
    "text like a picture": b"BM 12, bench mark 34.5 m\n",
    "text like a drawing": b"AC1001 air handling unit\n",
    "text like a PDF": b"the header is %PDF-1.4, see above\n",
    "text like settings": b"[Section]\nkey=value\n",
    "text like a mail": b"Subject: pour of slab 3\nall fine\n",
    "text like an element": b"<3 this building\n",
}


@pytest.mark.parametrize("title", BINARY)
def test_a_file_is_known_by_its_bytes(title):
    """Signatures, names inside containers, and numbers that fit together tell the kind."""
    assert whole(BINARY[title]) == title.split(" ", maxsplit=1)[0]


@pytest.mark.parametrize("title", TEXT)
def test_text_is_known_by_how_it_begins(title):
    """In any encoding; and words that look like a signature stay words."""
    assert whole(TEXT[title]) == title.split(" ", maxsplit=1)[0]


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: repr(signature.magic))
def test_every_signature_is_found_in_its_place(signature):
    """A file that begins with a listed signature is of its kind, whatever follows."""
    head = b"\xfe" * signature.offset + signature.magic + bytes(range(256)) * 2
    assert whole(head) == signature.kind


def test_nothing_is_empty():
    """A file without bytes is of a kind of its own."""
    assert sniff(b"", size=0) is KINDS["empty"]


@pytest.mark.parametrize("title", BINARY)
def test_a_head_alone_claims_no_more_than_the_whole(title):
    """Without the tail of a longer file, the kind is the same or a more general one."""
    content = BINARY[title]
    known = whole(content)
    seen = sniff(content[:200], size=len(content) + HEAD_BYTES).name
    general = {"zip", "opc", "ole", "binary", "text", "ifczip"}
    assert seen == known or seen in general


@given(st.binary(max_size=2_000), st.sampled_from([*BINARY.values(), *TEXT.values()]))
def test_any_bytes_have_a_kind(noise, opening):
    """Cut, damaged and random content is given a kind, and never an exception."""
    half = len(noise) // 2
    for head in (noise, opening[: half % (len(opening) + 1)] + noise, opening[:100] + noise):
        assert sniff(head, size=len(head)).name in KINDS
        assert sniff(head, tail=noise, size=10 * len(head) + 1).name in KINDS


@pytest.mark.parametrize(
    "content",
    [
        b"/* */" * 13_000,
        b"<!-- -->" * 8_000,
        b"<?a?>" * 13_000,
        b"999\n\n" * 13_000,
        b"#\n" * 32_000,
        b"PK\x03\x04" * 16_000,
        b"PK\x03\x04" + b"\0" * 22 + b"\xff\xff\xff\xff" * 16_000,
        b"PK\x03\x04" + b"PK\x01\x02" * 16_000 + b"PK\x05\x06" + b"\xff" * 18,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x05\x00" * 32_000,
        b"FILE_SCHEMA(" * 5_000,
        b"From: \n" * 9_000,
        b" " * 65_536,
        b"[" * 65_536,
        b"\r%PDF" * 13_000,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_hostile_content_costs_no_more_than_other_content(content):
    """Looking is linear: content made to be looked at again and again takes no longer.

    A count of steps would be exact; half a second is a thousand times what it takes, and far less
    than what anything quadratic takes.
    """
    begun = process_time()
    whole(content)
    assert process_time() - begun < 0.5

"""The sample's files are what their names say, down to offsets, references and tags."""

import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image, ImageOps
from PIL.ExifTags import GPS, IFD, Base

from laydown.sample import generate
from laydown.sample.building import design
from laydown.sample.drawings import DrawingOffice
from laydown.sample.dxf import Content, Release, storey_plan
from laydown.sample.ifc import Model, model
from laydown.sample.site import ALTITUDE, LATITUDE, LONGITUDE, dice, past_moment


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    generate(folder, files=60)
    return folder


def _whole(folder: Path, pattern: str) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob(pattern))
        if path.stat().st_size and not path.name.startswith("~$")
    ]


def _photos(folder: Path) -> list[Path]:
    found = [path for path in _whole(folder, "*.[jJ][pP]*[gG]") if "Scan" not in path.name]
    assert len(found) > 10
    return found


def _offsets(data: bytes) -> list[int]:
    """The offsets of objects 1 and up, as the xref table says."""
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", data)[1])
    head = re.compile(rb"xref\n0 (\d+)\n0000000000 65535 f \n").match(data, start)
    rows = data[head.end() :][: 20 * (int(head[1]) - 1)]
    assert re.fullmatch(rb"(\d{10} 00000 n \n)*", rows)
    return [int(rows[place : place + 10]) for place in range(0, len(rows), 20)]


def test_every_object_of_a_pdf_is_where_its_table_says(delivery):
    for path in _whole(delivery, "*.pdf"):
        data = path.read_bytes()
        assert data.startswith(b"%PDF-1.7\n")
        offsets = _offsets(data)
        for number, offset in enumerate(offsets, start=1):
            assert data.startswith(b"%d 0 obj\n" % number, offset), path
        references = {int(number) for number in re.findall(rb"(\d+) 0 R", _plain(data))}
        assert references <= set(range(1, len(offsets) + 1))


def _plain(data: bytes) -> bytes:
    """The file without what lies in its streams."""
    return re.sub(rb"stream\n.*?\nendstream", b"", data, flags=re.DOTALL)


def _streams(data: bytes) -> list[bytes]:
    found = []
    for head in re.finditer(rb"/Length (\d+) /Filter /FlateDecode >>\nstream\n", data):
        end = head.end() + int(head[1])
        assert data.startswith(b"\nendstream\nendobj\n", end)
        found.append(zlib.decompress(data[head.end() : end]))
    return found


def test_streams_of_a_pdf_are_as_long_as_they_say_and_balanced(delivery):
    for path in _whole(delivery, "*.pdf"):
        streams = _streams(path.read_bytes())
        assert streams
        for stream in streams:
            words = re.sub(rb"\((\\.|[^\\)])*\)", b"", stream).split()
            assert words.count(b"q") == words.count(b"Q")
            assert words.count(b"BT") == words.count(b"ET")


def test_a_sheet_says_in_text_what_it_is():
    office = DrawingOffice(1)
    for assignment in office.assignments(12):
        sheet = assignment.sheet
        data = office.single(assignment)
        text = b"\n".join(_streams(data)).decode("cp1252")
        for said in (sheet.number, sheet.title, sheet.firm.name, "Mühlbach Campus, Building 1"):
            assert f"({said}) Tj" in text
        assert f"({sheet.issued:%Y-%m-%d}) Tj" in text
        title = f"{sheet.number} {sheet.title}".encode("utf-16-be").hex().upper()
        assert f"/Title <FEFF{title}>".encode() in data
        assert b"/MediaBox [0 0 2383.94 1683.78]" in data
        assert 10_000 < len(data) < 150_000


def test_every_discipline_draws_and_no_sheet_has_the_number_of_another():
    assignments = DrawingOffice(1).assignments(700)

    assert {assignment.sheet.number[0] for assignment in assignments[:20]} == set("ACEMPS")
    assert len({(each.sheet.building, each.sheet.number) for each in assignments}) == 700


def test_a_bound_set_has_a_page_for_each_sheet_and_shares_its_drawings():
    office = DrawingOffice(1)
    sheets = [each for each in office.assignments(80) if each.sheet.number.startswith("M-1")][:4]

    data = office.bound(sheets, title="Set")

    assert b"/Type /Pages /Count 4 " in data
    assert _plain(data).count(b"/Type /Page /Parent") == 4
    # One frame for all, one plan for each storey.
    storeys = {each.place for each in sheets}
    assert _plain(data).count(b"/Subtype /Form") == 1 + len(storeys)


def test_a_photo_says_when_and_where_it_was_taken(delivery):
    offsets, places = 0, 0
    for path in _photos(delivery):
        with Image.open(path) as picture:
            picture.load()
            exif = picture.getexif()
        assert exif[Base.Make]
        assert exif[Base.Model]
        camera = exif.get_ifd(IFD.Exif)
        day = path.relative_to(delivery / "03 Photos").parts[0]
        assert camera[Base.DateTimeOriginal].startswith(day.replace("-", ":"))
        offsets += camera.get(Base.OffsetTimeOriginal) in {"+02:00", "+01:00"}
        if position := exif.get_ifd(IFD.GPSInfo):
            places += 1
            assert _degrees(position[GPS.GPSLatitude]) == pytest.approx(LATITUDE, abs=0.001)
            assert _degrees(position[GPS.GPSLongitude]) == pytest.approx(LONGITUDE, abs=0.0015)
            assert ALTITUDE <= position[GPS.GPSAltitude] <= ALTITUDE + 60
    total = len(_photos(delivery))
    assert 0 < offsets < total
    assert 0 < places < total


def _degrees(parts: tuple[float, float, float]) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def test_a_turned_photo_is_upright_once_its_orientation_is_heeded(delivery):
    turned = 0
    for path in _photos(delivery):
        with Image.open(path) as picture:
            if picture.getexif()[Base.Orientation] == 6:
                turned += 1
                assert picture.width > picture.height
                upright = ImageOps.exif_transpose(picture)
                assert upright.height > upright.width
    assert turned


def test_photos_have_the_size_of_photos_sent_by_a_messenger(delivery):
    for path in _photos(delivery):
        assert 50_000 < path.stat().st_size < 300_000


def test_office_files_are_sound_packages_whose_parts_exist(delivery):
    packages = [*_whole(delivery, "*.xlsx"), *_whole(delivery, "*.docx")]
    assert len(packages) >= 3
    for path in packages:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            parts = archive.namelist()
            assert parts[0] == "[Content_Types].xml"
            documents = {part: ET.fromstring(archive.read(part)) for part in parts}
        for entry in documents["[Content_Types].xml"]:
            if part := entry.get("PartName"):
                assert part.removeprefix("/") in parts
        for rels in (part for part in parts if part.endswith(".rels")):
            base = rels.partition("_rels/")[0]
            for relation in documents[rels]:
                assert base + relation.get("Target") in parts


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize("content", Content)
def test_a_dxf_is_pairs_in_closed_sections(content, release):
    building = design(1, 1)
    at = past_moment(dice(1, "test"))

    data = storey_plan(building, building.storeys[1], at, content=content, release=release)

    lines = data.decode("cp1252").split("\r\n")
    assert lines.pop() == ""
    pairs = [(int(code), value) for code, value in zip(lines[::2], lines[1::2], strict=True)]
    assert pairs[-1] == (0, "EOF")
    for opening, closing in (
        ("SECTION", "ENDSEC"),
        ("TABLE", "ENDTAB"),
        ("BLOCK", "ENDBLK"),
        ("POLYLINE", "SEQEND"),
    ):
        assert pairs.count((0, opening)) == pairs.count((0, closing))
    assert pairs[pairs.index((9, "$ACADVER")) + 1] == (1, release.value)
    layers = {value for code, value in pairs if code == 8}
    defined = {
        pairs[place + 1 : place + 8][[code for code, _ in pairs[place + 1 : place + 8]].index(2)][1]
        for place, pair in enumerate(pairs)
        if pair == (0, "LAYER")
    }
    assert layers <= defined


def test_no_handle_of_a_dxf_is_used_twice():
    building = design(1, 1)
    data = storey_plan(
        building,
        building.storeys[1],
        past_moment(dice(1, "test")),
        content=Content.ARCHITECTURE,
        release=Release.R2000,
    )
    lines = data.decode("cp1252").split("\r\n")
    pairs = list(zip(lines[::2], lines[1::2], strict=False))
    after_header = pairs[pairs.index(("  0", "ENDSEC")) :]

    handles = [value for code, value in after_header if code.strip() in {"5", "105"}]

    assert len(handles) == len(set(handles)) > 300


@pytest.mark.parametrize("of", Model)
def test_an_ifc_model_refers_only_to_what_it_holds(of):
    building = design(1, 1)
    chance = dice(1, "test")

    text = model(chance, building, building.storeys, past_moment(chance), of=of).decode("ascii")

    assert text.startswith("ISO-10303-21;\nHEADER;\n")
    assert text.endswith("ENDSEC;\nEND-ISO-10303-21;\n")
    assert "FILE_SCHEMA(('IFC4'));" in text
    defined = [int(number) for number in re.findall(r"^#(\d+)=", text, flags=re.MULTILINE)]
    assert defined == list(range(1, len(defined) + 1))
    for line in text.splitlines():
        if entity := re.match(r"#(\d+)=", line):
            referred = [int(number) for number in re.findall(r"#(\d+)", line[entity.end() :])]
            assert all(number < int(entity[1]) for number in referred)
    identities = re.findall(r"=IFC\w+\('([0-9A-Za-z_$]{22})',", text)
    assert len(identities) == len(set(identities))
    assert text.count("IFCBUILDINGSTOREY(") == len(building.storeys)
    assert r"'M\X2\00FC\X0\hlbach Campus'" in text


def test_rooms_doors_and_walls_of_a_storey_fit_each_other():
    building = design(1, 1)
    for storey in building.storeys:
        assert len(storey.rooms) == len(storey.doors) > 20
        for door in storey.doors:
            solid = [
                wall
                for wall in storey.walls
                if wall.is_horizontal
                and wall.y0 == door.y
                and wall.x0 < door.x + door.width
                and wall.x1 > door.x
            ]
            assert not solid, f"{door.number} is walled up"

"""Names in the heads of a form's parts: every client's way of writing them, and none guessed."""

import pytest

from laydown.domain.errors import InvalidRequest
from laydown.http.form_heads import PartHead, head_of


def head(value: str | bytes, *, charset: str | None = None, **headers: str) -> PartHead:
    raw = value if isinstance(value, bytes) else value.encode()
    more = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return head_of([(b"content-disposition", raw), *more], charset=charset)


def filename(value: str | bytes, **more: str) -> str | None:
    found = head(value, **more)
    assert found.is_legible
    return found.filename


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('filename="plan.pdf"', "plan.pdf"),
        ("filename=plan.pdf", "plan.pdf"),
        ('FileName = "plan.pdf"', "plan.pdf"),
        ('filename="Grundriß EG.pdf"', "Grundriß EG.pdf"),
        ('filename="平面図 🏗.dwg"', "平面図 🏗.dwg"),
        ('filename="a%22b.pdf"', 'a"b.pdf'),  # browsers, curl since 7.81, requests
        ('filename="a\\"b.pdf"', 'a"b.pdf'),  # curl before, Java
        ('filename="a\\\\b.pdf"', "a\\b.pdf"),
        ('filename="C:\\new\\plan.pdf"', "C:\\new\\plan.pdf"),  # not escapes: Internet Explorer
        ('filename="ends in \\"', "ends in \\"),
        ('filename="50%25 done%.pdf"', "50%25 done%.pdf"),  # only three sequences are escapes
        ('filename="line%0D%0Abreak"', "line\r\nbreak"),
        ('filename="a;b=c.pdf"', "a;b=c.pdf"),
        ('filename="site/photos/1.jpg"', "site/photos/1.jpg"),
        ('filename=""', ""),
        ("filename*=UTF-8''Grundri%C3%9F%20EG.pdf", "Grundriß EG.pdf"),
        ("filename*=utf-8'de'Grundri%C3%9F.pdf", "Grundriß.pdf"),
        ("filename*=ISO-8859-1''Grundri%DF.pdf", "Grundriß.pdf"),
        ("filename=\"Grundriss.pdf\"; filename*=UTF-8''Grundri%C3%9F.pdf", "Grundriß.pdf"),
        ('filename*0="a very long "; filename*1="name.pdf"', "a very long name.pdf"),
        ("filename*0*=UTF-8''Gru%C3%9F; filename*1=\" 5%25.pdf\"", "Gruß 5%25.pdf"),
        ("filename*1*=%C3%9F.pdf; filename*0*=UTF-8''a", "aß.pdf"),
    ],
)  # fmt: skip
def test_a_name_is_read_as_it_was_meant(written, meant):
    """Each way in which a client writes a file's name gives the name that the user sees."""
    assert filename(f'form-data; name="files"; {written}') == meant


def test_bytes_of_another_charset_are_marked():
    """A name in Latin-1 that nobody declared is not guessed: it can't be read, and says so."""
    raw = 'form-data; name="f"; filename="Grundriß.pdf"'.encode("latin-1")
    found = head(raw)
    assert (found.filename, found.is_legible) == ("Grundri\ufffd.pdf", False)
    assert filename(raw, charset="windows-1252") == "Grundriß.pdf"


@pytest.mark.parametrize(
    "written",
    [
        "filename*=UTF-8''Gru%DF.pdf",
        "filename*=KOI8-R''%F0%CC%C1%CE.pdf",
        "filename*=plan.pdf",
    ],
)
def test_an_encoding_that_does_not_hold_is_marked(written):
    """What `filename*` says of itself and isn't true, or isn't known, can't be read."""
    assert not head(f'form-data; name="f"; {written}').is_legible


def test_a_field_is_no_file():
    """Without a file name in any form, a part is a field; its name is unescaped alike."""
    found = head('form-data; name="a%22b"')
    assert (found.name, found.filename) == ('a"b', None)


def test_the_type_is_kept():
    """A part's own Content-Type is told."""
    found = head('form-data; name="f"; filename="a"', content_type="image/png")
    assert found.content_type == "image/png"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "attachment; filename=x",
        'form-data; name="a"; name="b"',
        'form-data; name="a"; filename="b"; FILENAME="c"',
        'form-data; name="a',
        'form-data; name="a" filename="b"',
        'form-data; name="a"; filename="b"junk',
        "form-data; =x",
        "form-data; name",
        'form-data; name="f"; filename*0=a; filename*2=b',
        'form-data; name="f"; filename="a" ; ; x',
        "\x00",
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(value):
    """A head that two parsers would read differently is no head."""
    with pytest.raises(InvalidRequest):
        head(value)


def test_a_head_is_read_in_time_that_grows_with_it():
    """Eight thousand backslashes, quotes or semicolons take no longer than as many letters."""
    for filler in (b"\\", b'"', b";", b"%", b"'", b"=", b" ", b'\\"'):
        try:
            head(b'form-data; name="f"; filename="' + filler * 4_000 + b"x")
        except InvalidRequest:
            continue


def test_encoded_bodies_are_not_taken():
    """A Content-Transfer-Encoding that changes bytes is refused: what is stored would be wrong."""
    with pytest.raises(InvalidRequest):
        head('form-data; name="f"; filename="a"', content_transfer_encoding="base64")
    assert head('form-data; name="f"', content_transfer_encoding="binary").name == "f"


def test_a_head_needs_a_disposition_and_has_it_once():
    """None and two of them are refused alike."""
    with pytest.raises(InvalidRequest):
        head_of([(b"content-type", b"text/plain")], charset=None)
    with pytest.raises(InvalidRequest):
        head_of([(b"content-disposition", b"form-data; name=a")] * 2, charset=None)

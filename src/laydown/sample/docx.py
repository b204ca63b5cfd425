"""Letters and minutes as Office Open XML text documents (ECMA-376)."""

from collections.abc import Sequence
from datetime import datetime
from random import Random
from xml.sax.saxutils import escape

from laydown.sample.package import content_types, core_properties, package, relations
from laydown.sample.site import CONTRACTOR, PEOPLE, PROJECT
from laydown.sample.wording import answers, minutes, question

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_STYLES = (
    f'<w:styles xmlns:w="{_WORD}"><w:docDefaults><w:rPrDefault><w:rPr>'
    '<w:rFonts w:ascii="Arial" w:hAnsi="Arial"/><w:sz w:val="20"/></w:rPr></w:rPrDefault>'
    '</w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal">'
    '<w:name w:val="Normal"/><w:pPr><w:spacing w:after="120"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/>'
    '<w:basedOn w:val="Normal"/><w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style></w:styles>'
)


def protocol(chance: Random, at: datetime, *, title: str) -> bytes:
    """Return the minutes of a meeting with a table of what was decided."""
    people = ", ".join(chance.sample(PEOPLE, 5))
    rows = [
        (item.number, item.text, item.owner, f"{item.due:%d.%m.%Y}")
        for item in minutes(chance, at.date())
    ]
    body = [
        _paragraph(title, style="Heading1"),
        _paragraph(f"{PROJECT}, {at:%d.%m.%Y %H:%M}, site office"),
        _paragraph(f"Present: {people}"),
        _table([("No.", "Decision", "By", "Until"), *rows]),
        _paragraph(f"Next meeting in one week. {answers(chance, 1)[0]}"),
    ]
    return _document(body, title=title, author=chance.choice(PEOPLE), at=at)


def letter(chance: Random, at: datetime, *, title: str, about: str) -> bytes:
    """Return a letter about something."""
    sender, recipient = chance.sample(PEOPLE, 2)
    body = [
        _paragraph(CONTRACTOR),
        _paragraph(f"{at:%d.%m.%Y}"),
        _paragraph(title, style="Heading1"),
        _paragraph(f"Dear {recipient},"),
        *(_paragraph(sentence) for sentence in question(chance, about)),
        *(_paragraph(sentence) for sentence in answers(chance, 3)),
        _paragraph("Kind regards"),
        _paragraph(sender),
    ]
    return _document(body, title=title, author=sender, at=at)


def _document(body: Sequence[str], *, title: str, author: str, at: datetime) -> bytes:
    page = (
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1417" w:right="1134" '
        'w:bottom="1134" w:left="1417" w:header="708" w:footer="708" w:gutter="0"/></w:sectPr>'
    )
    parts = {
        "[Content_Types].xml": content_types(
            {
                "word/document.xml": f"{_TYPE}.document.main+xml",
                "word/styles.xml": f"{_TYPE}.styles+xml",
                "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
            }
        ),
        "_rels/.rels": relations(
            {"word/document.xml": "officeDocument", "docProps/core.xml": "core-properties"}
        ),
        "docProps/core.xml": core_properties(title, author, at),
        "word/document.xml": (
            f'<w:document xmlns:w="{_WORD}"><w:body>{"".join(body)}{page}</w:body></w:document>'
        ),
        "word/_rels/document.xml.rels": relations({"styles.xml": "styles"}),
        "word/styles.xml": _STYLES,
    }
    return package(parts)


def _paragraph(text: str, *, style: str = "") -> str:
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{look}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = (900, 5200, 2000, 1300)
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    lines = "".join(
        "<w:tr>"
        + "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{_paragraph(cell)}</w:tc>'
            for width, cell in zip(widths, row, strict=True)
        )
        + "</w:tr>"
        for row in rows
    )
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="888888"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="9400" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{lines}</w:tbl>"
    )

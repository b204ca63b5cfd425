"""Letters on A4 as PDF: requests for information, submittals and site reports."""

from collections.abc import Sequence
from datetime import datetime
from random import Random

from laydown.sample.details import detail, table
from laydown.sample.pdf import Page, document
from laydown.sample.pen import Align, Pen
from laydown.sample.site import CLIENT, CONTRACTOR, PEOPLE, PROJECT, PROJECT_CODE, SUBCONTRACTORS
from laydown.sample.wording import answers, minutes, question

_WIDTH, _HEIGHT = 210.0, 297.0
_LEFT, _RIGHT = 25.0, 190.0
_MATTERS = (("No.", 14.0), ("Matter", 106.0), ("By", 24.0), ("Until", 21.0))


def request(chance: Random, at: datetime, *, number: str, about: str) -> bytes:
    """Return a request for information with a sketch on its second page."""
    sender, recipient = chance.sample(PEOPLE, 2)
    pen = _letterhead(number, "Request for information", at)
    _fields(
        pen,
        (
            ("Project", f"{PROJECT} ({PROJECT_CODE})"),
            ("From", f"{sender}, {CONTRACTOR}"),
            ("To", recipient),
            ("Subject", about),
            ("Answer needed", chance.choice(("within 3 working days", "within 5 working days"))),
        ),
    )
    y = pen.lines_of_text(_LEFT, 186, question(chance, about), size=3.6, gap=1.9)
    pen.text(_LEFT, y - 12, "Answer", size=4, bold=True)
    pen.lines_of_text(_LEFT, y - 20, answers(chance, 2), size=3.6, gap=1.9)
    _foot(pen, sender, page=1, pages=2)
    sketch = _letterhead(number, "Attachment 1: sketch", at)
    detail(sketch, 5, 70, number=chance.randrange(1, 10), chance=chance)
    _foot(sketch, sender, page=2, pages=2)
    return _bind((pen, sketch), title=f"{number} {about}", author=sender, at=at)


def submittal(chance: Random, at: datetime, *, number: str, about: str) -> bytes:
    """Return a submittal cover with two sheets of details."""
    sender = chance.choice(SUBCONTRACTORS)
    pen = _letterhead(number, "Submittal", at)
    _fields(
        pen,
        (
            ("Project", f"{PROJECT} ({PROJECT_CODE})"),
            ("From", sender),
            ("For", CLIENT),
            ("Subject", about),
            ("Status", chance.choice(("For approval", "Approved", "Approved as noted"))),
        ),
    )
    pen.lines_of_text(_LEFT, 186, answers(chance, 4), size=3.6, gap=1.9)
    _foot(pen, sender, page=1, pages=3)
    pens = [pen]
    for page in (2, 3):
        sheet = _letterhead(number, f"Shop drawing {page - 1}", at)
        detail(sheet, 5, 80, number=page + chance.randrange(8), chance=chance)
        _foot(sheet, sender, page=page, pages=3)
        pens.append(sheet)
    return _bind(pens, title=f"{number} {about}", author=sender, at=at)


def report(chance: Random, at: datetime, *, number: str, about: str) -> bytes:
    """Return a site report: the weather, who worked, what was decided."""
    author = chance.choice(PEOPLE)
    pen = _letterhead(number, "Site report", at)
    crews = ", ".join(
        f"{name} ({chance.randrange(2, 15)})" for name in chance.sample(SUBCONTRACTORS, 3)
    )
    _fields(
        pen,
        (
            ("Project", f"{PROJECT} ({PROJECT_CODE})"),
            ("Author", author),
            ("Weather", f"{chance.randrange(2, 19)} °C, {chance.choice(('dry', 'rain', 'fog'))}"),
            ("At work", crews),
            ("Subject", about),
        ),
    )
    rows = [
        (
            item.number,
            item.text,
            "".join(part[0] for part in item.owner.split()),
            f"{item.due:%d.%m.}",
        )
        for item in minutes(chance, at.date())
    ]
    table(pen, _LEFT, 190, columns=_MATTERS, rows=rows)
    _foot(pen, author, page=1, pages=2)
    sketch = _letterhead(number, "Sketch of the work done", at)
    detail(sketch, 5, 90, number=chance.randrange(1, 10), chance=chance)
    _foot(sketch, author, page=2, pages=2)
    return _bind((pen, sketch), title=f"{number} {about}", author=author, at=at)


def _letterhead(number: str, kind: str, at: datetime) -> Pen:
    pen = Pen()
    pen.ink(0.1, 0.3, 0.5)
    pen.rect(_LEFT, 272, 10, 10, fill=True)
    pen.ink(0)
    pen.text(_LEFT + 14, 276.5, CONTRACTOR, size=5, bold=True)
    pen.text(_LEFT + 14, 272, "Site office Mühlbach, gate 2", size=3)
    pen.text(_RIGHT, 276.5, number, size=6, bold=True, align=Align.RIGHT)
    pen.text(_RIGHT, 272, f"{at:%d.%m.%Y}", size=3.4, align=Align.RIGHT)
    pen.width(0.5)
    pen.line(_LEFT, 268, _RIGHT, 268)
    pen.text(_LEFT, 254, kind, size=7, bold=True)
    return pen


def _fields(pen: Pen, fields: Sequence[tuple[str, str]]) -> None:
    pen.width(0.18)
    for row, (name, value) in enumerate(fields):
        y = 242 - 9 * row
        pen.text(_LEFT, y, name, size=3.2, bold=True)
        pen.text(_LEFT + 34, y, value, size=3.8)
        pen.line(_LEFT, y - 3, _RIGHT, y - 3)


def _foot(pen: Pen, sender: str, *, page: int, pages: int) -> None:
    pen.width(0.18)
    pen.line(_LEFT, 20, _RIGHT, 20)
    pen.text(_LEFT, 15, f"{sender}, {PROJECT}", size=2.8)
    pen.text(_RIGHT, 15, f"Page {page} of {pages}", size=2.8, align=Align.RIGHT)


def _bind(pens: Sequence[Pen], *, title: str, author: str, at: datetime) -> bytes:
    pages = [Page(width=_WIDTH, height=_HEIGHT, content=pen.content()) for pen in pens]
    info = {"Title": title, "Author": author, "Subject": PROJECT, "Creator": "Textwerk 11"}
    return document(pages, info=info, at=at)

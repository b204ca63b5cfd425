"""Workbooks with one sheet as Office Open XML (ECMA-376): schedules, logs and registers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from xml.sax.saxutils import escape

from laydown.sample.building import Storey
from laydown.sample.details import DOOR_COLUMNS, door_rows
from laydown.sample.package import content_types, core_properties, package, relations
from laydown.sample.site import MATERIALS, PEOPLE, SUBCONTRACTORS, Discipline, happens
from laydown.sample.wording import subject

Cell = str | int | float
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = (
    f'<styleSheet xmlns="{_SPREADSHEET}"><fonts count="2"><font><sz val="10"/>'
    '<name val="Arial"/></font><font><b/><sz val="10"/><name val="Arial"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid">'
    '<fgColor rgb="FFD9E1F2"/><bgColor indexed="64"/></patternFill></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>"
)


def workbook(
    head: Sequence[str], rows: Sequence[Sequence[Cell]], *, title: str, author: str, at: datetime
) -> bytes:
    """Return an XLSX file: one sheet with a frozen head, a filter, and *rows*."""
    sheet = escape(title[:31])  # a sheet's name has at most 31 letters
    book = (
        f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    parts = {
        "[Content_Types].xml": content_types(
            {
                "xl/workbook.xml": f"{_TYPE}.sheet.main+xml",
                "xl/worksheets/sheet1.xml": f"{_TYPE}.worksheet+xml",
                "xl/styles.xml": f"{_TYPE}.styles+xml",
                "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
            }
        ),
        "_rels/.rels": relations(
            {"xl/workbook.xml": "officeDocument", "docProps/core.xml": "core-properties"}
        ),
        "docProps/core.xml": core_properties(title, author, at),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": relations(
            {"worksheets/sheet1.xml": "worksheet", "styles.xml": "styles"}
        ),
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": _sheet(head, rows),
    }
    return package(parts)


def _sheet(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    widths = [
        min(48, 3 + max(len(str(row[column])) for row in (head, *rows)))
        for column in range(len(head))
    ]
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>'
        for n, width in enumerate(widths, start=1)
    )
    lines = [
        _row(1, head, style=1),
        *(_row(n, row, style=0) for n, row in enumerate(rows, start=2)),
    ]
    last = f"{chr(ord('A') + len(head) - 1)}{len(rows) + 1}"
    return (
        f'<worksheet xmlns="{_SPREADSHEET}"><dimension ref="A1:{last}"/><sheetViews>'
        '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
        f'state="frozen"/></sheetView></sheetViews><cols>{columns}</cols>'
        f'<sheetData>{"".join(lines)}</sheetData><autoFilter ref="A1:{last}"/></worksheet>'
    )


def _row(number: int, cells: Sequence[Cell], *, style: int) -> str:
    texts = []
    for column, cell in enumerate(cells):
        place = f'r="{chr(ord("A") + column)}{number}" s="{style}"'
        if isinstance(cell, str):
            texts.append(f'<c {place} t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
        else:
            texts.append(f"<c {place}><v>{cell}</v></c>")
    return f'<row r="{number}">{"".join(texts)}</row>'


def door_schedule(chance: Random, storey: Storey, at: datetime, *, title: str) -> bytes:
    """Return the doors of a storey, the same doors as on its plans."""
    head = [name for name, _ in DOOR_COLUMNS]
    rows: list[list[Cell]] = [
        [int(cell) if cell.isdigit() else cell for cell in row] for row in door_rows(storey, chance)
    ]
    return workbook(head, rows, title=title, author=chance.choice(PEOPLE), at=at)


def request_log(chance: Random, at: datetime, *, title: str) -> bytes:
    """Return the log of requests for information up to a day."""
    head = ("RFI", "Subject", "Raised by", "Raised", "Due", "Answered", "Status")
    rows: list[list[Cell]] = []
    for number in range(1, chance.randrange(60, 140)):
        raised = at - timedelta(days=chance.randrange(1, 120))
        is_closed = happens(chance, 0.8)  # most questions are answered
        rows.append(
            [
                f"RFI-{number:03d}",
                subject(chance),
                chance.choice(SUBCONTRACTORS),
                f"{raised:%Y-%m-%d}",
                f"{raised + timedelta(days=7):%Y-%m-%d}",
                f"{raised + timedelta(days=chance.randrange(2, 12)):%Y-%m-%d}" if is_closed else "",
                "Closed" if is_closed else "Open",
            ]
        )
    return workbook(head, rows, title=title, author=chance.choice(PEOPLE), at=at)


def submittal_register(chance: Random, at: datetime, *, title: str) -> bytes:
    """Return what was submitted for approval and where it stands."""
    head = ("No.", "Section", "Item", "Supplier", "Discipline", "Submitted", "Result", "Copies")
    rows: list[list[Cell]] = [
        [
            number,
            f"{chance.randrange(1, 34):02d} {chance.randrange(10, 99)} 00",
            chance.choice(MATERIALS)[0],
            chance.choice(SUBCONTRACTORS),
            chance.choice(list(Discipline)).name.title(),
            f"{at - timedelta(days=chance.randrange(1, 150)):%Y-%m-%d}",
            chance.choice(("Approved", "Approved as noted", "Revise and resubmit", "Pending")),
            chance.randrange(1, 5),
        ]
        for number in range(1, chance.randrange(50, 110))
    ]
    return workbook(head, rows, title=title, author=chance.choice(PEOPLE), at=at)


def bill_of_quantities(chance: Random, at: datetime, *, title: str) -> bytes:
    """Return quantities and prices of a trade."""
    head = ("Pos.", "Description", "Unit", "Quantity", "Unit price", "Total")
    rows: list[list[Cell]] = []
    for number in range(1, chance.randrange(40, 90)):
        name, unit, quantity = chance.choice(MATERIALS)
        amount = quantity * chance.randrange(1, 20)
        cents = chance.randrange(400, 48000)
        position = f"{number // 10 + 1}.{number % 10:02d}"
        rows.append([position, name, unit, amount, cents / 100, amount * cents / 100])
    return workbook(head, rows, title=title, author=chance.choice(PEOPLE), at=at)

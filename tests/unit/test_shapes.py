"""The wire and the domain, into each other."""

import asyncio
import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown import wire
from laydown.domain.batch import Batch, OnConflict, Tally
from laydown.domain.errors import InvalidRequest, LedgerUnavailable, RangeNotSatisfiable
from laydown.domain.happening import Happening, Kind, Recorded
from laydown.domain.jobs import JobState
from laydown.domain.lifecycle import SETTLED, State
from laydown.domain.plan import PlanKind
from laydown.domain.reasons import EXPLANATIONS, Reason
from laydown.domain.upload import Entry, Upload, VerdictKind
from laydown.domain.verdicts import Refused
from laydown.http import entries, events, paging, ranges, receipts, shapes, tables
from laydown.ports import Page, UploadRecord
from laydown.services.receipts import ReceiptHead
from laydown.services.watching import Closed, Snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ID = UUID(int=7)
BATCH = Batch(
    id=ID,
    organization=ID,
    project=ID,
    reference="tower-b/1",
    label=None,
    on_conflict=OnConflict.NEW_VERSION,
    declared_by=ID,
    created_at=NOW,
    closed_at=None,
)
UPLOAD = Upload(
    id=ID,
    organization=ID,
    project=ID,
    batch=ID,
    entry=Entry(key="k", path="=1+1.pdf", folded="=1+1.pdf", size=9),
    state=State.REJECTED,
    reason=Reason.EMPTY_FILE,
    sha256=b"\x01" * 32,
)
RECORD = UploadRecord(upload=UPLOAD, order=3, declared_at=NOW, moved_at=NOW, version_number=2)


def read(*given, reference="r"):
    """Return what becomes of entries given as JSON text."""
    body = f'{{"reference": "{reference}", "entries": [{",".join(given)}]}}'.encode()
    return entries.read(entries.opened(body, entries.Envelope).entries)


def entry(**changes):
    """Return an entry as JSON text."""
    return json.dumps({"key": "k", "path": "a/b.pdf", "size": 1} | changes)


def test_the_wire_s_words_are_the_domain_s():
    """Every closed choice has the same members on the wire as in the domain."""
    assert set(get_args(wire.UploadState)) == {state.value for state in State}
    assert {state.value for state in SETTLED} == wire.SETTLED
    assert set(get_args(wire.VerdictKind)) == {kind.value for kind in VerdictKind}
    assert set(get_args(wire.OnConflict)) == {choice.value for choice in OnConflict}
    kinds, states = wire.Plan.__annotations__["kind"], wire.JobRow.__annotations__["state"]
    assert set(get_args(kinds)) == {kind.value for kind in PlanKind}
    assert set(get_args(states)) == {state.value for state in JobState}


def test_a_batch_adds_up():
    """Counts by state add up to what was declared, settled ones to what is settled."""
    tally = Tally(
        counts={State.READY: 2, State.RECEIVING: 1, State.FAILED: 0, State.SKIPPED: 1},
        sizes={State.READY: 20, State.RECEIVING: 30, State.SKIPPED: 5},
        reasons={Reason.SYSTEM_JUNK: 1, Reason.EXPIRED: 0},
        received=25,
        last_moved_at=NOW + timedelta(seconds=5),
    )
    shown = shapes.batch(BATCH, tally)
    assert shown.counts == {"ready": 2, "receiving": 1, "skipped": 1}
    assert sum(shown.counts.values()) == shown.declared.count
    assert shown.declared.bytes == 55
    assert (shown.settled.count, shown.settled.bytes) == (3, 25)
    assert shown.reasons == {"system_junk": 1}
    assert shown.bytes_per_second == 5
    assert shown.seconds_left == 5  # 30 bytes to come, 5 of them here


@pytest.mark.parametrize(
    ("closed", "state", "told"),
    [
        (False, State.READY, "open"),
        (True, State.CHECKING, "closed"),
        (True, State.READY, "settled"),
    ],
)
def test_a_batch_is_settled_when_it_is_closed_and_all_files_are(closed, state, told):
    """Open, closed and settled say what the batch and its files together say."""
    batch = replace(BATCH, closed_at=NOW if closed else None)
    assert shapes.batch(batch, Tally(counts={state: 1})).state == told


def test_nothing_is_foretold_without_bytes():
    """Before a byte is here there is no rate, and no end in sight."""
    shown = shapes.batch(BATCH, Tally(counts={State.DECLARED: 1}, sizes={State.DECLARED: 9}))
    assert (shown.bytes_per_second, shown.seconds_left) == (None, None)


def test_a_timeline_begins_with_the_declaration():
    """The first thing that happened to an upload is that it was declared."""
    moved = Happening(kind=Kind.MOVED, batch=ID, upload=ID, state=State.READY)
    shown = shapes.timeline(RECORD, [Recorded(organization=ID, number=8, at=NOW, happening=moved)])
    assert [(item.kind, item.state, item.number) for item in shown.items] == [
        ("declared", "declared", None),
        ("moved", "ready", 8),
    ]


def test_an_entry_is_read_whole():
    """Everything an entry may say arrives in the domain's terms."""
    text = entry(
        path="Pla\u0308ne/A.PDF",
        sha256="AB" * 32,
        content_type="application/pdf",
        modified_at="2026-11-22T14:00:00+02:00",
        position={"latitude": 47.5, "longitude": 8.5},
    )
    assert read(text) == [
        Entry(
            key="k",
            path="Pl\u00e4ne/A.PDF",
            folded="pl\u00e4ne/a.pdf",
            size=1,
            sha256=b"\xab" * 32,
            content_type="application/pdf",
            modified_at=NOW,
            position=(47.5, 8.5),
        )
    ]


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("1", ""),
        ('{"key": "k"}', ""),
        (entry(size="1"), "/size"),
        (entry(size=-1), "/size"),
        (entry(size=1.5), "/size"),
        (entry(size=2**63), "/size"),
        (entry(key=""), "/key"),
        (entry(key="k" * 1025), "/key"),
        (entry(key="a\0b"), "/key"),
        (entry(key="\ud800"), "/key"),
        (entry(sha256="ab"), "/sha256"),
        (entry(sha256="z" * 64), "/sha256"),
        (entry(content_type="a\nb"), "/content_type"),
        (entry(modified_at="yesterday"), "/modified_at"),
        (entry(modified_at="2026-11-22T12:00:00"), "/modified_at"),
        (entry(captured_at="0001-01-01T00:00:00+14:00"), "/captured_at"),
        (entry(position={"latitude": 91, "longitude": 0}), "/position"),
        (entry(position={"latitude": 0}), "/position"),
    ],
)
def test_a_bad_entry_fails_alone_and_is_pointed_at(text, pointer):
    """Between two good entries, a bad one is refused with the place of its fault."""
    first, bad, last = read(entry(key="1"), text, entry(key="3"))
    assert isinstance(first, Entry)
    assert isinstance(last, Entry)
    assert bad.reason is Reason.INVALID_ENTRY
    assert bad.entry is None
    assert bad.detail.startswith(f"/entries/1{pointer}: ")
    assert bad.key.isprintable()


@pytest.mark.parametrize(
    "path", ["", "../a", "/a", "a\0b", "a\udcffb", "x" * 5000, "a//b", "\u202e"]
)
def test_an_illegal_name_is_recorded_as_it_can_be_shown(path):
    """A file whose path no document may have is refused with a path that Postgres can keep."""
    [refused] = read(entry(path=path))
    assert isinstance(refused, Refused)
    assert refused.reason in {Reason.ILLEGAL_NAME, Reason.PATH_TOO_LONG}
    assert refused.entry.path
    assert refused.entry.path.isprintable()
    assert len(refused.entry.path.encode()) <= 1024


@given(
    st.lists(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), max_size=4
    )
)
def test_no_entry_breaks_the_reading_of_others(values):
    """Whatever JSON stands among the entries, each gets exactly one outcome, in order."""
    outcomes = read(*map(json.dumps, values), entry(key="last"))
    assert len(outcomes) == len(values) + 1
    assert isinstance(outcomes[-1], Entry)


@pytest.mark.parametrize(
    "body", ["", "[]", '{"entries": []}', '{"reference": "r", "entries": 1}', '{"reference": NaN}']
)
def test_an_envelope_must_be_one(body):
    """What is no batch at all is refused as a whole."""
    with pytest.raises(InvalidRequest):
        entries.opened(body.encode(), entries.Envelope)


@given(st.text())
def test_a_cursor_comes_back_as_it_was(text):
    """A cursor opens to what was sealed in it."""
    assert paging.opened(paging.sealed(text), str) == text


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("x", paging.number),
        (str(2**63), paging.number),
        ("x", paging.identifier),
        ("\0", paging.words),
    ],
)
def test_a_forged_cursor_is_refused(text, shape):
    """A cursor that holds what the list never says is the client's fault, not the ledger's."""
    with pytest.raises(InvalidRequest):
        paging.opened(paging.sealed(text), shape)


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_are_cut_where_the_next_begins(count, limit):
    """Walking the cursors gives every row once, and no page is empty but a sole one."""
    rows, seen, after = list(range(count)), [], -1
    while True:
        page = Page(limit=limit + 1)
        found = [row for row in rows if row > after][: page.limit]
        items, cursor = paging.cut(found, page, str)
        seen += items
        if cursor is None:
            break
        after = int(paging.opened(cursor, paging.number))
    assert seen == rows


CONTENT = bytes(range(10))


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", CONTENT[:1]),
        ("bytes=2-4", CONTENT[2:5]),
        ("Bytes = 7-", CONTENT[7:]),
        ("bytes=7-99", CONTENT[7:]),
        ("bytes=-3", CONTENT[-3:]),
        ("bytes=-99", CONTENT),
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        (None, None),
    ],
)
def test_a_range_is_the_bytes_it_names(header, part):
    """One satisfiable range gives its bytes; what is no range gives the whole."""
    span = ranges.asked(header, size=len(CONTENT))
    assert part == (None if span is None else CONTENT[span.start : span.start + span.length])


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=0-0", 0), ("bytes=-0", 10)]
)
def test_a_range_behind_the_end_can_not_be_had(header, size):
    """A range without a single byte of the content is an error."""
    with pytest.raises(RangeNotSatisfiable):
        ranges.asked(header, size=size)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(text):
    """Text that a spreadsheet would run is defused; numbers and other text stay."""
    assert tables.cell(text) == f"'{text}"
    assert [tables.cell(value) for value in (-1, None, "a=1")] == [-1, "", "a=1"]


async def pages(*sizes):
    """Yield pages of receipt rows."""
    for size in sizes:
        yield [shapes.receipt_row(RECORD)] * size


@pytest.mark.parametrize("sizes", [(), (1,), (3, 2)])
async def test_a_streamed_receipt_is_the_receipt(sizes):
    """The pieces of a receipt make up the JSON of its shape, however many pages there are."""
    head = ReceiptHead(batch=BATCH, tally=Tally(), is_final=True, scanner="none")
    body = b"".join([piece async for piece in receipts._json(head, pages(*sizes))])
    receipt = msgspec.json.decode(body, type=wire.Receipt)
    assert receipt.final
    assert list(receipt.rows) == [shapes.receipt_row(RECORD)] * sum(sizes)
    assert receipt.rows == [] or receipt.rows[0].remedy == EXPLANATIONS[Reason.EMPTY_FILE].remedy


async def test_a_receipt_s_table_reads_back():
    """The CSV has a line for each file under its headings, its formulas defused."""
    body = b"".join([piece async for piece in tables.table(wire.ReceiptRow, pages(2, 1))])
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert [row["path"] for row in rows] == ["'=1+1.pdf"] * 3
    assert rows[0]["moved_at"] == "2026-11-22T12:00:00Z"
    assert body.count(b"\r\n") == 4


def test_a_change_is_numbered_and_stays_on_its_lines():
    """A frame has its event, its number as id, and data on one line, whatever a path has."""
    moved = Happening(kind=Kind.MOVED, batch=ID, upload=ID, state=State.READY, detail="a\nb")
    seen = Recorded(organization=ID, number=8, at=NOW, happening=moved, key="k", path="a\r\nb")
    event, number, data, *rest = events.frame(seen).decode().split("\n")
    assert (event, number, rest) == ("event: change", "id: 8", ["", ""])
    change = msgspec.json.decode(data.removeprefix("data: "), type=wire.Change)
    assert (change.path, change.state, change.number) == ("a\r\nb", "ready", 8)


async def streamed(seen, *, leaves=False, stops=False):
    """Return what a viewer of an event stream got, and whether the stream ended by itself."""
    heard, stopping, got, is_whole = asyncio.Event(), asyncio.Event(), b"", False

    async def receive():
        await (heard if leaves else asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message):
        nonlocal got, is_whole
        got += message.get("body", b"")
        is_whole = message["type"] == "http.response.body" and not message["more_body"]
        if b"still here" in got:
            heard.set()
            if stops:
                stopping.set()

    first = await anext(seen)
    stream = events.EventStream(first, seen, heartbeat=0.01, stopping=stopping)
    await stream({"type": "http"}, receive, send)
    return got, is_whole


async def watched(then, closed):
    """Yield a snapshot, then what *then* waits for; note in *closed* that it was let go."""
    try:
        yield Snapshot(number=1, batch=BATCH, tally=Tally())
        await then
        yield Closed(number=1, batch=BATCH, tally=Tally())
    finally:
        closed.set()


async def test_a_stream_ends_with_its_batch():
    """The last frame is `closed`, and the answer is complete."""
    closed = asyncio.Event()
    got, is_whole = await streamed(watched(asyncio.sleep(0), closed))
    assert b"event: snapshot\nid: 1\n" in got
    assert got.rpartition(b"\n\n")[0].rpartition(b"\n\n")[2].startswith(b"event: closed\ndata: {")
    assert is_whole
    assert closed.is_set()


@pytest.mark.parametrize("how", ["leaves", "stops"])
async def test_a_silent_stream_is_kept_alive_and_let_go(how):
    """Silence brings comments; when the viewer leaves or the server stops, the watch is over."""
    closed = asyncio.Event()
    got, is_whole = await streamed(watched(asyncio.Event().wait(), closed), **{how: True})
    assert got.endswith(b": still here\n\n")
    assert is_whole == (how == "stops")
    assert closed.is_set()


async def test_a_stream_survives_a_failing_ledger():
    """When the use case fails midway the stream ends, complete, for the viewer to come back."""

    async def failing():
        raise LedgerUnavailable("away")

    got, is_whole = await streamed(watched(failing(), asyncio.Event()))
    assert b"snapshot" in got
    assert is_whole

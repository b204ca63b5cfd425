"""How uploads and batches end, and what the receipt says of it."""

import csv
import io

from tests.api.talk import entry, sha256


async def test_an_upload_is_cancelled_while_it_waits(server, ours, project):
    """Cancelled, it takes no bytes; again, it stays cancelled; once it arrived, it can't be."""
    declared = await ours.declare(project, entry("a.txt", b"a"), entry("b.txt", b"b"))
    batch, [first, second] = declared["batch"]["id"], declared["verdicts"]
    [granted, _] = await ours.grants(batch)
    path = f"/v1/uploads/{first['upload_id']}"
    for _ in range(2):
        cancelled = (await ours.ask("DELETE", path, expect=200)).json
        assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "cancelled_by_user")
    await ours.put_in_vain(granted["parts"][0], b"a", "not_receiving")
    [refused] = await ours.grants(batch, first["upload_id"])
    assert refused["code"] == "not_receiving"
    await ours.send(batch, second["upload_id"], b"b")
    refused = await ours.ask("DELETE", f"/v1/uploads/{second['upload_id']}")
    assert (refused.status, refused.code) == (409, "illegal_move")
    await server.run_until_quiet()
    assert [each async for each in server.store.objects() if first["upload_id"] in each.key] == []


async def test_a_batch_is_cancelled_with_all_that_waits(server, ours, project):
    """It closes; what waits is cancelled, what arrived is finished; twice is once."""
    files = {"sent.txt": b"sent", "unsent.txt": b"unsent", "twin.txt": b"unsent"}
    declared = await ours.declare(project, *[entry(*each) for each in files.items()])
    batch = declared["batch"]["id"]
    await ours.send(batch, declared["verdicts"][0]["upload_id"], b"sent")
    for _ in range(2):
        answer = (await ours.ask("POST", f"/v1/batches/{batch}/cancel", expect=200)).json
        assert answer["counts"] == {server.arrived: 1, "cancelled": 2}
    await server.run_until_quiet()
    now = await ours.batch(batch)
    assert (now["state"], now["counts"]) == ("settled", {"ready": 1, "cancelled": 2})


async def test_completing_what_is_not_there(ours, project):
    """Parts that are missing are named, a settled upload tells its state, an unknown one none."""
    declared = await ours.declare(project, entry("a.txt", b"a"), entry(".DS_Store", b"x"))
    batch, [first, second] = declared["batch"]["id"], declared["verdicts"]
    unknown = "01980000-0000-7000-8000-000000000000"
    answers = await ours.complete(batch, first["upload_id"], second["upload_id"], unknown)
    assert [(each["state"], each["code"], each["missing"]) for each in answers] == [
        ("declared", "parts_missing", [1]),
        ("skipped", None, []),
        (None, "not_found", []),
    ]


async def test_the_receipt_accounts_for_every_file(server, ours, project):
    """Each file has one row, in order, with what became of it and what to do about it."""
    files = {
        "good.txt": b"good",
        "copy.txt": b"good",
        "Thumbs.db": b"junk",
        "none.txt": b"",
        "photo.jpg": b"%PDF-1.7\n",
    }
    batch, uploads = await ours.lay(project, files)
    await server.run_until_quiet()
    receipt = await ours.get(f"/v1/batches/{batch}/receipt")
    rows = receipt["rows"]
    assert [(row["path"], row["state"], row["reason"]) for row in rows] == [
        ("good.txt", "ready", None),
        ("copy.txt", "duplicate", "duplicate_in_batch"),
        ("Thumbs.db", "skipped", "system_junk"),
        ("none.txt", "rejected", "empty_file"),
        ("photo.jpg", "rejected", "type_mismatch"),
    ]
    assert [row["upload_id"] for row in rows] == list(uploads.values())
    assert (rows[0]["sha256"], rows[0]["version"]) == (sha256(b"good"), 1)
    assert all(bool(row["message"]) == bool(row["reason"]) == bool(row["remedy"]) for row in rows)
    assert receipt["batch"]["counts"] == {"ready": 1, "duplicate": 1, "skipped": 1, "rejected": 2}
    assert receipt["final"] is True


async def test_a_long_receipt_is_whole(ours, project):
    """2,500 rows come in one receipt, JSON and CSV alike, in order."""
    entries = [{"key": str(n), "path": f"{n}.txt", "size": 1} for n in range(2_500)]
    batch = (await ours.declare(project, *entries))["batch"]["id"]
    rows = (await ours.get(f"/v1/batches/{batch}/receipt"))["rows"]
    table = list(csv.DictReader(io.StringIO(await csv_of(ours, batch))))
    assert [row["key"] for row in rows] == [row["key"] for row in table]
    assert [row["key"] for row in rows] == [str(n) for n in range(2_500)]


async def csv_of(talk, batch):
    answer = await talk.ask("GET", f"/v1/batches/{batch}/receipt.csv", expect=200)
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return answer.body.decode("utf-8-sig")


async def test_no_cell_of_a_receipt_is_a_formula(ours, project):
    """A name that a spreadsheet would run begins with an apostrophe, in every column."""
    paths = ["=cmd|' /C calc'!A0.txt", "+1.txt", "-1.txt", "@SUM(A1).txt"]
    entries = [{"key": path, "path": path, "size": 1} for path in paths]
    batch = (await ours.declare(project, *entries))["batch"]["id"]
    table = list(csv.DictReader(io.StringIO(await csv_of(ours, batch))))
    cells = [cell for row in table for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert [row["key"] for row in table] == [f"'{path}" for path in paths]
    shown = (await ours.get(f"/v1/batches/{batch}/receipt"))["rows"]
    assert [row["key"] for row in shown] == paths


async def test_a_receipt_of_nothing(ours, project):
    """An empty batch has a receipt without rows, final once it is closed."""
    batch = (await ours.declare(project))["batch"]["id"]
    assert (await ours.get(f"/v1/batches/{batch}/receipt"))["final"] is False
    await ours.ask("POST", f"/v1/batches/{batch}/close", expect=200)
    receipt = await ours.get(f"/v1/batches/{batch}/receipt")
    assert (receipt["rows"], receipt["final"]) == ([], True)
    assert receipt["batch"]["state"] == "settled"

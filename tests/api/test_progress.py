"""What clients say of bytes under way, and what they say that stores answered."""

from uuid import uuid4

from tests.api.talk import entry

DATA = b"x" * 5_000
EVIDENCE = {"number": 1, "etag": '"9bb58f26192e4ba00f01e2e7b136bbd8"', "checksum": None}


async def test_who_sends_through_us_needs_not_say_how_much(ours, project):
    """A report about bytes that we see ourselves is taken, and changes nothing."""
    declared = await ours.declare(project, entry("a.txt", DATA))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    report = {
        "uploads": [{"id": upload, "sent_bytes": 4_000}, {"id": str(uuid4()), "sent_bytes": 1}]
    }

    answer = await ours.ask("POST", f"/v1/batches/{batch}/progress", report, expect=204)

    assert answer.body == b""
    assert (await ours.batch(batch))["received_bytes"] == 0
    assert await ours.state(batch, "a.txt") == ("declared", None)


async def test_a_report_that_makes_no_sense_is_refused(ours, project):
    """Each fault is pointed at."""
    declared = await ours.declare(project, entry("a.txt", DATA))
    path = f"/v1/batches/{declared['batch']['id']}/progress"
    upload = declared["verdicts"][0]["upload_id"]
    for body, pointer in [
        ({}, ""),
        ({"uploads": [{"id": upload}]}, "/uploads/0"),
        ({"uploads": [{"id": "x", "sent_bytes": 1}]}, "/uploads/0/id"),
        ({"uploads": [{"id": upload, "sent_bytes": -1}]}, "/uploads/0/sent_bytes"),
        ({"uploads": [{"id": upload, "sent_bytes": 1 << 62}]}, "/uploads/0/sent_bytes"),
    ]:
        refused = await ours.ask("POST", path, body)
        assert (refused.status, refused.code) == (400, "invalid_request"), body
        assert refused.json["errors"][0]["pointer"] == pointer
    many = {"uploads": [{"id": upload, "sent_bytes": 1}] * 5_001}
    assert (await ours.ask("POST", path, many)).code == "too_many_entries"


async def test_evidence_is_taken_and_decides_nothing(ours, project):
    """What a client says that a store answered makes no file complete."""
    declared = await ours.declare(project, entry("a.txt", DATA))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    body = {"uploads": [{"id": upload, "parts": [EVIDENCE]}]}

    answer = await ours.ask("POST", f"/v1/batches/{batch}/completions", body, expect=200)

    [completion] = answer.json["uploads"]
    assert completion["missing"] == [1]
    assert await ours.state(batch, "a.txt") == ("declared", None)


async def test_evidence_that_no_store_gave_is_refused(ours, project):
    """Part numbers, checksums and ETags have a form, and there are only so many."""
    declared = await ours.declare(project, entry("a.txt", DATA))
    path = f"/v1/batches/{declared['batch']['id']}/completions"
    upload = declared["verdicts"][0]["upload_id"]
    for fault, pointer in [
        ({"number": 0}, "/number"),
        ({"number": 10_001}, "/number"),
        ({"checksum": "md5:x"}, "/checksum"),
        ({"etag": "x" * 201}, "/etag"),
        ({"etag": "a\r\nb"}, "/etag"),
    ]:
        body = {"uploads": [{"id": upload, "parts": [EVIDENCE, EVIDENCE | fault]}]}
        refused = await ours.ask("POST", path, body)
        assert (refused.status, refused.code) == (400, "invalid_request"), fault
        assert refused.json["errors"][0]["pointer"] == f"/uploads/0/parts/1{pointer}"
    parts = [{"number": 1}] * 10_001
    many = await ours.ask("POST", path, {"uploads": [{"id": upload, "parts": parts}]})
    assert many.code == "too_many_entries"

"""Files go in and come out: the whole conversation, from declaring to downloading."""

import pytest

from tests.api.talk import entry, sha256

PLAN = b"Ground floor, scale 1:100\n" * 40
MIB = 1 << 20
BIG = bytes(range(256)) * (9 * MIB // 256)  # two parts of at most 8 MiB


async def test_a_file_goes_in_and_comes_out(server, ours, project):
    """Declared, granted, sent and proven, a file is a document whose content is its bytes."""
    declared = await ours.declare(project, entry("Plans/A-101.txt", PLAN))
    batch = declared["batch"]["id"]
    [verdict] = declared["verdicts"]
    assert (verdict["verdict"], verdict["state"]) == ("send", "declared")
    assert verdict["plan"] == {"kind": "single", "part_size": None, "parts": 1, "concurrency": 4}
    [granted] = await ours.grants(batch)
    [part] = granted["parts"]
    assert (granted["id"], part["method"], granted["have"]) == (verdict["upload_id"], "PUT", [])
    assert (await ours.put_whole(batch, granted, PLAN)).status == 200
    assert (await ours.uploads(batch))["Plans/A-101.txt"]["state"] == server.arrived

    await server.run_until_quiet()

    upload = (await ours.uploads(batch))["Plans/A-101.txt"]
    assert (upload["state"], upload["sha256"]) == ("ready", sha256(PLAN))
    document = await ours.document(project, "Plans/A-101.txt")
    assert document["current"]["id"] == upload["version_id"]
    assert (document["versions"], document["current"]["number"]) == (1, 1)
    content = await ours.content(upload["version_id"])
    assert (content.status, content.body) == (200, PLAN)
    assert "attachment" in content.headers["Content-Disposition"]


@pytest.mark.knobs(single_up_to=MIB)
async def test_a_large_file_goes_in_parts_and_comes_out_whole(server, ours, project):
    """Parts sent in any order, one of them twice, are joined to exactly the file."""
    declared = await ours.declare(project, entry("model.bin", BIG))
    batch, [verdict] = declared["batch"]["id"], declared["verdicts"]
    upload, size = verdict["upload_id"], verdict["plan"]["part_size"]
    assert (verdict["plan"]["kind"], verdict["plan"]["parts"]) == ("multipart", 2)
    [granted] = await ours.grants(batch)
    first, second = granted["parts"]
    assert (await ours.put(second, BIG[size:])).status == 200
    assert await ours.state(batch, "model.bin") == ("receiving", None)
    assert (await ours.put(second, BIG[size:])).status == 200
    [completion] = await ours.complete(batch, upload)
    assert completion == {
        "id": upload,
        "state": "receiving",
        "code": "parts_missing",
        "missing": [1],
    }
    [granted] = await ours.grants(batch)
    assert (granted["have"], [part["number"] for part in granted["parts"]]) == ([2], [1])
    assert (await ours.put(first, BIG[:size])).status == 200
    [completion] = await ours.complete(batch, upload)
    assert (completion["state"], completion["code"]) == ("sealing", None)

    await server.run_until_quiet()

    ready = (await ours.uploads(batch))["model.bin"]
    assert (ready["state"], ready["received_bytes"]) == ("ready", len(BIG))
    content = await ours.content(ready["version_id"])
    assert (content.status, content.body) == (200, BIG)


@pytest.mark.embedded
@pytest.mark.knobs(single_up_to=MIB)
async def test_a_part_that_landed_is_never_rewritten(ours, project):
    """The same bytes again are as good as the first time, others are a conflict."""
    batch = (await ours.declare(project, entry("model.bin", BIG)))["batch"]["id"]
    [granted] = await ours.grants(batch)
    _, second = granted["parts"]
    rest = len(BIG) - (8 << 20)
    assert (await ours.put(second, BIG[-rest:])).status == 200
    await ours.put_in_vain(second, bytes(rest), "part_conflict")
    assert (await ours.put(second, BIG[-rest:])).status == 200


RANGES = [  # what is asked; the status, and the bytes that come
    ("bytes=0-9", 206, 0, 10),
    ("bytes=10-", 206, 10, len(PLAN)),
    ("bytes=-7", 206, len(PLAN) - 7, len(PLAN)),
    (f"bytes=5-{10**6}", 206, 5, len(PLAN)),
    (f"bytes=0-{len(PLAN) - 1}", 206, 0, len(PLAN)),
    ("bytes=0-1,5-6", 200, 0, len(PLAN)),
    ("lines=1-2", 200, 0, len(PLAN)),
    (f"bytes={len(PLAN)}-", 416, 0, 0),
    ("bytes=-0", 416, 0, 0),
]


async def version_of(server, talk, project):
    """Lay the plan and have it proven; return its version."""
    batch, _ = await talk.lay(project, {"plan.txt": PLAN})
    await server.run_until_quiet()
    return (await talk.uploads(batch))["plan.txt"]["version_id"]


async def test_content_comes_in_ranges(server, ours, project):
    """A range gets exactly its bytes and says which they are; a wrong one 416 or the whole."""
    version = await version_of(server, ours, project)
    for asked, status, start, end in RANGES:
        answer = await ours.content(version, Range=asked)
        assert answer.status == status, asked
        if status == 416:
            assert answer.headers["Content-Range"] == f"bytes */{len(PLAN)}"
        else:
            assert answer.body == PLAN[start:end], asked
            assert answer.headers["Content-Length"] == str(end - start)
        if status == 206:
            assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(PLAN)}"


@pytest.mark.embedded
async def test_content_that_comes_through_us_tells_its_digest(server, ours, project):
    """The ETag is the SHA-256; odd ranges get what RFC 9110 says, and 416 has a code."""
    version = await version_of(server, ours, project)
    whole = await ours.content(version)
    assert whole.headers["ETag"] == f'"{sha256(PLAN)}"'
    backwards = await ours.content(version, Range="bytes=9-3")
    assert (backwards.status, backwards.body) == (200, PLAN)
    beyond = await ours.content(version, Range=f"bytes=5-{10**20}")
    assert (beyond.status, beyond.body) == (206, PLAN[5:])
    refused = await ours.content(version, Range=f"bytes={len(PLAN)}-")
    assert (refused.status, refused.code) == (416, "range_not_satisfiable")


async def test_declaring_again_tells_how_it_stands(server, ours, project):
    """The same reference is the same batch, with today's verdict for every entry."""
    files = {"sent.txt": b"sent", "unsent.txt": b"unsent", "twin.txt": b"unsent"}
    entries = [entry(path, data) for path, data in files.items()]
    first = await ours.declare(project, *entries)
    batch, [sent, *_] = first["batch"]["id"], first["verdicts"]
    assert [each["verdict"] for each in first["verdicts"]] == ["send", "send", "wait"]
    await ours.send(batch, sent["upload_id"], b"sent")
    again = await ours.declare(project, *entries)
    assert again["batch"]["id"] == batch
    assert [each["verdict"] for each in again["verdicts"]] == ["wait", "send", "wait"]
    await server.run_until_quiet()
    again = await ours.declare(project, *entries)
    assert [each["verdict"] for each in again["verdicts"]] == ["settled", "send", "wait"]
    assert again["verdicts"][0]["state"] == "ready"
    assert again["batch"]["declared"]["count"] == 3
    assert [each["upload_id"] for each in again["verdicts"]] == [
        each["upload_id"] for each in first["verdicts"]
    ]


async def test_a_closed_batch_takes_no_entries_and_finishes(server, ours, project):
    """After the close more entries answer 409, what is in flight ends, and the receipt is final."""
    declared = await ours.declare(project, entry("late.txt", PLAN))
    batch, [verdict] = declared["batch"]["id"], declared["verdicts"]
    closed = await ours.ask("POST", f"/v1/batches/{batch}/close", expect=200)
    assert (await ours.ask("POST", f"/v1/batches/{batch}/close", expect=200)).json == closed.json
    more = {"entries": [entry("more.txt", b"x")]}
    refused = await ours.ask("POST", f"/v1/batches/{batch}/entries", more)
    assert (refused.status, refused.code) == (409, "batch_closed")
    assert (await ours.get(f"/v1/batches/{batch}/receipt"))["final"] is False
    await ours.send(batch, verdict["upload_id"], PLAN)
    await server.run_until_quiet()
    receipt = await ours.get(f"/v1/batches/{batch}/receipt")
    assert (receipt["final"], receipt["scanner"]) == (True, "none")
    assert (await ours.batch(batch))["state"] == "settled"
    successor = await ours.declare(project, entry("more.txt", b"x"))
    assert successor["batch"]["id"] != batch


async def test_the_numbers_of_a_batch_add_up(server, ours, project):
    """Counts sum to what was declared, in files and in bytes, at every stage."""
    files = {f"{n}.txt": b"%d" % n for n in range(7)} | {"Thumbs.db": b"junk", "none.txt": b""}
    declared = await ours.declare(project, *[entry(*each) for each in files.items()])
    batch = declared["batch"]["id"]
    assert declared["batch"]["counts"] == {"declared": 7, "skipped": 1, "rejected": 1}
    assert declared["batch"]["reasons"] == {"system_junk": 1, "empty_file": 1}
    for verdict in declared["verdicts"][:3]:
        await ours.send(batch, verdict["upload_id"], files[verdict["key"]])
    await server.run_until_quiet()
    now = await ours.batch(batch)
    assert sum(now["counts"].values()) == now["declared"]["count"] == 9
    assert now["counts"]["ready"] == 3
    assert now["settled"] == {"count": 5, "bytes": 3 + 4}
    assert now["received_bytes"] == 3


async def test_an_upload_tells_its_story(server, ours, project):
    """The timeline has every state in order, with times that don't go back."""
    batch, uploads = await ours.lay(project, {"plan.txt": PLAN})
    await server.run_until_quiet()
    story = await ours.get(f"/v1/uploads/{uploads['plan.txt']}/timeline")
    assert [each["state"] for each in story["items"]] == ["declared", *server.way, "ready"]
    times = [each["at"] for each in story["items"]]
    assert times == sorted(times)
    assert story["upload"] == await ours.get(f"/v1/uploads/{uploads['plan.txt']}")
    assert story["upload"]["batch_id"] == batch

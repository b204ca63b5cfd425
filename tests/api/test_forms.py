"""Files sent as a plain form, from the first byte to the published version."""

import pytest

from tests.api.forms_talk import field, file, send, sent, states
from tests.api.talk import sha256, talking

MIB = 1 << 20
LARGE = bytes(range(256)) * (36 << 10)  # 9 MiB


async def test_files_of_a_form_become_documents(server, ours, project):
    """Every file, small, large or in another field, ends ready with its bytes as they were sent."""
    files = {"a.txt": b"small", "b.bin": LARGE, "Pläne/c d.txt": b"c" * 70_000}
    parts = [file(name, data, field=f"f{n}") for n, (name, data) in enumerate(files.items())]
    answer = await sent(ours, project, *parts)

    assert [each["path"] for each in answer["files"]] == list(files)
    assert [each["filename"] for each in answer["files"]] == list(files)
    assert [each["field"] for each in answer["files"]] == ["f0", "f1", "f2"]
    assert [each["sha256"] for each in answer["files"]] == [*map(sha256, files.values())]
    assert {each["state"] for each in answer["files"]} == {"checking"}
    await server.run_until_quiet()
    for path, data in files.items():
        document = await ours.document(project, path)
        assert (await ours.content(document["current"]["id"])).body == data
    batch = await ours.batch(answer["batch_id"])
    assert (batch["state"], batch["counts"]) == ("settled", {"ready": 3})


async def test_the_answer_leads_to_the_batch(ours, project):
    """`Location` is the batch; without a reference it is the form's own, and closed."""
    answer = await send(ours, project, file("a.txt", b"a"))
    batch = await ours.get(answer.headers["Location"])
    assert batch["id"] == answer.json["batch_id"]
    assert batch["reference"] == answer.json["reference"]
    assert batch["state"] == "closed"


async def test_fields_before_files_say_more(ours, project):
    """Reference, label and conflict rule are the batch's; folder, path and time the files'."""
    answer = await sent(
        ours,
        project,
        field("reference", "tower-b"),
        field("label", "Tower B"),
        field("on_conflict", "skip"),
        field("folder", "Photos/"),
        field("path", "facade/north.jpg"),
        field("modified_at", "2026-11-20T09:14:00Z"),
        file("IMG_1.jpg", b"\xff\xd8\xff1"),
        file("IMG_2.jpg", b"\xff\xd8\xff2"),
        field("folder", ""),
        file("plan.txt", b"plan"),
    )
    assert answer["ignored_fields"] == []
    paths = ["Photos/facade/north.jpg", "Photos/IMG_2.jpg", "plan.txt"]
    assert [each["path"] for each in answer["files"]] == paths
    batch = await ours.batch(answer["batch_id"])
    assert (batch["reference"], batch["label"], batch["on_conflict"]) == (
        "tower-b",
        "Tower B",
        "skip",
    )
    assert batch["state"] == "open", "others may add to it by its reference"


async def test_what_means_nothing_is_named(ours, project):
    """Unknown fields, and fields that come too late, change nothing and are told."""
    answer = await sent(
        ours,
        project,
        field("projectId", "12"),
        file("a.txt", b"a"),
        field("reference", "late"),
        field("path", "nothing follows"),
    )
    assert answer["ignored_fields"] == ["projectId", "reference", "path"]
    assert answer["reference"].startswith("form-")


async def test_the_same_reference_is_the_same_batch(server, ours, project):
    """A second form adds to the batch, and a file it has already is not taken twice."""
    first = await sent(ours, project, field("reference", "r"), file("a.txt", b"a"))
    again = await sent(
        ours, project, field("reference", "r"), file("a.txt", b"a"), file("b.txt", b"b")
    )
    assert again["batch_id"] == first["batch_id"]
    assert again["files"][0]["upload_id"] == first["files"][0]["upload_id"]
    await server.run_until_quiet()
    assert (await ours.batch(first["batch_id"]))["counts"] == {"ready": 2}
    assert len(await server.wanted()) == 2
    assert len([stored async for stored in server.store.objects()]) == 2, "nothing is kept twice"


async def test_some_are_refused_and_the_others_taken(server, ours, project):
    """207 says of each file, in order, what became of it and why."""
    parts = [
        file("plan.txt", b"plan"),
        file("virus.exe", b"MZ"),
        file("../../etc/passwd", b"x"),
        file("empty.txt", b""),
        file(".DS_Store", b"x"),
        file("plan.txt", b"another"),
        file("copy.txt", b"plan"),
    ]
    answer = await send(ours, project, *parts)
    assert answer.status == 207
    assert states(answer.json) == [
        ("checking", None),
        ("rejected", "type_not_allowed"),
        ("rejected", "illegal_name"),
        ("rejected", "empty_file"),
        ("skipped", "system_junk"),
        ("rejected", "name_conflict"),
        ("checking", None),
    ]
    assert all(each["message"] and each["remedy"] for each in answer.json["files"][1:4])
    await server.run_until_quiet()
    batch = await ours.batch(answer.json["batch_id"])
    assert batch["counts"] == {"ready": 1, "duplicate": 1, "rejected": 4, "skipped": 1}
    assert len([stored async for stored in server.store.objects()]) == 1


async def test_known_bytes_are_linked(server, ours, project):
    """What the project has already is a duplicate or unchanged, and is not kept again."""
    await sent(ours, project, file("a.txt", b"same"))
    await server.run_until_quiet()
    answer = await sent(ours, project, file("a.txt", b"same"), file("b.txt", b"same"))
    assert states(answer) == [("skipped", "unchanged"), ("duplicate", "duplicate_exact")]
    assert answer["files"][1]["version_id"]
    await server.run_until_quiet()
    assert len([stored async for stored in server.store.objects()]) == 1


async def test_one_file_twice_is_one_file(server, ours, project):
    """The same name with the same bytes, twice in one form, is one upload."""
    answer = await sent(ours, project, *[file("a.txt", b"a")] * 3)
    assert len({each["upload_id"] for each in answer["files"]}) == 1
    await server.run_until_quiet()
    assert (await ours.batch(answer["batch_id"]))["counts"] == {"ready": 1}
    assert len([stored async for stored in server.store.objects()]) == 1


async def test_an_answer_may_wait_until_all_is_settled(server, ours, project):
    """With `?wait=ready` the states are final, and 207 tells of what the check refused."""
    async with server.working():
        fine = await sent(
            ours, project, file("a.txt", b"a"), file("b.txt", b"b"), query="?wait=ready"
        )
        wrong = await send(ours, project, file("a.pdf", b"MZ" + bytes(100)), query="?wait=ready")
    assert states(fine) == [("ready", None)] * 2
    assert all(each["version_id"] for each in fine["files"])
    assert wrong.status == 207
    assert states(wrong.json)[0][0] == "rejected"


async def test_a_thousand_files_in_one_form(server, ours, project):
    """Each of them is a document, in the form's order."""
    parts = [file(f"photos/{n:04}.txt", b"%d" % n) for n in range(1_000)]
    answer = await sent(ours, project, *parts)
    assert [each["path"] for each in answer["files"]] == [
        f"photos/{n:04}.txt" for n in range(1_000)
    ]
    page = await ours.get(f"/v1/batches/{answer['batch_id']}/uploads?limit=1000")
    assert [each["path"] for each in page["items"]] == [each["path"] for each in answer["files"]]
    await server.run_until_quiet()
    assert (await ours.batch(answer["batch_id"]))["counts"] == {"ready": 1_000}


@pytest.mark.knobs(largest_file=MIB)
async def test_a_file_that_is_too_large_fails_alone(server, ours, project):
    """One byte more than is taken is refused, with its size; its neighbours are kept."""
    parts = [
        file("a.txt", b"a"), file("big.bin", bytes(MIB + 1)), file("fits.bin", bytes(MIB))
    ]  # fmt: skip
    answer = await send(ours, project, *parts)
    assert answer.status == 207
    assert states(answer.json) == [
        ("checking", None),
        ("rejected", "too_large"),
        ("checking", None),
    ]
    assert answer.json["files"][1]["size"] == MIB + 1
    await server.run_until_quiet()
    assert len([stored async for stored in server.store.objects()]) == 2


async def test_foreign_projects_take_nothing(server, theirs, project):
    """Another organization's project is not found, as if it did not exist, and nothing is kept."""
    for path in (project, "01980000-0000-7000-8000-000000000000"):
        answer = await send(theirs, path, file("a.txt", b"a" * 100_000))
        assert (answer.status, answer.code) == (404, "not_found")
    assert [stored async for stored in server.store.objects()] == []


async def test_a_bad_modified_at_refuses_its_file_alone(ours, project):
    """The file that it was said of is refused; the next one has none of it."""
    answer = await send(
        ours, project, field("modified_at", "yesterday"), file("a.txt", b"a"), file("b.txt", b"b")
    )
    assert answer.status == 207
    assert states(answer.json) == [(None, "invalid_entry"), ("checking", None)]
    assert answer.json["files"][0]["filename"] == "a.txt"


async def test_a_file_that_came_to_nothing_may_come_again(server, ours, project):
    """What was rejected in its batch is judged anew when a form brings it once more."""
    body = [field("reference", "r"), file("a.pdf", b"MZ" + bytes(100))]
    answers = []
    for _ in range(2):
        answers.append((await send(ours, project, *body)).json["files"][0])
        await server.run_until_quiet()
    assert answers[0]["upload_id"] != answers[1]["upload_id"]


async def test_a_form_through_a_link_stays_below_its_folder(server, ours, project):
    """Whoever has only a drop link delivers with a form, and can wait for what becomes of it."""
    body = {"label": "roofer", "folder": "Incoming/Roofer"}
    made = await ours.ask("POST", f"/v1/projects/{project}/links", body, expect=201)
    async with talking(server.url, made.json["secret"]) as roofer, server.working():
        answer = await sent(roofer, project, file("a/b.txt", b"slates"), query="?wait=ready")
        assert (await roofer.batch(answer["batch_id"]))["counts"] == {"ready": 1}
    assert answer["files"][0]["path"] == "Incoming/Roofer/a/b.txt"
    assert states(answer) == [("ready", None)]

"""What becomes of files that are the same as others, not what they say, or changed."""

import asyncio

import pytest

from tests.api.talk import entry, sha256

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
PDF = b"%PDF-1.7\n" + b"content\n" * 20


async def fates(talk, batch):
    """Return state and reason of every upload by key."""
    uploads = await talk.uploads(batch)
    return {key: (upload["state"], upload["reason"]) for key, upload in uploads.items()}


async def test_twins_follow_a_leader_that_is_proven(server, ours, project):
    """They are duplicates in the batch, with a document and a version each, and nothing sent."""
    files = {f"copy-{n}.txt": b"same" for n in range(4)}
    declared = await ours.declare(project, *[entry(*each) for each in files.items()])
    batch, verdicts = declared["batch"]["id"], declared["verdicts"]
    assert [each["verdict"] for each in verdicts] == ["send", "wait", "wait", "wait"]
    await ours.send(batch, verdicts[0]["upload_id"], b"same")
    await server.run_until_quiet()
    assert await fates(ours, batch) == {
        "copy-0.txt": ("ready", None),
        **{f"copy-{n}.txt": ("duplicate", "duplicate_in_batch") for n in (1, 2, 3)},
    }
    documents = await ours.documents(project)
    assert [document["path"] for document in documents] == list(files)
    assert len({document["current"]["id"] for document in documents}) == 4
    assert (await ours.batch(batch))["received_bytes"] == 4


async def test_a_twin_is_promoted_when_its_leader_brings_other_bytes(server, ours, project):
    """The oldest twin must be sent then, the others wait for it, and an event says so."""
    declared = await ours.declare(
        project, *[entry(f"{n}.txt", b"good", key=str(n)) for n in range(3)]
    )
    batch, [leader, first, second] = declared["batch"]["id"], declared["verdicts"]
    await ours.ask("POST", f"/v1/batches/{batch}/close", expect=200)
    await ours.send(batch, leader["upload_id"], b"evil")
    await server.run_until_quiet()
    assert await fates(ours, batch) == {
        "0": ("rejected", "checksum_mismatch"),
        "1": ("declared", None),
        "2": ("declared", None),
    }
    story = await ours.get(f"/v1/uploads/{first['upload_id']}/timeline")
    assert story["items"][-1]["kind"] == "promoted"
    assert [each["id"] for each in await ours.grants(batch)] == [first["upload_id"]]
    [refused] = await ours.grants(batch, second["upload_id"])
    assert refused["code"] == "not_receiving"
    await ours.send(batch, first["upload_id"], b"good")
    await server.run_until_quiet()
    assert (await fates(ours, batch))["2"] == ("duplicate", "duplicate_in_batch")
    assert (await ours.batch(batch))["state"] == "settled"


async def test_twins_of_content_that_is_refused_are_refused_too(server, ours, project):
    """A refusal by the bytes alone settles every twin the same way, unsent."""
    batch, _ = await ours.lay(project, {"a.pdf": POINTER, "b.pdf": POINTER, "c.txt": POINTER})
    await server.run_until_quiet()
    assert set((await fates(ours, batch)).values()) == {("rejected", "placeholder_pointer")}


async def test_twins_are_judged_under_their_own_names(server, ours, project):
    """Bytes that are right for the leader's extension may be wrong for a twin's."""
    batch, _ = await ours.lay(project, {"a.pdf": PDF, "b.jpg": PDF, "c.pdf": PDF})
    await server.run_until_quiet()
    assert await fates(ours, batch) == {
        "a.pdf": ("ready", None),
        "b.jpg": ("rejected", "type_mismatch"),
        "c.pdf": ("duplicate", "duplicate_in_batch"),
    }


async def test_twins_without_digests_are_found_when_they_are_proven(server, ours, project):
    """Files declared without a digest are linked once their bytes are known."""
    batch, _ = await ours.lay(project, {"a.txt": b"same", "b.txt": b"same"}, claims=False)
    await server.run_until_quiet()
    found = await fates(ours, batch)
    assert sorted(found.values()) == [("duplicate", "duplicate_exact"), ("ready", None)]
    assert len(await ours.documents(project)) == 2
    kept = [each async for each in server.store.objects()]
    assert len(kept) == 1


async def test_a_cancelled_leader_lets_its_twin_be_sent(server, ours, project):
    """Cancelling the leader promotes the twin at once."""
    declared = await ours.declare(project, entry("a.txt", b"same"), entry("b.txt", b"same"))
    batch, [leader, twin] = declared["batch"]["id"], declared["verdicts"]
    await ours.ask("DELETE", f"/v1/uploads/{leader['upload_id']}", expect=200)
    await ours.send(batch, twin["upload_id"], b"same")
    await server.run_until_quiet()
    assert await fates(ours, batch) == {
        "a.txt": ("cancelled", "cancelled_by_user"),
        "b.txt": ("ready", None),
    }


async def test_a_duplicate_of_an_earlier_batch_is_linked_unsent(server, ours, project):
    """It has its own document and version at once, and no byte moves."""
    await ours.lay(project, {"a.txt": b"same"})
    await server.run_until_quiet()
    declared = await ours.declare(project, entry("b.txt", b"same"), reference="second")
    [verdict] = declared["verdicts"]
    assert (verdict["verdict"], verdict["reason"]) == ("duplicate", "duplicate_exact")
    document = await ours.document(project, "b.txt")
    assert (document["current"]["sha256"], document["versions"]) == (sha256(b"same"), 1)
    assert declared["batch"]["received_bytes"] == 0
    content = await ours.content(document["current"]["id"])
    assert content.body == b"same"


async def test_a_digest_is_no_oracle(server, ours, theirs, project):
    """Another organization that names our digest must send the bytes, and is told nothing."""
    await ours.lay(project, {"secret.txt": b"secret"})
    await server.run_until_quiet()
    elsewhere = await theirs.project("theirs")
    declared = await theirs.declare(elsewhere, entry("guess.txt", b"secret"))
    [verdict] = declared["verdicts"]
    assert (verdict["verdict"], verdict["reason"]) == ("send", None)
    batch = declared["batch"]["id"]
    await theirs.send(batch, verdict["upload_id"], b"secret")
    await server.run_until_quiet()
    assert await fates(theirs, batch) == {"guess.txt": ("ready", None)}


async def test_a_digest_with_another_size_is_not_believed(server, ours, project):
    """A digest we hold under another length must be sent, and is then refused for its length."""
    await ours.lay(project, {"a.txt": b"same"})
    await server.run_until_quiet()
    lie = entry("b.txt", b"same") | {"size": 3}
    declared = await ours.declare(project, lie, reference="lie")
    assert declared["verdicts"][0]["verdict"] == "send"


async def test_the_current_content_again_is_unchanged(server, ours, project):
    """Pushing the same folder again sends nothing and makes no version."""
    files = {"a.txt": b"a", "b.txt": b"b"}
    await ours.lay(project, files)
    await server.run_until_quiet()
    declared = await ours.declare(project, *[entry(*each) for each in files.items()])
    assert [(each["verdict"], each["reason"]) for each in declared["verdicts"]] == [
        ("skipped", "unchanged"),
        ("skipped", "unchanged"),
    ]
    undigested, _ = await ours.lay(project, files, reference="undigested", claims=False)
    await server.run_until_quiet()
    assert set((await fates(ours, undigested)).values()) == {("skipped", "unchanged")}
    assert [each["versions"] for each in await ours.documents(project)] == [1, 1]


async def test_there_and_back_makes_three_versions(server, ours, project):
    """A, then B, then A again: three versions, the last current, though the bytes are old."""
    for turn, data in enumerate([b"A", b"B", b"A"]):
        await ours.lay(project, {"a.txt": data}, reference=str(turn))
        await server.run_until_quiet()
    document = await ours.document(project, "a.txt")
    versions = (await ours.get(f"/v1/documents/{document['id']}/versions"))["items"]
    assert [(each["number"], each["sha256"], each["current"]) for each in versions] == [
        (3, sha256(b"A"), True),
        (2, sha256(b"B"), False),
        (1, sha256(b"A"), False),
    ]


async def test_versions_proven_together_are_numbered_one_by_one(server, ours, project):
    """Three contents of one path that wait for the same worker become three versions."""
    for turn, data in enumerate([b"A", b"B", b"C"]):
        await ours.lay(project, {"a.txt": data}, reference=str(turn))
    await server.run_until_quiet()
    document = await ours.document(project, "a.txt")
    assert (document["versions"], document["current"]["number"]) == (3, 3)
    assert document["current"]["sha256"] == sha256(b"C")
    await ours.lay(project, {"a.txt": b"D"}, reference="next")
    await server.run_until_quiet()
    document = await ours.document(project, "a.txt")
    assert (document["versions"], document["current"]["sha256"]) == (4, sha256(b"D"))


async def test_the_current_version_is_the_one_declared_last(server, ours, project):
    """A slow upload that finishes late doesn't replace what was declared after it."""
    slow = await ours.declare(project, entry("a.txt", b"slow"), reference="slow")
    await ours.lay(project, {"a.txt": b"fast"}, reference="fast")
    await server.run_until_quiet()
    await ours.send(slow["batch"]["id"], slow["verdicts"][0]["upload_id"], b"slow")
    await server.run_until_quiet()
    document = await ours.document(project, "a.txt")
    assert (document["versions"], document["current"]["sha256"]) == (2, sha256(b"fast"))
    assert document["current"]["number"] == 1


async def test_unchanged_content_stays_current_over_what_was_declared_before(server, ours, project):
    """Declaring the current content again outranks another content that is still on its way."""
    await ours.lay(project, {"a.txt": b"A"}, reference="first")
    await server.run_until_quiet()
    slow = await ours.declare(project, entry("a.txt", b"B"), reference="slow")
    again = await ours.declare(project, entry("a.txt", b"A"), reference="again")
    assert again["verdicts"][0]["reason"] == "unchanged"
    await ours.send(slow["batch"]["id"], slow["verdicts"][0]["upload_id"], b"B")
    await server.run_until_quiet()
    document = await ours.document(project, "a.txt")
    assert (document["versions"], document["current"]["sha256"]) == (2, sha256(b"A"))


@pytest.mark.parametrize(
    ("rule", "fate"),
    [("skip", ("skipped", "name_conflict")), ("reject", ("rejected", "name_conflict"))],
)
async def test_a_batch_may_leave_documents_alone(server, ours, project, rule, fate):
    """With skip or reject, a path that has another content keeps it; declared and proven alike."""
    await ours.lay(project, {"a.txt": b"A"}, reference="first")
    await server.run_until_quiet()
    second, _ = await ours.lay(project, {"a.txt": b"B"}, reference="second", on_conflict=rule)
    assert await fates(ours, second) == {"a.txt": fate}

    racing = [
        await ours.lay(project, {"new.txt": data}, reference=f"race {data!r}", on_conflict=rule)
        for data in (b"one", b"two")
    ]
    await server.run_until_quiet()
    assert await fates(ours, racing[0][0]) == {"new.txt": ("ready", None)}
    assert await fates(ours, racing[1][0]) == {"new.txt": fate}
    assert (await ours.document(project, "a.txt"))["versions"] == 1


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("model.ifc", POINTER, "placeholder_pointer"),
        ("photo.jpg", PDF, "type_mismatch"),
        ("setup.pdf", b"MZ" + bytes(100), "type_not_allowed"),
    ],
)
async def test_a_known_refusal_is_not_sent_again(server, ours, project, path, data, reason):
    """What was refused for its bytes is refused unsent when it is declared again."""
    batch, _ = await ours.lay(project, {path: data})
    await server.run_until_quiet()
    assert await fates(ours, batch) == {path: ("rejected", reason)}
    assert await ours.documents(project) == []
    assert [each async for each in server.store.objects()] == []
    again = await ours.declare(project, entry(path, data))
    [verdict] = again["verdicts"]
    assert (verdict["verdict"], verdict["reason"]) == ("rejected", reason)


async def test_a_damaged_file_can_be_retried(server, ours, project):
    """After a checksum mismatch a retry takes the right bytes, as the next attempt."""
    declared = await ours.declare(project, entry("a.txt", b"right"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await ours.send(batch, upload, b"wrong")
    await server.run_until_quiet()
    assert await fates(ours, batch) == {"a.txt": ("rejected", "checksum_mismatch")}
    retried = await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    assert retried.json == {"uploads": 1}
    await ours.send(batch, upload, b"right")
    await server.run_until_quiet()
    ready = (await ours.uploads(batch))["a.txt"]
    assert (ready["state"], ready["attempt"], ready["reason"]) == ("ready", 2, None)
    again = await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    assert again.json == {"uploads": 0}


@pytest.mark.knobs(single_up_to=1 << 20)
async def test_two_clients_that_complete_at_once_complete_once(server, ours, project):
    """However many say it at once, a file is joined and published once."""
    body = bytes(9 << 20)
    declared = await ours.declare(project, entry("big.bin", body, claims=False))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    [granted] = await ours.grants(batch)
    for part, data in zip(granted["parts"], (body[: 8 << 20], body[8 << 20 :]), strict=True):
        assert (await ours.put(part, data)).status == 200
    answers = await asyncio.gather(*(ours.complete(batch, upload) for _ in range(6)))
    assert {(each["state"], each["code"]) for [each] in answers} == {("sealing", None)}
    assert await server.ask("SELECT kind, count(*) FROM jobs GROUP BY 1") == [("join", 1)]
    await server.run_until_quiet()
    assert await fates(ours, batch) == {"big.bin": ("ready", None)}
    assert (await ours.document(project, "big.bin"))["versions"] == 1

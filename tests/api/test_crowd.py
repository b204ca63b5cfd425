"""Many at once: clients that push the same folder, and workers that meet over it."""

import asyncio
from collections import Counter

from tests.api.talk import PATIENCE, entry, sha256

# Forty files at twenty paths' worth of content: every content comes twice.
FOLDER = {f"folder/{n:02}.txt": b"content %d" % (n // 2) for n in range(40)}


async def test_clients_and_workers_that_meet_leave_nothing_undone(server, ours, project):
    """Three pushes of one folder beside two workers: all settled, nothing failed, no path twice."""
    async with asyncio.timeout(PATIENCE), server.working(), server.working():
        async with asyncio.TaskGroup() as tasks:
            pushes = [
                tasks.create_task(ours.lay(project, FOLDER, reference=str(n), claims=n != 1))
                for n in range(3)
            ]
        batches = [batch for batch, _ in (push.result() for push in pushes)]
        uploads = [upload for batch in batches for upload in (await ours.settled(batch)).values()]
    states = Counter(upload["state"] for upload in uploads)
    assert sum(states.values()) == 3 * len(FOLDER)
    assert states.keys() <= {"ready", "duplicate", "skipped"}
    documents = await ours.documents(project)
    assert {each["path"]: each["current"]["sha256"] for each in documents} == {
        path: sha256(data) for path, data in FOLDER.items()
    }
    assert all(document["versions"] == 1 for document in documents)
    await server.run_until_quiet()
    kept = [each async for each in server.store.objects()]
    assert len(kept) == len(set(FOLDER.values()))
    assert (await ours.get("/v1/operations/jobs"))["items"] == []
    for batch in batches:
        assert (await ours.batch(batch))["state"] == "settled"


async def test_a_folder_that_changes_between_pushes(server, ours, project):
    """Whatever is pushed at once, the version declared last is current in the end."""
    pushed = []
    async with asyncio.timeout(PATIENCE), server.working(), server.working():
        for turn in range(4):
            files = {f"{n}.txt": b"%d" % ((turn + n) % 3) for n in range(10)}
            declared = await ours.declare(
                project, *[entry(*each) for each in files.items()], reference=str(turn)
            )
            pushed.append((declared, files))
        async with asyncio.TaskGroup() as tasks:
            for declared, files in pushed:
                for verdict in declared["verdicts"]:
                    if verdict["verdict"] == "send":
                        batch, data = declared["batch"]["id"], files[verdict["key"]]
                        tasks.create_task(ours.send(batch, verdict["upload_id"], data))
        for declared, _ in pushed:
            await ours.settled(declared["batch"]["id"])
    _, newest = pushed[-1]
    documents = await ours.documents(project)
    assert {each["path"]: each["current"]["sha256"] for each in documents} == {
        path: sha256(data) for path, data in newest.items()
    }


async def test_another_file_under_a_leaders_key(server, ours, project):
    """A file with the old bytes of a leader that is replaced in the same request gets sent."""
    first = await ours.declare(project, entry("a.txt", b"old"), entry("b.txt", b"old"))
    batch = first["batch"]["id"]
    second = await ours.declare(project, entry("a.txt", b"new"), entry("c.txt", b"old"))
    assert second["batch"]["id"] == batch
    sent = {upload["id"] for upload in await ours.grants(batch) if upload["parts"]}
    uploads = await ours.uploads(batch)
    assert uploads["a.txt"]["id"] in sent
    for key, data in (("a.txt", b"new"), ("b.txt", b"old"), ("c.txt", b"old")):
        if uploads[key]["id"] in sent:
            await ours.send(batch, uploads[key]["id"], data)
    await server.run_until_quiet()
    states = {key: upload["state"] for key, upload in (await ours.uploads(batch)).items()}
    assert states["a.txt"] == "ready"
    assert {states["b.txt"], states["c.txt"]} <= {"ready", "duplicate"}

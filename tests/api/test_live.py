"""Event streams: a snapshot, then every change, in order, to the end."""

import asyncio
from datetime import timedelta

import pytest

from tests.api.talk import PATIENCE, entry

FILES = {"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"}


async def read(talk, batch, *, after=None):
    """Return every event of a stream that ends."""
    async with asyncio.timeout(PATIENCE), talk.watch(batch, after=after) as events:
        return [event async for event in events]


def changes(events):
    return [event for event in events if event.name == "change"]


async def test_a_viewer_sees_everything_to_the_end(server, ours, project):
    """A stream begins with a snapshot, has every change numbered, and ends with `closed`."""
    declared = await ours.declare(project, *[entry(*each) for each in FILES.items()])
    batch = declared["batch"]["id"]
    watching = asyncio.create_task(read(ours, batch))
    async with ours.watch(batch) as other:
        snapshot = await anext(other)
    await ours.lay(project, FILES)
    await server.run_until_quiet()
    events = await watching
    assert (events[0].name, events[-1].name) == ("snapshot", "closed")
    assert events[-1].data["counts"] == {"ready": 3}
    assert snapshot.data["counts"] == {"declared": 3}
    moved = [each.data for each in changes(events) if each.data["kind"] == "moved"]
    for path in FILES:
        states = [each["state"] for each in moved if each["path"] == path]
        assert states == [*server.way, "ready"]
    numbers = [each.id for each in changes(events)]
    assert numbers == list(range(events[0].id + 1, events[0].id + 1 + len(numbers)))
    assert "progress" in {event.name for event in events}


async def test_totals_and_lists_say_how_new_they_are(server, ours, project):
    """Totals of a stream and pages of uploads tell the last change they include."""
    batch, _ = await ours.lay(project, FILES)
    early = await ours.get(f"/v1/batches/{batch}/uploads")
    watching = asyncio.create_task(read(ours, batch, after=0))
    await server.run_until_quiet()
    events = await watching
    late = await ours.get(f"/v1/batches/{batch}/uploads")
    numbers = [event.data["number"] for event in events if event.name != "change"]
    assert numbers == sorted(numbers)
    assert numbers[-1] == late["number"] == changes(events)[-1].id > early["number"]
    for page in (early, late):
        shown = {each["id"]: each["state"] for each in page["items"]}
        last = {
            each.data["upload_id"]: each.data["state"]
            for each in changes(events)
            if each.id <= page["number"] and each.data["upload_id"]
        }
        assert shown == shown | last


async def test_a_stream_that_broke_goes_on_where_it_was(server, ours, project):
    """From any number on, `Last-Event-ID` brings exactly what follows it."""
    batch, _ = await ours.lay(project, FILES)
    await server.run_until_quiet()
    whole = changes(await read(ours, batch, after=0))
    assert [each.id for each in whole] == list(range(1, len(whole) + 1))
    for number in (1, 4, len(whole) - 1, len(whole)):
        events = await read(ours, batch, after=number)
        assert changes(events) == whole[number:]
        assert events[-1].name == "closed"
        assert events[0].name != "snapshot"


async def test_a_number_from_elsewhere_starts_over(server, ours, project):
    """A `Last-Event-ID` we never gave gets a snapshot."""
    batch, _ = await ours.lay(project, FILES)
    await server.run_until_quiet()
    events = await read(ours, batch, after=10**6)
    assert [event.name for event in events] == ["snapshot", "closed"]


async def test_viewers_see_the_same(server, ours, project):
    """Twenty viewers of a batch get the same changes in the same order."""
    batch = (await ours.declare(project, *[entry(*each) for each in FILES.items()]))["batch"]["id"]
    async with asyncio.TaskGroup() as tasks:
        viewers = [tasks.create_task(read(ours, batch, after=0)) for _ in range(20)]
        await ours.lay(project, FILES)
        await server.run_until_quiet()
    [first, *others] = [changes(viewer.result()) for viewer in viewers]
    assert first
    assert all(other == first for other in others)


async def test_other_batches_are_not_shown(server, ours, theirs, project):
    """A stream has the changes of its batch and of no other, ours or theirs."""
    watched = (await ours.declare(project, entry("a.txt", b"a"), reference="watched"))["batch"][
        "id"
    ]
    await ours.lay(project, {"other.txt": b"other"}, reference="other")
    await theirs.lay(await theirs.project("theirs"), {"their.txt": b"their"})
    await server.run_until_quiet()
    await ours.ask("POST", f"/v1/batches/{watched}/cancel", expect=200)
    events = changes(await read(ours, watched, after=0))
    assert {each.data["path"] for each in events} == {None, "a.txt"}


@pytest.mark.knobs(event_heartbeat=timedelta(seconds=0.05))
async def test_a_silent_stream_says_that_it_is_there(ours, project):
    """While nothing happens, comments come."""
    batch = (await ours.declare(project, entry("a.txt", b"a")))["batch"]["id"]
    async with asyncio.timeout(PATIENCE), ours.watch(batch) as events:
        names = [(await anext(events)).name for _ in range(5)]
    assert names == ["snapshot", *["comment"] * 4]


@pytest.mark.knobs(token_recheck=timedelta(seconds=0.05))
async def test_a_revoked_token_ends_its_stream(server, ours, project):
    """The stream ends soon after, without `closed`, and can't be opened again."""
    batch = (await ours.declare(project, entry("a.txt", b"a")))["batch"]["id"]
    async with asyncio.timeout(PATIENCE), ours.watch(batch) as events:
        assert (await anext(events)).name == "snapshot"
        await server.ask("UPDATE tokens SET revoked_at = now()")
        assert [event async for event in events if event.name == "closed"] == []
    assert (await ours.ask("GET", f"/v1/batches/{batch}/events")).status == 401


async def test_a_viewer_who_leaves_holds_up_nobody(server, ours, project):
    """Streams that are cut off leave the server and the other viewers as they were."""
    batch = (await ours.declare(project, *[entry(*each) for each in FILES.items()]))["batch"]["id"]
    for _ in range(5):
        async with ours.watch(batch) as events:
            await anext(events)
    staying = asyncio.create_task(read(ours, batch))
    await ours.lay(project, FILES)
    await server.run_until_quiet()
    assert (await staying)[-1].name == "closed"


async def test_a_twin_that_must_be_sent_is_announced(server, ours, project):
    """A promotion comes as a change of kind `promoted` that names the upload and its key."""
    declared = await ours.declare(project, entry("a.txt", b"x"), entry("b.txt", b"x"))
    batch, [leader, twin] = declared["batch"]["id"], declared["verdicts"]
    async with asyncio.timeout(PATIENCE), ours.watch(batch) as events:
        await anext(events)
        await ours.send(batch, leader["upload_id"], b"y")
        await server.run_until_quiet()
        async for event in events:
            if event.name == "change" and event.data["kind"] == "promoted":
                break
    assert (event.data["upload_id"], event.data["key"]) == (twin["upload_id"], "b.txt")

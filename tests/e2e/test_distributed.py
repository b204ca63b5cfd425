"""Two apis, three workers, one S3, one SQS: nothing depends on which of them is spoken to."""

import time
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from laydown import Client
from laydown.client.sse import Changed, Closed, Snapshot
from laydown.ports import Office, Silence
from tests.e2e.site import SINGLE_UP_TO, WORKERS
from tests.e2e.site_ledger import check, known_credentials, swept
from tests.e2e.site_talk import (
    complete,
    declared,
    holder,
    is_ready,
    keys_of,
    say,
    send,
    tell,
)
from tests.e2e.yard import PATIENCE, until
from tests.ledger_support import in_thread

_TAKEOVER = 15.0  # seconds within which an office has another holder
_FILES = 150
_DAY = timedelta(days=1)


def notes(name: str, count: int) -> dict[str, bytes]:
    """Return files that nobody else has, by path."""
    return {f"{name}/{number}.txt": f"{name} {number}\n".encode() for number in range(count)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a delivery of many small files and two that go in parts."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    dice = Random(3)
    for number in range(_FILES):
        (folder / f"{number}.txt").write_text(f"file {number}\n" * (number + 1))
    for name, size in (("a.bin", SINGLE_UP_TO + 1), ("b.bin", 2 * SINGLE_UP_TO)):
        (folder / name).write_bytes(dice.randbytes(size))
    return folder


def test_what_one_api_began_the_other_finishes(site):
    """Declared and granted by one, completed, closed and read at the other: whole and in parts."""
    large = Random(1).randbytes(SINGLE_UP_TO + 1)
    with site.client("api_a") as first, site.client("api_b") as second:
        delivery = declared(first, "halves", {**notes("halves", 3), "halves/large.bin": large})
        send(first, delivery)

        complete(second, delivery)
        second.close_batch(delivery.batch)

        until(lambda: is_ready(first, delivery), what="the first api says that all is ready")
        for row in second.receipt(delivery.batch).rows:
            came = site.settings.data.with_name("came")
            assert row.version_id is not None
            second.download(row.version_id, came)
            assert came.read_bytes() == delivery.contents[row.path]
    check(site)


def test_a_stream_of_one_api_tells_what_happens_at_the_other(site):
    """Every end is told once, in order, though the stream moves to the other api in between."""
    contents = notes("told", 20)
    early, late = list(contents)[:10], list(contents)[10:]
    with site.client("api_a") as first, site.client("api_b") as second:
        delivery = declared(first, "told", contents)
        told = []
        events = second.events(delivery.batch)
        assert isinstance(next(events), Snapshot)
        send(first, delivery, *early)
        complete(first, delivery, *early)
        for event in events:
            if isinstance(event, Changed):
                told.append(event.change)
            if sum(change.state == "ready" for change in told) == len(early):
                break
        events.close()

        send(second, delivery, *late)
        complete(second, delivery, *late)
        second.close_batch(delivery.batch)
        until(lambda: is_ready(second, delivery), what="all is ready")
        for event in first.events(delivery.batch, last_event_id=told[-1].number):
            assert not isinstance(event, Snapshot), "what was missed is told, not summed up"
            if isinstance(event, Changed):
                told.append(event.change)
        assert isinstance(event, Closed)

    with site.database() as database:
        happened = database.execute(
            "SELECT number FROM events WHERE batch_id = %s AND number >= %s ORDER BY number",
            [delivery.batch, told[0].number],
        ).fetchall()
    assert [change.number for change in told] == [number for (number,) in happened]
    ready = [change.upload_id for change in told if change.state == "ready"]
    assert sorted(ready) == sorted(delivery.uploads.values())


def test_an_api_is_replaced_in_the_middle_of_a_push(site, folder):
    """SIGTERM to one of two, a new one in its place: the push goes on, and nothing is lost."""
    push = site.start_push(folder, project="REPLACED", jobs=2)
    with site.database() as database:
        until(lambda: _arrived(database) >= 20, what="twenty files are with the store")

    assert site.nodes["api_a"].stop() == 0
    assert not push.is_over_within(0)
    site.start("api_a")
    pushed = push.end()

    assert pushed.said.get("unreadable") == [], pushed.said
    assert pushed.counts == {"ready": _FILES + 2}
    assert pushed.code == 0
    assert all(site.balancer.given.values()), "both apis were spoken to"
    check(site)


@pytest.mark.parametrize("shape", ["as S3 says it", "as SeaweedFS and moto say it"])
def test_a_tab_that_was_closed_after_its_last_byte(shape, site):
    """Nobody completes, the store tells, twice and with other messages between: it is ready."""
    with site.client() as client:
        delivery = declared(client, shape, notes(shape.replace(" ", "-"), 4))
        send(client, delivery)
        keys = keys_of(site, delivery)
        if "Seaweed" in shape:
            keys = [quote(key, safe="") for key in keys]

        say(site, {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": site.bucket})
        tell(site, *keys[:2])
        tell(site, *keys)

        _sees_it_ready(client, delivery)
    check(site)


def test_the_sweeper_finds_what_nobody_told(site):
    """Neither client nor store says a word: whole and in parts, the sweeper asks, and it ends."""
    large = Random(2).randbytes(SINGLE_UP_TO + 2)
    with site.client() as client:
        delivery = declared(client, "swept", {**notes("swept", 3), "swept/large.bin": large})
        send(client, delivery)

        with known_credentials(site):
            day = Silence(upload=_DAY, batch=_DAY, store=timedelta(0))
            assert in_thread(swept(site, day)) == len(delivery.contents)

        _sees_it_ready(client, delivery)
    check(site)


@pytest.mark.parametrize("office", list(Office))
def test_an_office_is_held_once_and_taken_over(office, site, tmp_path):
    """Kill -9 of its holder, and within 15 s another worker has it, and work goes on."""
    before = holder(site, office)
    site.nodes[before].kill()
    began = time.monotonic()

    after = holder(site, office, within=_TAKEOVER)

    assert time.monotonic() - began < _TAKEOVER
    assert after != before
    assert after in WORKERS
    (tmp_path / "after.txt").write_text(f"after the {office}\n")
    assert site.push(tmp_path / "after.txt", project=f"AFTER-{office}").counts == {"ready": 1}
    check(site)


def test_jobs_whose_messages_the_queue_lost_are_announced_again(site):
    """What was announced long ago, and is in no queue, is done all the same."""
    for worker in WORKERS:
        site.nodes[worker].kill()
    with site.client() as client:
        delivery = declared(client, "lost", notes("lost", 10))
        send(client, delivery)
        complete(client, delivery)
        with site.database() as database:
            marked = database.execute("UPDATE jobs SET sent_at = now() - interval '1 day'")
        assert marked.rowcount == len(delivery.contents)

        site.start(*WORKERS)

        _sees_it_ready(client, delivery)
    check(site)


def _sees_it_ready(client: Client, delivery) -> None:
    client.close_batch(delivery.batch)
    until(lambda: is_ready(client, delivery), what="all is ready", within=PATIENCE)


def _arrived(database) -> int:
    """Return how many uploads have come further than being sent."""
    [[count]] = database.execute(
        "SELECT count(*) FROM uploads u JOIN projects p ON p.id = u.project_id"
        " WHERE p.code = 'REPLACED' AND u.state IN ('sealing', 'checking', 'processing', 'ready')"
    )
    return count

"""Pushing and fetching where bytes go straight to a store, which is another server."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from laydown import AsyncClient, BadAnswer, StoreRefused, Unreachable, wire
from laydown.client import backoff, delivery, sender
from laydown.client.result import PushResult
from tests.unit.small_batch import NOW
from tests.unit.small_server import TOKEN, SmallServer, problem
from tests.unit.small_store import CHECKSUM, SmallStore, key_of, refused

EXPIRED = ("AccessDenied", "Request has expired")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every pause, so that obstacles cost milliseconds."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_WISH", 0.01)


@pytest.fixture
async def store() -> AsyncIterator[SmallStore]:
    async with SmallStore().running() as running:
        yield running


@pytest.fixture
async def server(store: SmallStore) -> AsyncIterator[SmallServer]:
    async with SmallServer(part_size=1 << 21, store=store).running() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "Site"
    site.mkdir()
    for number in range(5):
        (site / f"A-{number:03}.pdf").write_bytes(b"sheet %d" % number * 100)
    return site


async def pushed(server: SmallServer, folder: Path, *, patience: float = 5) -> PushResult:
    async with AsyncClient(server.url, TOKEN, timeout=patience) as client:
        return await client.push([folder], project="SITE", jobs=4)


async def test_every_file_arrives_in_the_store(
    server: SmallServer, store: SmallStore, folder: Path
):
    """Small and large files land there, and each ends ready because the client said it is sent."""
    content = os.urandom((5 << 20) + 1)
    (folder / "scan.bin").write_bytes(content)

    result = await pushed(server, folder)

    row = server.batch.by_path()["scan.bin"]
    parts = store.parts[key_of(row.id, 1)]
    assert b"".join(parts[number] for number in sorted(parts)) == content
    assert sorted(map(len, parts.values())) == [(1 << 20) + 1, 1 << 21, 1 << 21]
    assert len(store.objects) == 5
    assert result.is_success
    assert result.bytes_sent == sum(store.bodies)
    assert server.count("PUT") == 0


async def test_a_store_never_learns_the_token(server: SmallServer, store: SmallStore, folder: Path):
    """No request to another origin has our credentials, however it went."""
    store.order("PUT", "/bucket/", lambda: None, 2)
    store.order("PUT", "/bucket/", lambda: refused(503, "SlowDown"), 2)

    await pushed(server, folder)

    assert store.seen
    assert not any("Authorization" in headers for headers in store.seen)
    assert not any(TOKEN in str(headers) for headers in store.seen)


async def test_every_part_is_bound_to_its_bytes(
    server: SmallServer, store: SmallStore, folder: Path
):
    """Each grant is asked for with the part's checksum, which then goes with it."""
    (folder / "scan.bin").write_bytes(os.urandom((5 << 20) + 1))

    await pushed(server, folder)

    assert len(store.granted) == 8
    assert all(CHECKSUM in headers for headers in store.granted.values())


async def test_completions_are_gathered(server: SmallServer, folder: Path):
    """Many small files are completed with few requests."""
    for number in range(200):
        (folder / f"B-{number:03}.pdf").write_bytes(b"detail %d" % number)

    result = await pushed(server, folder)

    assert result.is_success
    assert server.count(f"POST /v1/batches/{server.batch.id}/completions") < 20


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        pytest.param(lambda: None, 3, id="the connection is cut"),
        pytest.param(lambda: refused(403, *EXPIRED), 2, id="the URL expired"),
        pytest.param(lambda: refused(400, "ExpiredToken"), 2, id="its credentials expired"),
        pytest.param(lambda: refused(404, "NoSuchUpload"), 1, id="another multipart upload"),
        pytest.param(lambda: refused(400, "BadDigest"), 2, id="bytes are damaged"),
        pytest.param(
            lambda: refused(400, "InvalidRequest", "Value for the checksum header is invalid."),
            1,
            id="bytes are damaged, it says otherwise",
        ),
        pytest.param(lambda: refused(400, "RequestTimeout"), 2, id="too slow"),
        pytest.param(lambda: refused(409, "ConditionalRequestConflict"), 2, id="conflict"),
        pytest.param(lambda: refused(503, "SlowDown"), 5, id="slow down"),
        pytest.param(lambda: refused(500, "InternalError"), 3, id="its own fault"),
        pytest.param(lambda: web.Response(status=502, text="<html>"), 3, id="a balancer"),
        pytest.param(lambda: web.Response(status=403, text="<Error><Co"), 1, id="half an answer"),
    ],
)
async def test_an_obstacle_that_passes_costs_nothing(
    server: SmallServer, store: SmallStore, folder: Path, answer, times
):
    """Whatever the store says for a while, each file arrives, once."""
    store.order("PUT", "/bucket/", answer, times)

    result = await pushed(server, folder)

    assert result.is_success
    assert len(store.bodies) == 5


async def test_what_arrived_before_is_completed(
    server: SmallServer, store: SmallStore, folder: Path
):
    """Bytes whose answer was lost are not sent again when the store has them."""
    (folder / "scan.bin").write_bytes(os.urandom(3 << 19))
    store.is_losing_answers = True

    result = await pushed(server, folder)

    assert result.is_success
    assert len(store.bodies) == 6
    row = server.batch.by_path()["scan.bin"]
    assert store.asked.count(f"PUT /bucket/{key_of(row.id, 1)}") == 1


async def test_a_412_is_an_arrival(server: SmallServer, store: SmallStore, folder: Path):
    """A PUT that finds the object there has nothing left to do but to complete."""
    store.order("PUT", "/bucket/", lambda: refused(412, "PreconditionFailed"))

    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        result = await client.push([folder], project="SITE", jobs=1)

    # The store lied once: the server misses that file, so it is sent after all.
    assert result.is_success
    assert store.count_of("PUT") == 6


async def test_a_store_that_denies_leaves_the_files_to_a_later_push(
    server: SmallServer, store: SmallStore, folder: Path
):
    """Nothing is repeated or taken back, and people read the store's words and no secret."""
    store.order("PUT", "/bucket/", lambda: refused(403, "AccessDenied", "Access &lt;Denied&gt;"), 9)

    result = await pushed(server, folder)

    assert store.count_of("PUT") == 5
    assert {each.why for each in result.unreadable} == {
        "the object store answered 403 AccessDenied: Access <Denied>"
    }
    assert result.batch is not None
    assert result.batch.state == "open"


async def test_a_store_that_loses_everything_is_not_served_for_ever(
    server: SmallServer, store: SmallStore, folder: Path
):
    """A file that is never there after it was sent is given up, with a sentence."""
    store.order("PUT", "/bucket/", web.Response, 10_000)

    result = await pushed(server, folder)

    assert {each.why for each in result.unreadable} == {"the store keeps losing parts of it"}


async def test_a_store_that_stays_away_is_named(
    server: SmallServer, store: SmallStore, folder: Path
):
    """Patience ends with `Unreachable`, and says that it isn't the server that is away."""
    store.order("PUT", "/bucket/", lambda: None, 10_000)
    store.order("HEAD", "/", lambda: None, 10_000)

    with pytest.raises(Unreachable) as failed:
        await pushed(server, folder, patience=0.2)

    assert failed.value.url == store.url


async def test_a_store_that_stops_taking_bytes_is_left(
    server: SmallServer, store: SmallStore, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """A PUT that stalls is broken off, and its part sent again."""
    (folder / "scan.bin").write_bytes(os.urandom(40 << 20))  # more than fits between us
    server.batch.part_size = 1 << 26
    monkeypatch.setattr(delivery, "_SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(delivery, "_SLOWEST_LINE", 1 << 30)
    store.stalls = 1

    result = await pushed(server, folder)

    assert result.is_success


async def test_the_server_is_told_how_far_it_is(
    server: SmallServer, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """While bytes go past the server, it hears how many have gone; a refusal harms nothing."""
    monkeypatch.setattr(sender, "_REPORTED_EVERY", 0.001)
    (folder / "scan.bin").write_bytes(os.urandom(8 << 20))
    server.order("POST", "/progress", lambda: problem(404, "not_found"), 2)

    result = await pushed(server, folder)

    assert result.is_success
    scan = server.batch.by_path()["scan.bin"].id
    assert 0 < server.reported[scan] <= 8 << 20


async def test_nothing_is_reported_or_completed_where_the_server_sees_the_bytes(folder: Path):
    """Without a store there are no requests but those that were there before."""
    async with SmallServer(part_size=1 << 20).running() as server:
        assert (await pushed(server, folder)).is_success

        assert not any("/progress" in each or "/completions" in each for each in server.asked)


async def test_parts_that_the_store_has_are_not_sent_again(
    server: SmallServer, store: SmallStore, folder: Path
):
    """A push that resumes sends what the store lacks."""
    (folder / "scan.bin").write_bytes(os.urandom(6 << 20))
    await pushed(server, folder)
    row = server.batch.by_path()["scan.bin"]
    server.batch.is_closed = False
    row.state = "receiving"
    del store.parts[key_of(row.id, 1)][2]
    store.bodies.clear()

    result = await pushed(server, folder)

    assert store.bodies == [1 << 21]
    assert result.is_success


async def test_a_part_may_be_sent_by_hand(server: SmallServer, store: SmallStore):
    """`put_part` sends what was granted, takes 412 for done, and tells what the store refused."""
    url, headers = store.grant("k", 1, size=3, is_part=False, checksum=None)
    grant = wire.PartGrant(number=1, url=url, expires_at=NOW, headers=headers)
    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        await client.put_part(grant, b"one")
        await client.put_part(grant, b"one")
        with pytest.raises(StoreRefused, match="403 SignatureDoesNotMatch"):
            await client.put_part(replace(grant, url=url + "x"), b"one")

    assert store.objects["k"] == b"one"


async def test_a_download_is_followed_and_resumed(
    server: SmallServer, store: SmallStore, tmp_path: Path
):
    """One redirect leads to the bytes; what breaks off goes on, and the token stays at home."""
    server.content = os.urandom(3 << 20)
    store.cut_after = 1 << 20
    store.order("GET", "/bucket/content", lambda: refused(403, *EXPIRED))
    store.order("GET", "/bucket/content", lambda: refused(503, "SlowDown"))

    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        await client.download(uuid4(), tmp_path / "b.bin")

    assert (tmp_path / "b.bin").read_bytes() == server.content
    assert [headers.get("Range") for headers in store.seen[:3]] == [None, None, None]
    assert store.seen[3]["Range"].startswith("bytes=")
    assert not any("Authorization" in headers for headers in store.seen)


async def test_only_one_redirect_is_followed(
    server: SmallServer, store: SmallStore, tmp_path: Path
):
    """A store that sends us on is not believed."""
    server.content = b"x"
    store.order(
        "GET", "/bucket/content", lambda: web.Response(status=302, headers={"Location": "/x"}), 9
    )

    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        with pytest.raises(BadAnswer, match="302"):
            await client.download(uuid4(), tmp_path / "b.bin")


async def test_a_download_that_the_store_denies_is_told(
    server: SmallServer, store: SmallStore, tmp_path: Path
):
    """A refusal that time doesn't heal ends it at once."""
    server.content = b"x"
    store.order("GET", "/bucket/content", lambda: refused(403, "AccessDenied", "Access Denied"), 9)

    async with AsyncClient(server.url, TOKEN, timeout=5) as client:
        with pytest.raises(StoreRefused, match="Access Denied"):
            await client.download(uuid4(), tmp_path / "b.bin")

    assert store.count_of("GET") == 1


async def test_a_download_from_a_store_that_stays_away_ends(
    server: SmallServer, store: SmallStore, tmp_path: Path
):
    """Patience ends with the store's name, though the server answers each time."""
    server.content = b"x"
    store.order("GET", "/bucket/content", lambda: None, 10_000)

    async with AsyncClient(server.url, TOKEN, timeout=0.2) as client:
        with pytest.raises(Unreachable) as failed:
            await client.download(uuid4(), tmp_path / "b.bin")

    assert failed.value.url == store.url

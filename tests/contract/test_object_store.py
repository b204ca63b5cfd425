"""What every object store promises."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from laydown.domain.errors import ContentGone
from laydown.objects.disk import DiskStore
from laydown.objects.flush import FlushMode
from laydown.objects.intake import Intake
from laydown.ports import Fingerprinter, ObjectStore
from tests.byte_support import ORGANIZATION, Book, make_upload, send_part, send_whole

MIB = 1 << 20


class DiskBench:
    """A disk store and a way to get bytes into it."""

    def __init__(self, root: Path, flush: FlushMode) -> None:
        self.disk = DiskStore.open(root, flush=flush)
        self.store: ObjectStore = self.disk
        self.hashing: Fingerprinter = self.disk

    async def put_object(self, body: bytes) -> str:
        """Make an object of one part; return its key."""
        upload = make_upload(len(body))
        book = Book()
        async with Intake(self.disk, recorder=book.record, landed=book.landed).running() as intake:
            await send_whole(intake, upload, body)
        return upload.key

    async def put_parts(self, body: bytes, *, part_size: int) -> str:
        """Send an object's parts, last one first, without joining them; return its key."""
        upload = make_upload(len(body), part_size=part_size)
        book = Book()
        async with Intake(self.disk, recorder=book.record, landed=book.landed).running() as intake:
            for number in range(upload.parts, 0, -1):
                offset = (number - 1) * part_size
                part = body[offset : offset + part_size]
                await send_part(intake, upload, number, part, offset=offset)
        return upload.key


@pytest.fixture(params=["disk", "disk-fsync"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DiskBench]:
    flush = FlushMode.FSYNC if request.param == "disk-fsync" else FlushMode.AUTO
    bench = DiskBench(tmp_path / "store", flush)
    yield bench
    bench.disk.close()


def pattern(size: int) -> bytes:
    """Return *size* bytes in which every stretch differs from every other."""
    blocks = (hashlib.sha256(b"%d" % number).digest() for number in range(-(-size // 32)))
    return b"".join(blocks)[:size]


async def read(store: ObjectStore, key: str, **window: int) -> bytes:
    return b"".join([chunk async for chunk in store.read(key, **window)])


def unknown_key() -> str:
    return f"u/{ORGANIZATION}/{uuid4()}/1"


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, MIB, 3 * MIB + 17])
async def test_an_object_reads_back_as_it_was_sent(bench, size):
    """What was sent in one part is what is read, whatever its size."""
    body = pattern(size)
    key = await bench.put_object(body)

    assert await bench.store.size(key) == size
    assert await read(bench.store, key) == body


async def test_an_object_is_whole_or_absent(bench):
    """Before the join there is no object; after it, all of it, in part order."""
    body = pattern(5 * MIB + 3)
    key = await bench.put_parts(body, part_size=2 * MIB)

    assert await bench.store.size(key) is None
    with pytest.raises(ContentGone):
        await read(bench.store, key)

    assert await bench.store.join(key, size=len(body)) == len(body)
    assert await bench.store.size(key) == len(body)
    assert await read(bench.store, key) == body


async def test_joining_again_changes_nothing(bench):
    """A second join gives the first one's answer and the same bytes."""
    body = pattern(3 * MIB)
    key = await bench.put_parts(body, part_size=2 * MIB)

    answers = [await bench.store.join(key, size=len(body)) for _ in range(3)]

    assert answers == [len(body)] * 3
    assert await read(bench.store, key) == body


async def test_joining_a_whole_object_tells_its_size(bench):
    """An object that never had parts to join is there already."""
    key = await bench.put_object(b"plan")

    assert await bench.store.join(key, size=4) == 4


async def test_joining_nothing_makes_nothing(bench):
    """A key without bytes joins to None, and stays without an object."""
    key = unknown_key()

    assert await bench.store.join(key, size=10) is None
    assert await bench.store.size(key) is None


async def test_bytes_that_are_too_few_make_no_object(bench):
    """A join that does not find the promised size says what it found and makes nothing."""
    key = await bench.put_parts(pattern(3 * MIB), part_size=2 * MIB)

    assert await bench.store.join(key, size=4 * MIB) == 3 * MIB
    assert await bench.store.size(key) is None


async def test_a_window_reads_exactly_its_bytes(bench):
    """A start and a length cut the object; a window past the end yields what there is."""
    body = pattern(2 * MIB + 5)
    key = await bench.put_object(body)

    assert await read(bench.store, key, start=10, length=20) == body[10:30]
    assert await read(bench.store, key, start=MIB - 1, length=MIB + 2) == body[MIB - 1 :][: MIB + 2]
    assert await read(bench.store, key, start=2 * MIB) == body[2 * MIB :]
    assert await read(bench.store, key, start=len(body) + 9, length=5) == b""


async def test_discarding_leaves_nothing_and_may_be_repeated(bench):
    """After a discard there are neither objects nor parts, however often it is asked."""
    placed = await bench.put_object(b"x" * 100)
    staged = await bench.put_parts(pattern(3 * MIB), part_size=2 * MIB)

    for key in (placed, staged, placed, staged, unknown_key()):
        await bench.store.discard(key)

    assert await bench.store.size(placed) is None
    assert await bench.store.join(staged, size=3 * MIB) is None
    assert [stored async for stored in bench.store.objects()] == []


async def test_every_object_is_listed_finished_or_not(bench):
    """The list names placed and staged objects with their sizes and when they came."""
    before = datetime.now(UTC).timestamp() - 2  # file systems keep coarser time than the clock
    placed = {await bench.put_object(pattern(size)): size for size in (0, 10, 20)}
    staged = await bench.put_parts(pattern(3 * MIB), part_size=2 * MIB)

    listed = {stored.key: stored async for stored in bench.store.objects()}

    sizes = {key: stored.size for key, stored in listed.items()}
    assert sizes == {**placed, staged: 3 * MIB}
    assert all(stored.stored_at.timestamp() >= before for stored in listed.values())


@pytest.mark.parametrize("size", [0, 1, 64 * 1024 - 1, 64 * 1024 + 1, 2 * MIB + 1])
async def test_a_fingerprint_tells_the_whole_object(bench, size):
    """Size, SHA-256, head and tail are those of the object's bytes."""
    body = pattern(size)
    key = await bench.put_object(body)

    found = await bench.hashing.fingerprints([key, unknown_key()])

    assert set(found) == {key}
    assert found[key].size == size
    assert found[key].sha256 == hashlib.sha256(body).digest()
    assert found[key].head == body[: 64 * 1024]
    assert found[key].tail == body[-64 * 1024 :]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "u/../../etc/passwd",
        f"u/{ORGANIZATION}/{uuid4()}/0",
        f"u/{ORGANIZATION}/{uuid4()}/1/..",
        f"u/{ORGANIZATION}/{uuid4()}/1\n",
        f"u/{ORGANIZATION}/{str(uuid4()).upper()}/1",
        f"U/{ORGANIZATION}/{uuid4()}/1",
        f"/u/{ORGANIZATION}/{uuid4()}/1",
        f"u/{ORGANIZATION}/%2e%2e/1",
    ],
    ids=range(9),
)
async def test_only_keys_reach_the_store(bench, key):
    """Anything but an object key is an error before the store looks for it."""
    for ask in (bench.store.size, bench.store.discard):
        with pytest.raises(ValueError, match="not an object key"):
            await ask(key)

"""What every object store promises."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from laydown.domain.errors import ContentGone, ScannerUnavailable, StoreUnavailable
from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import Upload
from laydown.objects.disk import DiskStore
from laydown.objects.flush import FlushMode
from laydown.objects.intake import Intake
from laydown.objects.s3 import S3Store
from laydown.ports import Fingerprinter, Look, ObjectStore
from tests.api.sabotage import withheld
from tests.byte_support import ORGANIZATION, Book, make_upload, send_part, send_whole
from tests.s3_support import Bucket, opened_bucket

MIB = 1 << 20
PART = 5 * MIB  # the smallest that S3 joins


class Bench(Protocol):
    """A store and a way to get bytes into it."""

    store: ObjectStore
    hashing: Fingerprinter

    async def put_object(self, body: bytes) -> Upload:
        """Make an object of one part."""
        ...

    async def put_parts(self, body: bytes, *, size: int | None = None) -> Upload:
        """Send an object's parts without joining them; *size* is what was declared."""
        ...


class DiskBench:
    """Bytes come to a disk through its intake."""

    def __init__(self, root: Path, flush: FlushMode) -> None:
        self.disk = DiskStore.open(root, flush=flush)
        self.store: ObjectStore = self.disk
        self.hashing: Fingerprinter = self.disk

    async def put_object(self, body: bytes) -> Upload:
        upload = make_upload(len(body))
        book = Book()
        async with Intake(self.disk, recorder=book.record, landed=book.landed).running() as intake:
            await send_whole(intake, upload, body)
        return upload

    async def put_parts(self, body: bytes, *, size: int | None = None) -> Upload:
        upload = make_upload(len(body) if size is None else size, part_size=PART)
        book = Book()
        async with Intake(self.disk, recorder=book.record, landed=book.landed).running() as intake:
            for offset in range(0, len(body), PART):
                part = body[offset : offset + PART]
                await send_part(intake, upload, offset // PART + 1, part, offset=offset)
        return upload


class S3Bench:
    """Bytes come to a bucket through URLs that are signed for it."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.store: ObjectStore = bucket.store
        self.hashing: Fingerprinter = bucket.store

    async def put_object(self, body: bytes) -> Upload:
        return await self.bucket.put_object(body)

    async def put_parts(self, body: bytes, *, size: int | None = None) -> Upload:
        upload = await self.bucket.begun(len(body) if size is None else size, part_size=PART)
        for number in range(-(-len(body) // PART), 0, -1):
            await self.bucket.put_part(upload, number, body)
        return upload


@pytest.fixture(params=["disk", "disk-fsync", pytest.param("s3", marks=pytest.mark.distributed)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "s3":
        async with opened_bucket(request.getfixturevalue("seaweed")) as bucket:
            assert isinstance(bucket.store, S3Store)
            yield S3Bench(bucket)
        return
    flush = FlushMode.FSYNC if request.param == "disk-fsync" else FlushMode.AUTO
    disk = DiskBench(tmp_path / "store", flush)
    yield disk
    disk.disk.close()


class Attentive:
    """A scanner that remembers what it read, as far as it did."""

    def __init__(self, *, stops_after: int | None = None, fails: bool = False) -> None:
        self.read: list[bytes] = []
        self.sizes: list[int] = []
        self._stops_after = stops_after  # bytes
        self._fails = fails

    async def scan(self, chunks: AsyncIterator[bytes], *, size: int) -> Scan:
        self.sizes.append(size)
        body = b""
        async for chunk in chunks:
            body += chunk
            if self._stops_after is not None and len(body) >= self._stops_after:
                break
        self.read.append(body)
        if self._fails:
            raise ScannerUnavailable("the scanner went away")
        return Scan(scanner="attentive", verdict=Verdict.CLEAN)


def pattern(size: int) -> bytes:
    """Return *size* bytes in which every stretch differs from every other."""
    blocks = (hashlib.sha256(b"%d" % number).digest() for number in range(-(-size // 32)))
    return b"".join(blocks)[:size]


async def read(store: ObjectStore, key: str, **window: int) -> bytes:
    return b"".join([chunk async for chunk in store.read(key, **window)])


def unknown() -> Upload:
    return make_upload(10)


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, MIB, 3 * MIB + 17])
async def test_an_object_reads_back_as_it_was_sent(bench, size):
    """What was sent in one part is what is read, whatever its size."""
    body = pattern(size)
    key = (await bench.put_object(body)).key

    assert await bench.store.size(key) == size
    assert await read(bench.store, key) == body


async def test_reading_hands_on_little_at_a_time(bench):
    """No chunk has more than 1 MiB, and a reader may stop at any."""
    key = (await bench.put_object(pattern(5 * MIB))).key

    assert max([len(chunk) async for chunk in bench.store.read(key)]) <= MIB
    async with aclosing(bench.store.read(key)) as chunks:
        assert len(await anext(chunks)) > 0
    assert await bench.store.size(key) == 5 * MIB


async def test_an_object_is_whole_or_absent(bench):
    """Before the join there is no object; after it, all of it, in part order."""
    body = pattern(2 * PART + 3)
    upload = await bench.put_parts(body)

    assert await bench.store.size(upload.key) is None
    with pytest.raises(ContentGone):
        await read(bench.store, upload.key)

    assert await bench.store.join(upload) == len(body)
    assert await bench.store.size(upload.key) == len(body)
    assert await read(bench.store, upload.key) == body


async def test_joining_again_changes_nothing(bench):
    """A second join gives the first one's answer and the same bytes."""
    body = pattern(PART + MIB)
    upload = await bench.put_parts(body)

    answers = [await bench.store.join(upload) for _ in range(3)]

    assert answers == [len(body)] * 3
    assert await read(bench.store, upload.key) == body


async def test_joining_a_whole_object_tells_its_size(bench):
    """An object that never had parts to join is there already."""
    assert await bench.store.join(await bench.put_object(b"plan")) == 4


async def test_joining_nothing_makes_nothing(bench):
    """An upload without bytes joins to None, and stays without an object."""
    upload = unknown()

    assert await bench.store.join(upload) is None
    assert await bench.store.size(upload.key) is None


async def test_bytes_that_are_too_few_make_no_object(bench):
    """A join that does not find the promised size says what it found and makes nothing."""
    upload = await bench.put_parts(pattern(PART), size=2 * PART)

    assert await bench.store.join(upload) == PART
    assert await bench.store.size(upload.key) is None


async def test_a_window_reads_exactly_its_bytes(bench):
    """A start and a length cut the object; a window past the end yields what there is."""
    body = pattern(2 * MIB + 5)
    key = (await bench.put_object(body)).key

    assert await read(bench.store, key, start=10, length=20) == body[10:30]
    assert await read(bench.store, key, start=MIB - 1, length=MIB + 2) == body[MIB - 1 :][: MIB + 2]
    assert await read(bench.store, key, start=2 * MIB) == body[2 * MIB :]
    assert await read(bench.store, key, start=len(body) + 9, length=5) == b""
    assert await read(bench.store, key, start=3, length=0) == b""
    with pytest.raises(ContentGone):
        await read(bench.store, unknown().key, start=3, length=0)


async def test_discarding_leaves_nothing_and_may_be_repeated(bench):
    """After a discard there are neither objects nor parts, however often it is asked."""
    placed = await bench.put_object(b"x" * 100)
    staged = await bench.put_parts(pattern(PART + 1))
    refused = await bench.put_object(b"y" * 100)
    await bench.store.quarantine(refused.key)

    for upload in (placed, staged, refused, placed, staged, unknown()):
        await bench.store.discard(upload.key)

    assert await bench.store.size(placed.key) is None
    assert await bench.store.join(staged) is None
    assert [stored async for stored in bench.store.objects()] == []


async def test_discarding_one_attempt_leaves_the_others(bench):
    """Keys that begin alike are different keys."""
    upload = await bench.put_object(b"first")
    later = replace(upload, attempt=12)
    assert later.key.startswith(upload.key)

    await bench.store.discard(later.key)
    assert await bench.store.size(upload.key) == 5


async def test_what_is_in_quarantine_is_kept_from_readers(bench):
    """It can't be read, sized or fingerprinted any more, but is listed until it is discarded."""
    upload = await bench.put_object(pattern(100))

    for _ in range(2):
        await bench.store.quarantine(upload.key)

    assert await bench.store.size(upload.key) is None
    with pytest.raises(ContentGone):
        await read(bench.store, upload.key)
    assert await bench.hashing.fingerprints([upload.key]) == {}
    assert [(each.key, each.size) async for each in bench.store.objects()] == [(upload.key, 100)]


async def test_quarantine_of_nothing_is_nothing(bench):
    """A key without an object stays without one."""
    await bench.store.quarantine(unknown().key)

    assert [stored async for stored in bench.store.objects()] == []


async def test_every_object_is_listed_finished_or_not(bench):
    """The list names placed and staged objects with their sizes and when they came."""
    before = datetime.now(UTC).timestamp() - 2  # file systems keep coarser time than the clock
    placed = {(await bench.put_object(pattern(size))).key: size for size in (0, 10, 20)}
    staged = await bench.put_parts(pattern(PART + MIB))

    listed = {stored.key: stored async for stored in bench.store.objects()}

    sizes = {key: stored.size for key, stored in listed.items()}
    assert sizes == {**placed, staged.key: PART + MIB}
    assert all(stored.stored_at.timestamp() >= before for stored in listed.values())


@pytest.mark.parametrize("size", [0, 1, 64 * 1024 - 1, 64 * 1024 + 1, 2 * MIB + 1])
async def test_a_fingerprint_tells_the_whole_object(bench, size):
    """Size, SHA-256, head and tail are those of the object's bytes."""
    body = pattern(size)
    key = (await bench.put_object(body)).key

    found = await bench.hashing.fingerprints([key, unknown().key])

    assert set(found) == {key}
    assert found[key].scan is None
    assert_tells(found[key].fingerprint, body)


@pytest.mark.parametrize("size", [0, 1, 5 * MIB + 1])
async def test_a_scanner_reads_what_is_fingerprinted(bench, size):
    """It gets every byte once and the size before; its word comes with the fingerprint."""
    body, scanner = pattern(size), Attentive()
    key = (await bench.put_object(body)).key

    found = await bench.hashing.fingerprints([key, unknown().key], scanner=scanner)

    assert found[key].scan == Scan(scanner="attentive", verdict=Verdict.CLEAN)
    assert_tells(found[key].fingerprint, body)
    assert (scanner.read, scanner.sizes) == ([body], [size])


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("stops_after", [0, 2 * MIB, None])
async def test_a_scanner_that_stops_does_not_stop_the_proof(bench, stops_after, fails):
    """However little it reads, the fingerprint is whole, and what it said or raised is told."""
    body = pattern(6 * MIB + 1)
    key = (await bench.put_object(body)).key

    scanner = Attentive(stops_after=stops_after, fails=fails)
    found = await bench.hashing.fingerprints([key], scanner=scanner)

    assert isinstance(found[key].scan, ScannerUnavailable if fails else Scan)
    assert_tells(found[key].fingerprint, body)


@pytest.mark.parametrize("has_scanner", [False, True])
async def test_an_object_that_cannot_be_read_says_why_and_keeps_up_no_other(bench, has_scanner):
    """Of a group each object is read but the refused one, which comes with an error of its own."""
    keys = [(await bench.put_object(b"%d" % number)).key for number in range(5)]
    scanner = Attentive() if has_scanner else None
    async with withheld(bench.store, keys[2]):
        async with asyncio.timeout(10):  # a bucket takes up a policy within a second
            while isinstance((await bench.hashing.fingerprints(keys[2:3]))[keys[2]], Look):
                pass
        found = await bench.hashing.fingerprints(keys, scanner=scanner)

    assert set(found) == set(keys)
    why = found.pop(keys[2])
    assert type(why) is StoreUnavailable
    for key, look in found.items():
        assert_tells(look.fingerprint, b"%d" % keys.index(key))


def assert_tells(fingerprint, body):
    assert fingerprint.size == len(body)
    assert fingerprint.sha256 == hashlib.sha256(body).digest()
    assert fingerprint.head == body[: 64 * 1024]
    assert fingerprint.tail == body[-64 * 1024 :]


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
    for ask in (bench.store.size, bench.store.discard, bench.store.quarantine):
        with pytest.raises(ValueError, match="not an object key"):
            await ask(key)
    with pytest.raises(ValueError, match="not an object key"):
        await read(bench.store, key)

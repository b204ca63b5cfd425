"""What every store promises of bytes whose number nobody knows before the last one."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from awscrt import checksums

from laydown.domain.errors import ClientGone, Conflict, ContentGone
from laydown.domain.upload import UploadId, object_key
from laydown.objects.disk import DiskStore
from laydown.objects.flush import FlushMode
from laydown.objects.intake import Intake, IntakeLimits
from laydown.ports import ByteSink, ObjectStore
from tests.byte_support import ORGANIZATION, Book, files_below
from tests.s3_support import opened_bucket

MIB = 1 << 20


class Bench(Protocol):
    """A store, and the way in that it has for such bytes."""

    store: ObjectStore
    sink: ByteSink


class DiskBench:
    def __init__(self, disk: DiskStore, intake: Intake) -> None:
        self.store: ObjectStore = disk
        self.sink: ByteSink = intake


class S3Bench:
    def __init__(self, store) -> None:
        self.store: ObjectStore = store
        self.sink: ByteSink = store


@pytest.fixture(params=["disk", "disk-fsync", pytest.param("s3", marks=pytest.mark.distributed)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "s3":
        async with opened_bucket(request.getfixturevalue("seaweed")) as bucket:
            yield S3Bench(bucket.store)
        return
    flush = FlushMode.FSYNC if request.param == "disk-fsync" else FlushMode.AUTO
    disk = DiskStore.open(tmp_path / "store", flush=flush)
    book = Book()
    limits = IntakeLimits(budget=4 * MIB)
    intake = Intake(disk, recorder=book.record, landed=book.landed, limits=limits)
    async with intake.running():
        yield DiskBench(disk, intake)
    assert intake.budget.held == 0
    assert files_below(tmp_path / "store" / "incoming") == []
    disk.close()


def new_key() -> str:
    return object_key(ORGANIZATION, UploadId(uuid4()), 1)


def pattern(size: int) -> bytes:
    blocks = (hashlib.sha256(b"%d" % number).digest() for number in range(-(-size // 32)))
    return b"".join(blocks)[:size]


async def pieces(body: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes | memoryview]:
    """Yield a body as it comes from a connection."""
    for start in range(0, len(body), size):
        yield memoryview(body)[start : start + size]


async def read(store: ObjectStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


@pytest.mark.parametrize("size", [0, 1, MIB, 8 * MIB, 17 * MIB + 5])
async def test_what_was_kept_reads_back(bench, size):
    """Whatever their number, all bytes are one object, and what is told of them is true."""
    body, key = pattern(size), new_key()

    kept = await bench.sink.keep(key, pieces(body))

    assert (kept.size, kept.sha256) == (size, hashlib.sha256(body).digest())
    assert kept.crc64nvme == checksums.crc64nvme(body)
    assert await bench.store.size(key) == size
    assert await read(bench.store, key) == body
    assert [(each.key, each.size) async for each in bench.store.objects()] == [(key, size)]


@pytest.mark.parametrize("size", [10, 3 * MIB, 20 * MIB])
async def test_bytes_that_break_off_leave_nothing(bench, size):
    """The error of whoever brings them passes; there is no object, and no part of one."""
    key = new_key()

    async def broken() -> AsyncIterator[bytes]:
        async for piece in pieces(pattern(size)):
            yield bytes(piece)
        raise ClientGone

    with pytest.raises(ClientGone):
        await bench.sink.keep(key, broken())

    with pytest.raises(ContentGone):
        await read(bench.store, key)
    assert [stored async for stored in bench.store.objects()] == []


async def test_giving_up_leaves_nothing(bench):
    """A keeping that is cancelled leaves no object, and its key is free again."""
    key, begun = new_key(), asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield pattern(9 * MIB)
        begun.set()
        await asyncio.Event().wait()

    keeping = asyncio.create_task(bench.sink.keep(key, stalled()))
    await begun.wait()
    keeping.cancel()
    await asyncio.wait([keeping])

    assert [stored async for stored in bench.store.objects()] == []
    assert (await bench.sink.keep(key, pieces(b"again"))).size == 5


@pytest.mark.parametrize("size", [100, 9 * MIB])
async def test_the_same_bytes_again_change_nothing(bench, size):
    """A second time gives the first one's answer."""
    body, key = pattern(size), new_key()

    answers = [await bench.sink.keep(key, pieces(body)) for _ in range(2)]

    assert answers[0] == answers[1]
    assert await read(bench.store, key) == body


@pytest.mark.parametrize("size", [100, 9 * MIB])
async def test_an_object_is_never_replaced(bench, size):
    """Other bytes under its key are refused, and the object stays as it was."""
    body, key = pattern(size), new_key()
    await bench.sink.keep(key, pieces(body))

    for other in (body[:-1] + b"!", b"short"):
        with pytest.raises(Conflict):
            await bench.sink.keep(key, pieces(other))

    assert await read(bench.store, key) == body
    assert len([stored async for stored in bench.store.objects()]) == 1


async def test_many_at_once_are_kept_apart(bench):
    """Forty objects side by side, more than there is memory for, are each whole."""
    bodies = {new_key(): pattern(size * 50_000) for size in range(40)}

    await asyncio.gather(*(bench.sink.keep(key, pieces(body)) for key, body in bodies.items()))

    for key, body in bodies.items():
        assert await read(bench.store, key) == body


async def test_who_stalls_keeps_nobody_waiting(bench):
    """While forty senders hold a megabyte each and send no more, another one's bytes are kept."""
    over = asyncio.Event()
    begun = [asyncio.Event() for _ in range(40)]

    async def stalled(event: asyncio.Event) -> AsyncIterator[bytes]:
        for piece in range(15):
            yield bytes([piece]) * 64 * 1024
        event.set()
        await over.wait()

    keeping = [asyncio.create_task(bench.sink.keep(new_key(), stalled(each))) for each in begun]
    async with asyncio.timeout(20):
        for event in begun:
            await event.wait()
        assert (await bench.sink.keep(new_key(), pieces(pattern(3 * MIB)))).size == 3 * MIB
    over.set()
    assert {kept.size for kept in await asyncio.gather(*keeping)} == {15 * 64 * 1024}


async def test_only_keys_reach_the_store(bench):
    """Anything but an object key is an error before a byte is taken."""
    with pytest.raises(ValueError, match="not an object key"):
        await bench.sink.keep("u/../../etc/passwd", pieces(b"x"))

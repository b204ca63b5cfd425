"""Group commit: durable, then recorded, then answered, each body by itself."""

import asyncio
import hashlib
import os
import subprocess
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from laydown.domain.digest import Algorithm, Checksum
from laydown.domain.errors import (
    ChecksumMismatch,
    LedgerUnavailable,
    StoreFull,
    StoreUnavailable,
    WrongLength,
)
from laydown.domain.upload import OrganizationId, PartOutcome, Upload
from laydown.objects.disk import DiskStore
from laydown.objects.flush import Flush, FlushMode, SyncFs
from laydown.objects.intake import Intake, IntakeLimits
from tests.byte_support import Book, files_below, make_upload, send_whole


@pytest.fixture(params=list(FlushMode))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DiskStore]:
    opened = DiskStore.open(tmp_path, flush=request.param)
    yield opened
    opened.close()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
async def intake(store, book):
    async with Intake(store, recorder=book.record, landed=book.landed).running() as running:
        yield running


def stored(store: DiskStore, upload: Upload) -> bytes | None:
    """Return the bytes of an upload's object."""
    folder = Path(store.layout.root) / "u" / str(upload.organization) / str(upload.id)[-2:]
    path = folder / f"{upload.id}.{upload.attempt}"
    return path.read_bytes() if path.exists() else None


async def test_bodies_that_wait_share_one_flush_and_one_call(store, book, intake):
    """While one group is being recorded, what arrives meanwhile is written and flushed together."""
    book.turnstile = asyncio.Event()
    uploads = [make_upload(5) for _ in range(11)]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send_whole(intake, uploads[0], b"first"))
        await book.entered.wait()
        for upload in uploads[1:]:
            tasks.create_task(send_whole(intake, upload, b"later"))
        book.turnstile.set()

    assert book.calls[0] == 1
    assert sum(book.calls) == 11
    assert len(book.calls) <= 4
    assert {stored(store, upload) for upload in uploads[1:]} == {b"later"}


async def test_every_body_is_recorded_once(store, book, intake):
    """However writing, flushing and recording overlap, no body is recorded twice or forgotten."""
    uploads = [make_upload(4) for _ in range(300)]
    async with asyncio.TaskGroup() as tasks:
        for upload in uploads:
            tasks.create_task(send_whole(intake, upload, b"once"))

    assert sum(book.calls) == 300
    assert intake.stats.grouped == 300
    assert all(stored(store, upload) == b"once" for upload in uploads)


class Witness:
    """Flushes as the flush it stands before, and remembers what was true at that moment."""

    def __init__(self, flush: Flush, book: Book, root: Path) -> None:
        self.needs_files = flush.needs_files
        self.seen: list[tuple[int, list[bytes]]] = []  # recorded parts; bytes under their names
        self._flush = flush
        self._book = book
        self._root = root

    def __call__(self, files: Sequence[int], folders: Collection[str]) -> None:
        placed = [path.read_bytes() for path in files_below(self._root / "u")]
        self.seen.append((len(self._book.parts), placed))
        self._flush(files, folders)

    def close(self) -> None:
        self._flush.close()


async def test_written_and_named_then_flushed_then_recorded_then_answered(store, book, intake):
    """The ledger hears of no byte, and of no name, that was not flushed before."""
    witness = Witness(store.flush, book, Path(store.layout.root))
    store.flush = witness

    await send_whole(intake, make_upload(5), b"first")
    await send_whole(intake, make_upload(6), b"second")

    assert [recorded for recorded, _ in witness.seen] == [0, 1]
    assert witness.seen[0][1] == [b"first"]
    assert sorted(witness.seen[1][1]) == [b"first", b"second"]


async def test_each_body_of_a_group_gets_its_own_answer(store, book, intake):
    """One that nobody wants any more is refused and leaves nothing; its neighbours are kept."""
    wanted, unwanted = make_upload(4), make_upload(4)
    book.closed.add(unwanted.id)

    answers = await asyncio.gather(
        send_whole(intake, wanted, b"good"), send_whole(intake, unwanted, b"late")
    )

    assert [outcome for outcome, _ in answers] == [
        PartOutcome.RECORDED,
        PartOutcome.NOT_RECEIVING,
    ]
    assert stored(store, wanted) == b"good"
    assert stored(store, unwanted) is None


async def test_one_call_for_each_organization(book, intake):
    """A group with bodies of three organizations is recorded in three calls."""
    uploads = [replace(make_upload(1), organization=OrganizationId(uuid4())) for _ in range(3)]

    await asyncio.gather(*(send_whole(intake, upload, b"x") for upload in uploads))

    assert book.calls == [1, 1, 1]
    assert intake.stats.groups == 1


async def test_the_same_bytes_again_are_already_here(store, intake):
    """An object that is recorded is not written again, and its bytes answer as before."""
    upload = make_upload(4)
    first = await send_whole(intake, upload, b"same")
    again = await send_whole(intake, upload, b"same")

    assert [first[0], again[0]] == [PartOutcome.RECORDED, PartOutcome.ALREADY]
    assert first[1] == again[1]
    assert files_below(Path(store.layout.incoming)) == []


async def test_a_recorded_object_is_never_replaced(store, intake):
    """Other bytes for a recorded file are refused, and the first ones stay."""
    upload = make_upload(4)
    await send_whole(intake, upload, b"mine")

    outcome, _ = await send_whole(intake, upload, b"evil")

    assert outcome is PartOutcome.DIFFERENT
    assert stored(store, upload) == b"mine"


async def test_what_a_crash_left_before_its_commit_is_replaced(store, book, intake):
    """An object nobody recorded may not be durable: the bytes that come now take its place."""
    upload = make_upload(5)
    left = Path(store.layout.objects) / str(upload.organization) / str(upload.id)[-2:]
    left.mkdir(parents=True)
    (left / f"{upload.id}.1").write_bytes(b"torn")

    outcome, _ = await send_whole(intake, upload, b"whole")

    assert outcome is PartOutcome.RECORDED
    assert stored(store, upload) == b"whole"
    assert book.questions == 1


async def test_a_ledger_that_is_down_loses_nothing(store, book, intake):
    """The body is refused; sent again once the ledger is back, it is recorded."""
    upload = make_upload(4)
    book.is_down = True
    for _ in range(2):  # the second one finds the place taken, and nobody to ask whose it is
        with pytest.raises(LedgerUnavailable):
            await send_whole(intake, upload, b"data")
    book.is_down = False

    outcome, _ = await send_whole(intake, upload, b"data")

    assert outcome is PartOutcome.RECORDED
    assert stored(store, upload) == b"data"
    assert files_below(Path(store.layout.incoming)) == []


async def test_a_commit_whose_answer_was_lost_keeps_its_bytes(store, book, intake):
    """The ledger committed, but the connection broke: other bytes can't take the place."""
    upload = make_upload(4)
    book.loses_answers = True
    with pytest.raises(LedgerUnavailable):
        await send_whole(intake, upload, b"mine")
    book.loses_answers = False

    assert (await send_whole(intake, upload, b"evil"))[0] is PartOutcome.DIFFERENT
    assert (await send_whole(intake, upload, b"mine"))[0] is PartOutcome.ALREADY
    assert stored(store, upload) == b"mine"


async def test_a_failed_flush_fails_its_group_and_the_store(tmp_path, book):
    """Nothing of the group is recorded or kept, and no later flush makes the store good again."""
    store = DiskStore.open(tmp_path, flush=FlushMode.SYNCFS)
    good, lost, later = make_upload(4), make_upload(4), make_upload(4)
    async with Intake(store, recorder=book.record, landed=book.landed).running() as intake:
        await send_whole(intake, good, b"good")
        assert isinstance(store.flush, SyncFs)
        descriptor = store.flush._fd
        working = os.dup(descriptor)
        useless = os.open(tmp_path, os.O_PATH)  # syncfs(2) answers EBADF for such a descriptor
        os.dup2(useless, descriptor)

        with pytest.raises(StoreUnavailable):
            await send_whole(intake, lost, b"lost")
        os.dup2(working, descriptor)
        with pytest.raises(StoreUnavailable):
            await send_whole(intake, later, b"late")

    os.close(useless)
    os.close(working)
    store.close()
    assert not store.is_healthy
    assert store.trouble == "flush failed: Bad file descriptor"
    assert book.calls == [1]
    assert [stored(store, upload) for upload in (good, lost, later)] == [b"good", None, None]


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_bytes_that_are_not_what_was_promised_are_not_stored(store, book, intake, algorithm):
    """A wrong checksum stores and records nothing; the right bytes then take the place."""
    upload = make_upload(9)
    right = {
        Algorithm.CRC32C: Checksum.of_number(Algorithm.CRC32C, 0xE3069283),  # RFC 3720's check
        Algorithm.CRC64NVME: Checksum.of_number(Algorithm.CRC64NVME, 0xAE8B14860A799888),
        Algorithm.SHA256: Checksum(Algorithm.SHA256, hashlib.sha256(b"123456789").digest()),
    }[algorithm]

    async def send(body: bytes) -> PartOutcome:
        landing = intake.admit(
            upload.organization, upload.id, 1, 1, offset=None, length=9, promised=right
        )
        await landing.open()
        landing.take(body[:4])
        landing.take(body[4:])
        outcome: PartOutcome = (await landing.commit())[0]
        return outcome

    with pytest.raises(ChecksumMismatch):
        await send(b"12345678X")
    assert book.calls == []
    assert files_below(Path(store.layout.root) / "u") == []
    assert files_below(Path(store.layout.incoming)) == []
    assert await send(b"123456789") is PartOutcome.RECORDED


@pytest.mark.parametrize("body", [b"", b"123", b"12345"])
async def test_a_body_of_another_length_is_not_stored(book, intake, body):
    """Neither a shorter nor a longer body reaches the ledger or the disk."""
    upload = make_upload(4)

    async def send() -> None:
        landing = intake.admit(
            upload.organization, upload.id, 1, 1, offset=None, length=4, promised=None
        )
        try:
            await landing.open()
            landing.take(body)
            await landing.commit()
        finally:
            await landing.abandon()

    with pytest.raises(WrongLength):
        await send()

    assert book.calls == []
    assert (await send_whole(intake, upload, b"1234"))[0] is PartOutcome.RECORDED


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "laydown-test", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        reason = f"a file system of 4 MiB needs the right to mount: {mounted.stderr.decode()}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("buffer", [1 << 20, 8 << 20], ids=["streamed", "in memory"])
async def test_a_full_disk_refuses_one_body_and_takes_the_next(small_disk, book, buffer):
    """What has no room is refused and leaves nothing; what has room is kept, then and later."""
    store = DiskStore.open(small_disk)
    large, small, again = make_upload(5 << 20), make_upload(1000), make_upload(3 << 20)
    limits = IntakeLimits(buffer=buffer)

    async def send_large(intake: Intake) -> None:
        landing = intake.admit(
            large.organization, large.id, 1, 1, offset=None, length=5 << 20, promised=None
        )
        try:
            await landing.open()
            for _ in range(5):
                if landing.take(bytes(1 << 20)):
                    await landing.breathe()
            await landing.commit()
        finally:
            await landing.abandon()

    running = Intake(store, recorder=book.record, landed=book.landed, limits=limits).running()
    async with running as intake:
        full, kept = await asyncio.gather(
            send_large(intake), send_whole(intake, small, bytes(1000)), return_exceptions=True
        )
        assert isinstance(full, StoreFull)
        assert isinstance(kept, tuple)
        assert kept[0] is PartOutcome.RECORDED
        assert store.is_healthy
        assert (await send_whole(intake, again, bytes(3 << 20)))[0] is PartOutcome.RECORDED
    store.close()
    assert stored(store, large) is None
    assert files_below(small_disk / "incoming") == []


async def test_bytes_of_unknown_length_are_kept_once_they_are_flushed(store, book, intake):
    """When `keep` returns, bytes and name were flushed; the ledger has heard of none of it."""
    witness = Witness(store.flush, book, Path(store.layout.root))
    store.flush = witness

    kept = await intake.keep(make_upload(0).key, chunks(b"first ", b"second"))

    assert witness.seen == [(0, [b"first second"])]
    assert kept.size == 12
    assert book.calls == []


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece

"""The way in: who may write a part, what is never written again, and how much waits in memory."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from laydown.domain.errors import LedgerUnavailable, PartBusy, Stopping
from laydown.domain.upload import PartOutcome, Upload
from laydown.objects.disk import DiskStore
from laydown.objects.intake import Intake, IntakeLimits
from laydown.objects.landing import Landing
from tests.byte_support import Book, files_below, make_upload, send_part, send_whole

PART = 1 << 18


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DiskStore]:
    opened = DiskStore.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def book() -> Book:
    return Book()


def make_intake(store: DiskStore, book: Book, **limits: int) -> Intake:
    return Intake(store, recorder=book.record, landed=book.landed, limits=IntakeLimits(**limits))


def admit(intake: Intake, upload: Upload, number: int = 1, *, length: int) -> Landing:
    offset = None if upload.part_size is None else (number - 1) * upload.part_size
    return intake.admit(
        upload.organization, upload.id, 1, number, offset=offset, length=length, promised=None
    )


async def send_range(intake: Intake, upload: Upload, number: int, body: bytes) -> PartOutcome:
    assert upload.part_size is not None
    offset = (number - 1) * upload.part_size
    return (await send_part(intake, upload, number, body, offset=offset))[0]


def staged(store: DiskStore) -> bytes:
    (path,) = files_below(Path(store.layout.staged))
    return path.read_bytes()


async def test_parts_land_side_by_side_in_one_file(store, book):
    """All parts at once, in any order, make one file with each part where it belongs."""
    upload = make_upload(8 * PART, part_size=PART)
    bodies = [bytes([number]) * PART for number in range(8)]
    async with make_intake(store, book).running() as intake:
        outcomes = await asyncio.gather(
            *(send_range(intake, upload, number, bodies[number - 1]) for number in range(8, 0, -1))
        )

    assert set(outcomes) == {PartOutcome.RECORDED}
    assert staged(store) == b"".join(bodies)
    assert book.questions == 1


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_recorded_part_is_never_rewritten(store, book, restarts):
    """Neither this process nor the next one writes other bytes over a recorded part."""
    upload = make_upload(2 * PART, part_size=PART)
    async with make_intake(store, book).running() as intake:
        await send_range(intake, upload, 1, b"a" * PART)
        if not restarts:
            other = await send_range(intake, upload, 1, b"b" * PART)
            same = await send_range(intake, upload, 1, b"a" * PART)
    if restarts:
        async with make_intake(store, book).running() as intake:
            other = await send_range(intake, upload, 1, b"b" * PART)
            same = await send_range(intake, upload, 1, b"a" * PART)

    assert (other, same) == (PartOutcome.DIFFERENT, PartOutcome.ALREADY)
    assert staged(store) == b"a" * PART


async def test_a_part_is_safe_when_only_the_answer_was_lost(store, book):
    """A commit in doubt makes the next request ask the ledger, so that nothing is overwritten."""
    upload = make_upload(2 * PART, part_size=PART)
    async with make_intake(store, book).running() as intake:
        book.loses_answers = True
        with pytest.raises(LedgerUnavailable):
            await send_range(intake, upload, 1, b"a" * PART)
        book.loses_answers = False
        outcome = await send_range(intake, upload, 1, b"b" * PART)

    assert outcome is PartOutcome.DIFFERENT
    assert staged(store) == b"a" * PART


async def test_without_the_ledger_nothing_is_written_in_place(store, book):
    """While nobody can say what is recorded, a part is refused; afterwards it is taken."""
    upload = make_upload(2 * PART, part_size=PART)
    async with make_intake(store, book).running() as intake:
        book.is_down = True
        with pytest.raises(LedgerUnavailable):
            await send_range(intake, upload, 1, b"a" * PART)
        assert files_below(Path(store.layout.staged)) == []
        book.is_down = False
        assert await send_range(intake, upload, 1, b"a" * PART) is PartOutcome.RECORDED


async def test_one_writer_a_part(store, book):
    """A second body for a part on its way is refused at once; after the first has gone, taken."""
    upload = make_upload(4)
    async with make_intake(store, book).running() as intake:
        first = admit(intake, upload, length=4)
        with pytest.raises(PartBusy):
            admit(intake, upload, length=4)
        await first.abandon()
        assert (await send_whole(intake, upload, b"next"))[0] is PartOutcome.RECORDED


async def test_a_body_given_up_halfway_leaves_nothing(store, book):
    """Bytes that had reached the disk already are deleted, and the part is free again."""
    upload = make_upload(4 * PART)
    intake = make_intake(store, book, buffer=PART)
    async with intake.running():
        landing = admit(intake, upload, length=4 * PART)
        await landing.open()
        for _ in range(2):
            assert landing.take(bytes(PART))
            await landing.breathe()
        await landing.abandon()
        assert await intake.drain(timeout=30)

    assert files_below(Path(store.layout.incoming)) == []
    assert intake.budget.held == 0
    assert book.calls == []


async def test_memory_stays_within_the_budget(store, book):
    """Sixteen bodies that together are eight times the budget arrive whole within it."""
    intake = make_intake(store, book, buffer=PART, budget=2 * PART)
    step = PART // 4
    highest = 0

    async def send(upload: Upload, body: bytes) -> PartOutcome:
        nonlocal highest
        landing = admit(intake, upload, length=len(body))
        await landing.open()
        for start in range(0, len(body), step):
            if landing.take(body[start : start + step]):
                await landing.breathe()
            highest = max(highest, intake.budget.held)
            await asyncio.sleep(0)  # where a receiver waits for its client
        return (await landing.commit())[0]

    uploads = [make_upload(PART) for _ in range(16)]
    bodies = [os.urandom(PART) for _ in uploads]
    async with intake.running():
        outcomes = await asyncio.gather(*map(send, uploads, bodies))

    assert set(outcomes) == {PartOutcome.RECORDED}
    assert highest <= 2 * PART + 16 * (step + 64)  # who waited goes on with one chunk each
    assert intake.budget.held == 0
    assert sorted(path.read_bytes() for path in files_below(Path(store.layout.objects))) == sorted(
        bodies
    )


async def test_a_body_without_progress_gives_its_memory_back(store, book):
    """What was spilled to the disk is part of the file in the end."""
    upload = make_upload(10)
    intake = make_intake(store, book)
    async with intake.running():
        landing = admit(intake, upload, length=10)
        await landing.open()
        landing.take(b"01234")
        held = intake.budget.held
        landing.spill()
        landing.spill()
        landing.take(b"56789")
        outcome, _ = await landing.commit()

    assert held > 0
    assert outcome is PartOutcome.RECORDED
    assert intake.budget.held == 0
    (path,) = files_below(Path(store.layout.objects))
    assert path.read_bytes() == b"0123456789"


async def test_many_tiny_chunks_count_for_what_they_take(store, book):
    """A client that sends byte by byte can't hold more memory than the buffer allows."""
    upload = make_upload(PART)
    intake = make_intake(store, book, buffer=PART)
    async with intake.running():
        landing = admit(intake, upload, length=PART)
        await landing.open()
        taken = next(count for count in range(1, PART) if landing.take(b"x"))
        await landing.abandon()

    assert taken <= PART // 64


async def test_draining_waits_for_bodies_and_admits_none(store, book):
    """A running body ends well; a new one is told that the server is stopping."""
    upload = make_upload(4)
    async with make_intake(store, book).running() as intake:
        landing = admit(intake, upload, length=4)
        await landing.open()
        assert not await intake.drain(timeout=0.01)
        with pytest.raises(Stopping):
            admit(intake, make_upload(4), length=4)
        landing.take(b"last")
        outcome, _ = await landing.commit()
        assert outcome is PartOutcome.RECORDED
        assert await intake.drain(timeout=30)


async def test_a_body_that_ends_after_the_stop_is_refused(store, book):
    """Nobody waits for an answer that no group will give any more."""
    upload = make_upload(4)
    intake = make_intake(store, book)
    async with intake.running():
        landing = admit(intake, upload, length=4)
        await landing.open()
        landing.take(b"late")
    with pytest.raises(Stopping):
        await landing.commit()

    assert book.calls == []

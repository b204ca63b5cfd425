"""The disk store across crashes, and between processes."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from laydown.domain.errors import StoreUnavailable
from laydown.domain.upload import OrganizationId, Upload, UploadId, object_key
from laydown.objects.disk import DiskStore, StoreBusy
from laydown.objects.intake import Intake
from laydown.objects.layout import Attempt
from laydown.objects.listing import listing
from laydown.services.identifiers import new_id
from tests.byte_support import Book, files_below, make_upload, send_part, send_whole

PART = 1 << 20
BODY = bytes(range(256)) * (3 * PART // 256)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DiskStore]:
    with_owner = DiskStore.open(tmp_path)
    yield with_owner
    with_owner.close()


async def stage(store: DiskStore) -> Upload:
    """Send all parts of a file, and stop there."""
    upload = make_upload(len(BODY), part_size=PART)
    book = Book()
    async with Intake(store, recorder=book.record, landed=book.landed).running() as intake:
        for number in (3, 1, 2):
            offset = (number - 1) * PART
            await send_part(intake, upload, number, BODY[offset : offset + PART], offset=offset)
    return upload


async def content(store: DiskStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


async def test_a_join_cut_short_after_its_rename_goes_on(store, tmp_path):
    """The object under its final name, never flushed as such, joins to the same size."""
    upload = await stage(store)
    (staged,) = files_below(tmp_path / "staged")
    shelf = tmp_path / "u" / str(upload.organization) / str(upload.id)[-2:]
    shelf.mkdir(parents=True)
    staged.rename(shelf / f"{upload.id}.1")

    assert await store.join(upload) == len(BODY)
    assert await content(store, upload.key) == BODY


async def test_a_join_never_replaces_an_object(store, tmp_path):
    """Parts that turn up beside a finished object leave it as it is."""
    upload = await stage(store)
    await store.join(upload)
    stray = tmp_path / "staged" / f"{upload.organization}.{upload.id}.1"
    stray.write_bytes(b"\0" * len(BODY))

    assert await store.join(upload) == len(BODY)
    assert await content(store, upload.key) == BODY


async def test_a_guest_joins_what_the_owner_staged(store, tmp_path):
    """The worker's store, which does not own the directory, makes objects the owner sees."""
    upload = await stage(store)
    guest = DiskStore.open(tmp_path, owner=False)

    assert await guest.join(upload) == len(BODY)
    guest.close()
    assert await content(store, upload.key) == BODY


def test_a_second_owner_is_refused(store, tmp_path):
    """One process owns the directory; the next owner can only follow the first."""
    with pytest.raises(StoreBusy):
        DiskStore.open(tmp_path)

    store.close()
    following = DiskStore.open(tmp_path)
    assert following.is_owner
    following.close()


def _own_and_die(root: str) -> None:
    _store = DiskStore.open(Path(root))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_owner_leaves_neither_lock_nor_drafts(tmp_path):
    """After kill -9 of the owner the next one starts, and clears what was half-written."""
    killed = multiprocessing.get_context("spawn").Process(
        target=_own_and_die, args=(str(tmp_path),)
    )
    killed.start()
    killed.join()
    assert killed.exitcode == -9
    (tmp_path / "incoming" / "7").write_bytes(b"half")

    store = DiskStore.open(tmp_path)
    assert files_below(tmp_path / "incoming") == []
    store.close()


async def test_foreign_files_are_nobodys_objects(store, tmp_path):
    """Files that the store did not write are neither listed nor in the way."""
    upload = make_upload(1)
    book = Book()
    async with Intake(store, recorder=book.record, landed=book.landed).running() as intake:
        await send_whole(intake, upload, b"x")
    (shelf,) = {path.parent for path in files_below(tmp_path / "u")}
    (shelf / "notes.txt").write_bytes(b"?")
    (tmp_path / "staged" / "notes.txt").write_bytes(b"?")
    (tmp_path / "u" / "lost+found" / "aa").mkdir(parents=True)

    assert [stored.key async for stored in store.objects()] == [upload.key]


@pytest.mark.parametrize("at_once", [1, 2, 5, 100])
def test_pages_have_every_object_once_by_key(store, at_once):
    """However few names are held at once, each object comes once, in the order of keys."""
    ours, theirs = OrganizationId(new_id()), OrganizationId(new_id())
    keys = [object_key(theirs, UploadId(new_id()), 1) for _ in range(3)]
    keys += [object_key(ours, upload, n) for upload in [UploadId(new_id())] for n in (2, 10, 1)]
    for key in keys:
        path = Path(store.layout.placed_path(Attempt.of_key(key)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    held = [each.key for page in listing(store.layout, at_once=at_once) for each in page]
    assert held == sorted(keys)


async def test_a_store_that_is_not_mounted_says_nothing_of_its_objects(store, tmp_path):
    """Without its directory the store is away, and no object is absent for it."""
    upload = await stage(store)
    assert await store.join(upload) == len(BODY)
    (tmp_path / "u").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable):
        await store.size(upload.key)
    (tmp_path / "elsewhere").rename(tmp_path / "u")
    assert await store.size(upload.key) == len(BODY)


@pytest.mark.usefixtures("store")
def test_nobody_else_may_read_the_files(tmp_path):
    """Directories of the store are open to its owner alone."""
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_dir()}
    assert modes == {0o700}


async def test_reading_can_stop_in_the_middle(store):
    """A reader that goes away closes its file."""
    upload = await stage(store)
    await store.join(upload)
    chunks = store.read(upload.key, start=5)

    assert await anext(chunks) == BODY[5 : PART + 5]
    before = _open_files()
    await chunks.aclose()
    assert _open_files() == before - 1


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())

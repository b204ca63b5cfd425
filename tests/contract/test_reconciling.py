"""Ledger and store are compared in one pass over both, and nothing is lost by it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from laydown.domain.errors import StoreUnavailable
from laydown.domain.upload import OrganizationId, Upload, UploadId, object_key
from laydown.objects.disk import DiskStore
from laydown.ports import ObjectStore, Silence, StoredObject
from laydown.services import sweeping
from laydown.services.identifiers import new_id
from laydown.services.sweeping import Report, Sweeping
from tests.api.sabotage import lose, place, withheld
from tests.ledger_support import Tenant, digest
from tests.s3_support import opened_bucket

BODY = b"ten bytes."  # as long as the ledger's uploads are


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.distributed)])
async def store(request, tmp_path) -> AsyncIterator[ObjectStore]:
    if request.param == "s3":
        async with opened_bucket(request.getfixturevalue("seaweed")) as bucket:
            yield bucket.store
        return
    disk = DiskStore.open(tmp_path / "store")
    yield disk
    disk.close()


@pytest.fixture(autouse=True)
def small_pages_and_nothing_young(monkeypatch) -> None:
    """A page has three, and every object is old enough to be deleted."""
    monkeypatch.setattr(sweeping, "_AT_ONCE", 3)
    monkeypatch.setattr(sweeping, "KEEP_UNWANTED", timedelta(hours=-1))


@dataclass
class Watched:
    """Passes everything on to a store, notes whose size is asked for, and may cut its list."""

    store: Any
    asked: list[str] = field(default_factory=list)
    lists: int | None = None  # objects; None: all
    fails: bool = False  # once it has listed so many
    is_reversed: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def size(self, key: str) -> int | None:
        self.asked.append(key)
        return await self.store.size(key)

    async def objects(self) -> AsyncIterator[StoredObject]:
        listed = [each async for each in self.store.objects()]
        for each in (listed[::-1] if self.is_reversed else listed)[: self.lists]:
            yield each
        if self.fails:
            raise StoreUnavailable("the store went away")


async def published(tenant: Tenant, store: Any, count: int) -> Sequence[Upload]:
    """Publish files whose objects the store has; return their uploads in the order of keys."""
    uploads = [await tenant.checking(f"{n}.txt") for n in range(count)]
    for upload in uploads:
        await place(store, upload.key, BODY)
        await tenant.publish(upload, digest(upload.key))
    return sorted(uploads, key=lambda upload: upload.key)


async def reconciled(tenant: Tenant, store: Any) -> Report:
    silence = Silence(upload=timedelta(1), batch=timedelta(1))
    system = tenant.database.system
    return await Sweeping(
        ledger=tenant.database.ledger, patrol=system, store=store, silence=silence
    ).reconcile()


async def missing(tenant: Tenant) -> set[str]:
    return {key for (key,) in await tenant.ask("SELECT object_key FROM blobs WHERE is_missing")}


async def listed(store: Any) -> list[str]:
    return [each.key async for each in store.objects()]


async def test_objects_are_listed_in_the_order_of_their_keys(store):
    """Organizations, uploads and attempts come as bytes are compared, not as numbers are."""
    ours, upload = OrganizationId(new_id()), UploadId(new_id())
    keys = [object_key(OrganizationId(new_id()), UploadId(new_id()), n) for n in (1, 2, 12)]
    keys += [object_key(ours, UploadId(new_id()), 1) for _ in range(3)]
    keys += [object_key(ours, upload, n) for n in (2, 12, 1, 100)]
    for key in keys:
        await place(store, key, b"")
    assert await listed(store) == sorted(keys)


async def test_what_differs_is_found_and_nothing_else(tenant, stranger, store):
    """Of many the lost and the changed are marked, the unwanted deleted; only doubts are asked."""
    ours = await published(tenant, store, 10)
    theirs = await published(stranger, store, 3)
    lost, shorter = [ours[0], ours[4], ours[5], ours[9], theirs[1]], ours[7]
    for upload in lost:
        await lose(store, upload.key)
    await place(store, shorter.key, BODY[:5])
    waiting = await tenant.checking("waiting.txt")
    await place(store, waiting.key, BODY)
    orphans = [object_key(tenant.organization, UploadId(new_id()), 1) for _ in range(7)]
    for key in orphans:
        await place(store, key, b"orphan")
    watched = Watched(store)

    assert await reconciled(tenant, watched) == Report(discarded=7, missing=6)

    doubtful = {upload.key for upload in (*lost, shorter)}
    assert await missing(tenant) == doubtful
    assert sorted(watched.asked) == sorted(doubtful)
    kept = {upload.key for upload in (*ours, *theirs, waiting)} - {upload.key for upload in lost}
    assert set(await listed(store)) == kept
    assert await reconciled(tenant, store) == Report()


async def test_one_object_that_is_withheld_holds_up_no_other(tenant, store):
    """Of what can't be asked for nothing is said; what comes before and after it is found."""
    uploads = await published(tenant, store, 7)
    for upload in uploads:
        await lose(store, upload.key)
    async with withheld(store, uploads[2].key), asyncio.timeout(10):
        with suppress(StoreUnavailable):  # a bucket takes up a policy within a second
            while True:
                await store.size(uploads[2].key)
        assert await reconciled(tenant, store) == Report(missing=6)
    assert await missing(tenant) == {upload.key for upload in uploads} - {uploads[2].key}


async def test_a_list_that_breaks_off_marks_nothing(tenant, store):
    """Where the store goes away while it lists, what it had not listed yet is not missing."""
    uploads = await published(tenant, store, 8)
    watched = Watched(store, lists=2, fails=True)
    with pytest.raises(StoreUnavailable):
        await reconciled(tenant, watched)
    assert await missing(tenant) == set()
    assert await listed(store) == [upload.key for upload in uploads]


@pytest.mark.parametrize("wrong", [{"lists": 2}, {"lists": 0}, {"is_reversed": True}])
async def test_a_wrong_list_marks_and_deletes_nothing(tenant, store, wrong):
    """A list that ends early, is empty or has another order costs questions, not content."""
    uploads = await published(tenant, store, 8)
    assert await reconciled(tenant, Watched(store, **wrong)) == Report()
    assert await missing(tenant) == set()
    assert await listed(store) == [upload.key for upload in uploads]

"""Where bytes live, as the settings say: in the data directory, or in something that speaks S3."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from laydown import wire
from laydown.domain.errors import LaydownError
from laydown.domain.upload import NO_OBJECT
from laydown.objects.disk import DiskStore, StoreBusy
from laydown.objects.flush import FlushMode
from laydown.objects.s3_address import parse_address as parse_store
from laydown.objects.with_foreign import WithForeign
from laydown.ports import ByteSink, DirectEntry, Fingerprinter, ObjectStore, UrlSigner
from laydown.settings import PREFIX, BadSettings, Settings

if TYPE_CHECKING:  # only who has a bucket loads what it takes: a quarter of a second
    from laydown.objects.foreign import ForeignBucket
    from laydown.objects.s3 import S3

_TO_LET_GO = 10.0  # seconds that another process may go on owning the store; an orphan ends sooner
_GLANCE = 0.1  # seconds between two looks whether it still does


class Store(ObjectStore, Fingerprinter, Protocol):
    """A store that can also hash what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A store, and how clients get at it."""

    store: Store
    signer: UrlSigner | None  # None: our byte door's
    sink: ByteSink | None  # for bytes that come through us all the same; None: the way in's
    direct: DirectEntry | None  # None: bytes come through our byte door
    disk: DiskStore | None  # what it fills
    check: Callable[[], Awaitable[wire.Check]]
    origins: tuple[str, ...] = ()  # to which clients send bytes, beside ours
    foreign: "ForeignBucket | None" = None  # another system's: what was imported stays there


@asynccontextmanager
async def open_storage(settings: Settings, *, owner: bool) -> AsyncIterator[Storage]:
    """Open the store; of a directory the API is the *owner* and a worker a guest.

    Raises `BadSettings` for one that can't be used as the settings stand.
    """
    async with AsyncExitStack() as stack:
        foreign = await stack.enter_async_context(open_legacy_store(settings))
        if settings.store is None:
            disk = await _opened(settings, owner=owner)
            stack.callback(disk.close)
            yield _on_disk(disk, foreign)
            return
        s3 = await stack.enter_async_context(_open_bucket(settings.store, settings))
        yield Storage(
            store=WithForeign(s3.store, foreign),
            signer=s3.urls,
            sink=s3.store,
            direct=s3.store,
            disk=None,
            check=lambda: _answers(s3.store),
            origins=(_origin_of(settings.store),),
            foreign=foreign,
        )


@asynccontextmanager
async def open_legacy_store(settings: Settings) -> "AsyncIterator[ForeignBucket | None]":
    """Open the bucket of the system that is taken over from, if there is one."""
    if settings.legacy_store is None:
        yield None
        return
    from laydown.objects.foreign import open_foreign  # noqa: PLC0415 - as said

    async with AsyncExitStack() as stack:
        try:
            opening = open_foreign(settings.legacy_store, life=settings.url_life)
            foreign = await stack.enter_async_context(opening)
        except ValueError as error:
            raise BadSettings(f"{PREFIX}LEGACY_STORE: {error}") from error
        yield foreign


def _on_disk(disk: DiskStore, foreign: "ForeignBucket | None") -> Storage:
    async def check() -> wire.Check:
        detail = disk.trouble or "takes and keeps bytes"
        return wire.Check(name="store", ok=disk.is_healthy, detail=detail)

    return Storage(
        store=WithForeign(disk, foreign),
        signer=None,
        sink=None,
        direct=None,
        disk=disk,
        check=check,
        foreign=foreign,
    )


async def _opened(settings: Settings, *, owner: bool) -> DiskStore:
    """Open the directory; wait for what is left of a killed laydown to let go of it."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _TO_LET_GO
    while True:
        try:
            return DiskStore.open(
                settings.data / "store", owner=owner, flush=FlushMode(settings.flush)
            )
        except StoreBusy as busy:
            if clock() > deadline:
                raise BadSettings(f"{busy}: stop that one, or use another directory") from busy
        await asyncio.sleep(_GLANCE)


@asynccontextmanager
async def _open_bucket(address: str, settings: Settings) -> "AsyncIterator[S3]":
    from laydown.objects.s3 import open_s3  # noqa: PLC0415 - as said

    async with AsyncExitStack() as stack:
        try:
            s3 = await stack.enter_async_context(open_s3(address, life=settings.url_life))
        except ValueError as error:
            raise BadSettings(f"{PREFIX}STORE: {error}") from error
        yield s3


async def _answers(store: ObjectStore) -> wire.Check:
    try:
        await store.size(NO_OBJECT)
    except LaydownError as error:
        return wire.Check(name="store", ok=False, detail=str(error))
    return wire.Check(name="store", ok=True, detail="answers")


def _origin_of(address: str) -> str:
    """Return the origin of the bucket, as browsers have it."""
    place = parse_store(address).place(for_clients=True)
    return f"{place.scheme}://{place.host}"

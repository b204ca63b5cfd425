"""What happens to stored bytes behind everybody's back, on a disk and in a bucket alike."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from laydown.bootstrap.store import Store
from laydown.objects.disk import DiskStore
from laydown.objects.layout import Attempt
from laydown.objects.s3 import S3Store
from laydown.objects.with_foreign import WithForeign


async def lose(store: Store, key: str) -> None:
    """Take an object away, as a hand that slips does."""
    own = _own(store)
    if isinstance(own, S3Store):
        await own.client.ask("DELETE", key)
    else:
        await asyncio.to_thread(_path(own, key).unlink)


async def place(store: Store, key: str, data: bytes) -> None:
    """Write an object of which no ledger knows, or over one."""
    own = _own(store)
    if isinstance(own, S3Store):
        await own.client.ask("PUT", key, body=data)
    else:
        await asyncio.to_thread(_write, _path(own, key), data)


async def is_there(store: Store, key: str) -> bool:
    """Say whether the store lists an object."""
    return key in {found.key async for found in store.objects()}


@asynccontextmanager
async def withheld(store: Store, key: str) -> AsyncIterator[None]:
    """Let the store neither read nor make this one object while the block lasts.

    It answers for all others. On a disk a link that leads nowhere is in the way, in a bucket a
    policy that lets nobody at the key.
    """
    own = _own(store)
    if isinstance(own, S3Store):
        await own.client.ask("PUT", query={"policy": ""}, body=_denial(own, key))
        try:
            yield
        finally:
            await own.client.ask("DELETE", query={"policy": ""})
    else:
        path = _path(own, key)
        await asyncio.to_thread(_block, path)
        try:
            yield
        finally:
            await asyncio.to_thread(_free, path)


def _own(store: Store) -> object:
    """Return our store, out of what reads other systems' buckets too."""
    return store.own if isinstance(store, WithForeign) else store


def _path(store: object, key: str) -> Path:
    assert isinstance(store, DiskStore)
    return Path(store.layout.placed_path(Attempt.of_key(key)))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}-aside")


def _block(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.rename(_aside(path))
    path.symlink_to(path)


def _free(path: Path) -> None:
    path.unlink()
    if _aside(path).exists():
        _aside(path).rename(path)


def _denial(store: S3Store, key: str) -> bytes:
    address = store.client.address
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{address.bucket}/{address.prefix}{key}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()

"""What must hold of a site after whatever was done to it: the invariants, with bytes in an S3."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from laydown.bootstrap.database import open_database
from laydown.bootstrap.store import Storage, open_storage
from laydown.domain.upload import parse_key
from laydown.ports import Silence
from laydown.services.sweeping import Sweeping
from tests.e2e.ledger import (
    Database,
    every_file_ended_once,
    nothing_is_stuck,
    usage_is_counted,
)
from tests.e2e.site import Site, credentials
from tests.ledger_support import in_thread

_READERS = 4  # objects read at once


def check(site: Site, *, tokens: Sequence[str] = ()) -> None:
    """Check the invariants I3, I4, I6, I8 and I9 of a site that has nothing to do any more.

    The *tokens* are of organizations that delivered something, the site's own when none is given.
    """
    with site.database() as database:
        nothing_is_stuck(database)
        for token in tokens or [site.token]:
            with site.client(token=token) as client:
                every_file_ended_once(client, database)
        usage_is_counted(database)
        _every_document_is_there_once(database)
        with known_credentials(site):
            _what_is_published_is_stored(site, database)
            in_thread(_nothing_else_is_kept(site))


@contextmanager
def known_credentials(site: Site) -> Iterator[None]:
    """Let this process be somebody whom the site's store and queues serve."""
    before = dict(os.environ)
    os.environ.update(credentials(site.seaweed))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def swept(site: Site, silence: Silence) -> int:
    """Do what the sweeper does in one round; return how many arrivals nobody had reported."""
    async with (
        open_database(site.settings) as database,
        open_storage(site.settings, owner=False) as storage,
    ):
        sweeping = Sweeping(
            ledger=database.ledger,
            patrol=database.system,
            store=storage.store,
            silence=silence,
            direct=storage.direct,
        )
        return (await sweeping.tidy()).found


def _every_document_is_there_once(database: Database) -> None:
    """No path has two versions of the same bytes after each other: nothing was published twice."""
    doubled = database.execute(
        "SELECT document_id FROM (SELECT document_id, blob_id,"
        " lag(blob_id) OVER (PARTITION BY document_id ORDER BY number) AS before FROM versions) v"
        " WHERE blob_id = before"
    ).fetchall()
    assert not doubled, "the same bytes were published twice in a row"


def _what_is_published_is_stored(site: Site, database: Database) -> None:
    """I3: the stored bytes of everything published have the SHA-256 and length on record."""
    published = database.execute(
        "SELECT u.path, encode(u.sha256, 'hex'), encode(b.sha256, 'hex'), b.size, b.object_key"
        " FROM uploads u JOIN versions v ON v.id = u.version_id"
        " JOIN blobs b ON b.id = v.blob_id"
    ).fetchall()
    [[settled]] = database.execute(
        "SELECT count(*) FROM uploads WHERE state IN ('ready', 'duplicate')"
    )
    assert len(published) == settled
    with site.seaweed.client() as s3, ThreadPoolExecutor(_READERS) as threads:

        def read(key: str) -> tuple[str, int]:
            content = s3.get_object(Bucket=site.bucket, Key=key)["Body"].read()
            return hashlib.sha256(content).hexdigest(), len(content)

        keys = sorted({row[-1] for row in published})
        found = dict(zip(keys, threads.map(read, keys), strict=True))
    for path, claimed, digest, size, key in published:
        assert found[key] == (digest, size), path
        assert claimed == digest, path


async def _nothing_else_is_kept(site: Site) -> None:
    """I6: every blob has its object; what else is in the bucket, the sweeper deletes in time."""
    async with (
        open_database(site.settings) as database,
        open_storage(site.settings, owner=False) as storage,
    ):
        stored = await _stored(storage)
        blobs = {
            blob.object_key: blob.size
            for blob in await database.system.blobs_after(None, limit=100_000)
        }
        lost = {key for key, size in blobs.items() if stored.get(key) != size}
        assert not lost, "a blob lost its object"
        others = [parse_key(key) for key in stored if key not in blobs]
        holdings = await database.system.holdings(others)
        assert len(holdings) == len(others), "an object that the sweeper knows nothing of"
        wanted = [holding.key for holding in holdings if holding.is_wanted]
        assert not wanted, "an object without a blob that would be kept for ever"
        for holding in holdings:
            await storage.store.discard(holding.key)
        assert (await _stored(storage)).keys() == blobs.keys()


async def _stored(storage: Storage) -> Mapping[str, int]:
    """Return the size of every object, finished or not, by its key."""
    return {stored.key: stored.size async for stored in storage.store.objects()}

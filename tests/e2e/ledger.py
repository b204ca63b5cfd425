"""What a yard holds, read straight from Postgres and the store's directory, and what must hold."""

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import psycopg

from laydown import Client
from laydown.bootstrap.database import open_database
from laydown.bootstrap.store import open_storage
from laydown.domain.lifecycle import SETTLED
from laydown.ports import Silence
from laydown.services.sweeping import Report, Sweeping
from laydown.settings import Settings
from tests.e2e.site import Site
from tests.e2e.yard import PATIENCE, Yard, until
from tests.usage_support import MISCOUNTED

Database: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_A_WEEK = 7 * 24 * 3600  # seconds; more than any object's age before it may be deleted


@dataclass(frozen=True, slots=True)
class Holding:
    """How it ended: what became of each path, and what each document's versions are."""

    ends: Mapping[str, tuple[str, str | None]]  # state and reason by path
    versions: Mapping[str, Sequence[str]]  # SHA-256 by path, oldest first


def holding_of(yard: Yard | Site) -> Holding:
    """Return what a yard or a site holds.

    A file that came again in a later batch and was unchanged ended where it did before.
    """
    ends: dict[str, tuple[str, str | None]] = {}
    versions: dict[str, list[str]] = {}
    with yard.database() as database:
        for path, state, reason in database.execute(
            "SELECT path, state::text, reason FROM uploads u JOIN batches b"
            " ON b.id = u.batch_id ORDER BY b.created_at, u.ordinal"
        ):
            if path not in ends or ends[path] == ("skipped", "unchanged"):
                ends[path] = (state, reason)
        for path, digest in database.execute(
            "SELECT d.path, encode(b.sha256, 'hex') FROM versions v"
            " JOIN documents d ON d.id = v.document_id JOIN blobs b ON b.id = v.blob_id"
            " ORDER BY d.path, v.number"
        ):
            versions.setdefault(path, []).append(digest)
    return Holding(ends, versions)


def check(yard: Yard) -> None:
    """Check the invariants I3, I4, I6, I8 and I9 of a laydown that has nothing to do any more."""
    until(yard.is_ready, what="whatever was killed is back")
    with yard.client() as client, yard.database() as database:
        nothing_is_stuck(database)
        every_file_ended_once(client, database)
        usage_is_counted(database)
    objects = _stored(yard)
    _what_is_published_is_stored(yard, objects)
    reconciled = _reconcile(yard)
    assert reconciled.missing == 0, "a blob lost its object"
    with yard.database() as database:
        kept = {key for (key,) in database.execute("SELECT object_key FROM blobs")}
    assert set(_stored(yard)) == kept, "an object without a blob, or the reverse"
    assert not [*(yard.seen / "store" / "incoming").iterdir()]


def nothing_is_stuck(database: Database, *, within: float = PATIENCE) -> None:
    """I9: every upload settles within so many seconds, and no job is left, dead ones included."""

    def unsettled() -> int:
        [[count]] = database.execute(
            "SELECT count(*) FROM uploads WHERE NOT state::text = ANY(%s)",
            [[state.value for state in SETTLED]],
        )
        return count

    def jobs() -> int:
        [[count]] = database.execute("SELECT count(*) FROM jobs")
        return count

    until(lambda: not unsettled(), what="every upload is settled", within=within)
    until(lambda: not jobs(), what="every job is done", within=within)


def every_file_ended_once(client: Client, database: Database) -> None:
    """I4: states add up to what was declared; no upload has two ends; events have no holes."""
    for batch in client.batches():
        assert sum(batch.counts.values()) == batch.declared.count
        states = database.execute(
            "SELECT state::text, count(*) FROM uploads WHERE batch_id = %s GROUP BY state",
            [batch.id],
        )
        assert dict(states.fetchall()) == batch.counts
        [[rows, paths]] = database.execute(
            "SELECT count(*), count(DISTINCT path) FROM uploads WHERE batch_id = %s", [batch.id]
        )
        assert rows == paths == batch.declared.count
    twice = database.execute(
        "SELECT upload_id, count(*) FROM events WHERE state::text = ANY(%s)"
        " GROUP BY upload_id HAVING count(*) > 1",
        [[state.value for state in SETTLED]],
    ).fetchall()
    assert not twice, "an upload ended more than once"
    for first, last, count in database.execute(
        "SELECT min(number), max(number), count(*) FROM events GROUP BY organization_id"
    ):
        assert (first, last) == (1, count)


def usage_is_counted(database: Database) -> None:
    """I8: what is kept as used, by project, is what a recount of all uploads finds."""
    assert database.execute(MISCOUNTED).fetchall() == []


def _what_is_published_is_stored(yard: Yard, objects: Mapping[str, Path]) -> None:
    """I3: the stored bytes of everything published have the SHA-256 and length on record."""
    with yard.database() as database:
        published = database.execute(
            "SELECT u.path, encode(u.sha256, 'hex'), encode(b.sha256, 'hex'), b.size, b.object_key"
            " FROM uploads u JOIN versions v ON v.id = u.version_id"
            " JOIN blobs b ON b.id = v.blob_id"
        ).fetchall()
        [[settled]] = database.execute(
            "SELECT count(*) FROM uploads WHERE state IN ('ready', 'duplicate')"
        )
    assert len(published) == settled
    for path, claimed, digest, size, key in published:
        content = objects[key].read_bytes()
        assert len(content) == size, path
        assert hashlib.sha256(content).hexdigest() == digest == claimed, path


def _stored(yard: Yard) -> Mapping[str, Path]:
    """Return every object of the store by its key, those in parts included."""
    store = yard.seen / "store"
    placed = {
        f"u/{UUID(path.parent.parent.name)}/{path.stem}/{path.suffix[1:]}": path
        for path in (store / "u").glob("*/*/*")
    }
    return placed | {f"staged/{path.name}": path for path in (store / "staged").iterdir()}


def _reconcile(yard: Yard) -> Report:
    """I6: have the ledger and the store compared as if every object had been here for long."""
    for path in _stored(yard).values():
        status = path.stat()
        os.utime(path, (status.st_atime - _A_WEEK, status.st_mtime - _A_WEEK))
    return asyncio.run(_reconciled(Settings(data=yard.seen, database=yard.dsn)))


async def _reconciled(settings: Settings) -> Report:
    async with (
        open_database(settings) as database,
        open_storage(settings, owner=False) as storage,
    ):
        sweeping = Sweeping(
            ledger=database.ledger,
            patrol=database.system,
            store=storage.store,
            silence=Silence(upload=timedelta(days=1), batch=timedelta(days=1)),
        )
        return await sweeping.reconcile()

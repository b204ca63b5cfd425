"""An old system's table and bucket beside a laydown, as its clients have filled them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from laydown.bootstrap.legacy import Leaving, leaving, prepare
from laydown.domain.access import Role
from laydown.domain.upload import OrganizationId
from laydown.embedded.postgres import PostgresAddress
from laydown.services.legacy_import import Progress
from laydown.settings import Settings
from tests.api.installation import Installation
from tests.engines.postgres import SUPERUSER
from tests.engines.seaweed import Seaweed
from tests.ledger_support import ask, in_thread

TABLE = """
    CREATE TABLE public.documents (
        id serial PRIMARY KEY,
        project_id integer NOT NULL,
        filename text NOT NULL,
        mime text,
        size bigint NOT NULL,
        s3_key text NOT NULL,
        uploaded_by text,
        created_at timestamptz NOT NULL DEFAULT now()
    )"""
LONG_AGO = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
OLD_KEY = "old-secret-key"
PDF = b"%PDF-1.4\n" + b"1 0 obj << >> endobj\n" * 20 + b"%%EOF\n"

_numbers = count(1)
_made: set[str] = set()


@dataclass(kw_only=True)
class OldSystem:
    """What there was before us."""

    database: str  # as its owner, who sees `public`
    bucket: str
    seaweed: Seaweed
    settings: Settings  # of a laydown beside it
    s3: Any
    _times: Iterator[int] = field(default_factory=lambda: count(1_700_000_000_000))

    async def row(
        self, key: str, *, size: int, project: int = 7, name: str = "plan.pdf", by: str = "anna"
    ) -> int:
        """Write a row; return its id."""
        [(id_,)] = await ask(
            self.database,
            "INSERT INTO public.documents (project_id, filename, mime, size, s3_key, uploaded_by, "
            "created_at) VALUES (%s, %s, 'application/pdf', %s, %s, %s, %s) RETURNING id",
            project,
            name,
            size,
            key,
            by,
            LONG_AGO,
        )
        return int(id_)

    async def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        await asyncio.to_thread(self.s3.put_object, Bucket=self.bucket, Key=key, Body=content)

    async def keep(self, content: bytes, *, name: str = "plan.pdf", **row: Any) -> int:
        """Do what the old API did with an upload; return the document's id."""
        key = f"uploads/{next(self._times)}-{name}"
        await self.put(key, content)
        return await self.row(key, size=len(content), name=name, **row)

    async def content(self, id_: int) -> bytes:
        """Return what the old API gives out for a document."""
        [(key,)] = await ask(
            self.database, "SELECT s3_key FROM public.documents WHERE id = %s", id_
        )
        found = await asyncio.to_thread(self.s3.get_object, Bucket=self.bucket, Key=key)
        return bytes(await asyncio.to_thread(found["Body"].read))

    async def rows(self) -> list[Any]:
        """Return all rows: id, project, name, size, key, uploader."""
        return await ask(
            self.database,
            "SELECT id, project_id, filename, size, s3_key, uploaded_by FROM public.documents "
            "ORDER BY id",
        )

    async def keys(self) -> Sequence[str]:
        """Return the keys of all objects in the bucket."""
        found = await asyncio.to_thread(self.s3.list_objects_v2, Bucket=self.bucket)
        return [each["Key"] for each in found.get("Contents", [])]

    @asynccontextmanager
    async def tools(self) -> AsyncIterator[Leaving]:
        """Open what `laydown legacy` works with."""
        async with leaving(self.settings) as tools:
            yield tools

    async def map(
        self, *, writes_back: bool = False, organization: str = "ours", **codes: int
    ) -> OrganizationId:
        """Map old projects by codes, such as `tower=7`; a key of the old API is mapped too."""
        async with self.tools() as tools:
            caller = await tools.matchmaking.owner(organization)
            pairs = {old: code for code, old in codes.items()}
            prefix = tools.in_common or ""
            await tools.matchmaking.projects(caller, pairs, prefix=prefix)
            await tools.matchmaking.writing_back(caller, is_on=writes_back, prefix=prefix)
            await tools.matchmaking.key(caller, OLD_KEY, name="old app", most=Role.CONTRIBUTOR)
            return caller.organization

    async def bring_in(self, server: Installation) -> Progress:
        """Import, and have a worker read what that declared."""
        progress = Progress()
        async with self.tools() as tools:
            async for _ in tools.importing.run(progress, most_at_once=10_000):
                pass
        await server.run_until_quiet()
        return progress


def sha256(content: bytes) -> str:
    """Return a SHA-256 as JSON has it."""
    return hashlib.sha256(content).hexdigest()


@contextmanager
def old_system(
    postgres: PostgresAddress, seaweed: Seaweed, settings: Settings, *, same_bucket: bool = True
) -> Iterator[OldSystem]:
    """Make an old system with an empty table, and a laydown's schema beside it."""
    name = f"old-{next(_numbers)}"
    bucket = seaweed.make_bucket(name)
    with (
        psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as server,
        seaweed.client() as s3,
    ):
        template = _template(postgres, settings)
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        database = replace(postgres, database=name).dsn(SUPERUSER)
        place = f"endpoint={seaweed.endpoint}&region={seaweed.region}"
        ours = bucket if same_bucket else seaweed.make_bucket(f"{name}-ours")
        beside = replace(
            settings,
            database=make_conninfo(database, options="-c search_path=laydown"),
            store=f"s3://{ours}?{place}",
            legacy_store=f"s3://{bucket}?{place}",
            legacy_door=same_bucket,
            queue=None,
            log_level="error",
        )
        yield OldSystem(database=database, bucket=bucket, seaweed=seaweed, settings=beside, s3=s3)
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _template(postgres: PostgresAddress, settings: Settings) -> str:
    """Return a database with an empty old table and our schema beside it, made once a server."""
    name = f"old_template_{postgres.socket_dir.parent.name}"
    if name not in _made:
        with psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}"')
        database = replace(postgres, database=name).dsn(SUPERUSER)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(TABLE)
        ours = make_conninfo(database, options="-c search_path=laydown")
        in_thread(prepare(replace(settings, database=ours)))
        _made.add(name)
    return name

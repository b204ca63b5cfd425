"""A ledger with an organization, a project and an open batch, and how to fill it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from laydown.bootstrap.database import Database, open_database
from laydown.domain.access import PrincipalId, Role
from laydown.domain.audit import Audited, Deed
from laydown.domain.batch import Batch, OnConflict, Project
from laydown.domain.document import Blob, BlobId, DocumentId, VersionId
from laydown.domain.legacy import Kept, OldProject, Origin
from laydown.domain.lifecycle import Event, State
from laydown.domain.people import DropLink, Member
from laydown.domain.publication import NewVersion
from laydown.domain.upload import (
    BatchId,
    Change,
    Entry,
    OrganizationId,
    Part,
    ProjectId,
    Upload,
    UploadId,
    change,
)
from laydown.ports import Page, UploadFilter
from laydown.services.identifiers import new_id
from laydown.services.identity import Identity
from laydown.settings import Settings

T = TypeVar("T")

EPOCH = datetime.fromtimestamp(0, UTC)
EVERYTHING = UploadFilter()
FIRST_PAGE = Page(limit=10_000)


def digest(text: str) -> bytes:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).digest()


def entry(path: str, *, size: int = 10, sha256: bytes | None = None, key: str = "") -> Entry:
    """Return an entry; its key is its path unless one is given."""
    return Entry(key=key or path, path=path, folded=path.casefold(), size=size, sha256=sha256)


def whole(upload: Upload, *, crc: int = 1) -> Part:
    """Return the one part of a single-part upload."""
    return Part(
        upload=upload.id,
        attempt=upload.attempt,
        number=1,
        size=upload.entry.size,
        crc64nvme=crc,
        is_whole_file=True,
    )


def part(
    upload: Upload, number: int, *, size: int, crc: int = 1, attempt: int | None = None
) -> Part:
    """Return a part of a multipart upload."""
    return Part(
        upload=upload.id,
        attempt=attempt or upload.attempt,
        number=number,
        size=size,
        crc64nvme=crc,
        is_whole_file=False,
    )


def blob(organization: OrganizationId, upload: Upload, sha256: bytes) -> Blob:
    """Return proven bytes that this upload brought."""
    return Blob(
        id=BlobId(new_id()),
        organization=organization,
        sha256=sha256,
        size=upload.entry.size,
        kind="text",
        media_type="text/plain",
        object_key=upload.key,
    )


SOMEBODY = PrincipalId(UUID(int=1))
"""Who declares everything here."""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """An organization with a project and an open batch."""

    database: Database
    owner: str  # how to connect as the database's owner, whom no policy binds
    organization: OrganizationId
    project: ProjectId
    batch: Batch

    def begin(self) -> Any:
        """Open a transaction of this organization."""
        return self.database.ledger.begin(self.organization)

    def upload(self, entry: Entry, **facts: Any) -> Upload:
        """Return a new upload of the batch, not written yet."""
        plain: dict[str, Any] = {"state": State.DECLARED} | facts
        return Upload(
            id=UploadId(new_id()),
            organization=self.organization,
            project=self.project,
            batch=self.batch.id,
            entry=entry,
            **plain,
        )

    async def declare(self, *uploads: Upload) -> None:
        """Write uploads."""
        async with self.begin() as tx:
            await tx.declare(uploads)

    async def declared(self, count: int = 1, **facts: Any) -> Sequence[Upload]:
        """Write uploads of as many paths, and return them."""
        uploads = [self.upload(entry(f"sheet-{n:04}.txt"), **facts) for n in range(count)]
        await self.declare(*uploads)
        return uploads

    async def now(self, *uploads: Upload) -> Sequence[Upload]:
        """Return uploads as the ledger has them now."""
        async with self.begin() as tx:
            return await tx.uploads([upload.id for upload in uploads])

    async def checking(self, path: str = "plan.txt", *, sha256: bytes | None = None) -> Upload:
        """Declare a file whose bytes have arrived."""
        upload = self.upload(entry(path, sha256=sha256))
        await self.declare(upload)
        async with self.begin() as tx:
            await tx.record([whole(upload)])
        [arrived] = await self.now(upload)
        return arrived

    async def publish(self, upload: Upload, sha256: bytes) -> VersionId:
        """Make an upload that is being checked a version of its document."""
        version = VersionId(new_id())
        async with self.begin() as tx:
            kept = await tx.keep_blobs([blob(self.organization, upload, sha256)])
            wanted = {DocumentId(new_id()): upload.entry}
            head = (await tx.heads(self.project, wanted))[upload.entry.folded]
            await tx.add_versions(
                [
                    NewVersion(
                        id=version,
                        document=head.id,
                        number=head.last_number + 1,
                        upload=upload.id,
                        blob=kept[sha256][0].id,
                    )
                ]
            )
            proven = upload.after(Event.PROVEN, sha256=sha256, version=version)
            await tx.move([change(upload, proven)])
            await tx.move([change(proven, proven.after(Event.FINISHED))])
        return version

    async def ask(self, query: str, *given: object) -> list[Any]:
        """Run a statement as the owner of the database; return its rows."""
        return await ask(self.owner, query, *given)


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* on a loop of its own, which no test's loop notices."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def ask(owner: str, query: str, *given: object) -> list[Any]:
    """Run a statement as the owner of a database, in a transaction; return its rows."""
    async with await psycopg.AsyncConnection.connect(owner) as connection:
        cursor = await connection.execute(query.encode(), given)
        return await cursor.fetchall() if cursor.description else []


def moved(upload: Upload, *events: Event, **facts: object) -> Change:
    """Return the move that events make."""
    return change(upload, upload.after(*events, **facts))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """Open the database of these settings through its two roles."""
    async with open_database(settings) as database:
        yield database


async def settled_in(database: Database, owner: str, name: str) -> Tenant:
    """Make an organization with a project and an open batch."""
    await Identity(keyring=database.keyring).issue(organization=name, name="test")
    [(organization,)] = await ask(owner, "SELECT id FROM organizations WHERE name = %s", name)
    async with database.ledger.begin(organization) as tx:
        project = await tx.add_project(
            Project(
                id=ProjectId(new_id()),
                organization=organization,
                code="tower",
                name="Tower",
                time_zone=None,
                position=None,
                created_at=EPOCH,
            )
        )
        batch, _ = await tx.open_batch(new_batch(organization, project.id, "first"))
    return Tenant(
        database=database,
        owner=owner,
        organization=organization,
        project=project.id,
        batch=batch,
    )


def new_batch(organization: OrganizationId, project: ProjectId, reference: str) -> Batch:
    """Return a batch that is not written yet."""
    return Batch(
        id=BatchId(new_id()),
        organization=organization,
        project=project,
        reference=reference,
        label=None,
        on_conflict=OnConflict.NEW_VERSION,
        declared_by=SOMEBODY,
        created_at=EPOCH,
        closed_at=None,
    )


async def with_people(tenant: Tenant) -> None:
    """Give a tenant a row in every table about people."""
    member = await _somebody(tenant)
    async with tenant.begin() as tx:
        await tx.give_role(member.id, tenant.project, Role.VIEWER)
        await tx.add_link(
            DropLink(
                id=PrincipalId(new_id()),
                organization=tenant.organization,
                project=tenant.project,
                folder="",
                label="roofer",
                most_files=None,
                most_bytes=None,
                created_at=EPOCH,
                expires_at=datetime.now(UTC) + timedelta(days=1),
                revoked_at=None,
                last_used_at=None,
            ),
            digest("link"),
        )
        await tx.open_session(
            member.id,
            session=new_id(),
            secret_sha256=digest("session"),
            life=timedelta(hours=1),
            code=None,
        )
        await tx.note(
            Audited(
                id=new_id(),
                at=EPOCH,
                deed=Deed.MEMBER_ADDED,
                principal=member.id,
                name=member.name,
                token=None,
                address=None,
                request=None,
                subject=member.id,
                project=None,
            )
        )
    [(name,)] = await tenant.ask(
        "SELECT name FROM organizations WHERE id = %s", tenant.organization
    )
    await Identity(keyring=tenant.database.keyring).offer_sign_in(organization=name)


async def with_old_ids(tenant: Tenant, upload: Upload) -> None:
    """Give a tenant a project, a document and a key of an old system."""
    old = tenant.organization.int % 1_000_000_007
    [(token,)] = await tenant.ask(
        "SELECT id FROM tokens WHERE organization_id = %s LIMIT 1", tenant.organization
    )
    async with tenant.begin() as tx:
        await tx.map_project(
            OldProject(old=old, organization=tenant.organization, project=tenant.project)
        )
        await tx.keep_old_ids(
            [
                Kept(
                    id=old,
                    project=tenant.project,
                    upload=upload.id,
                    origin=Origin.OLD,
                    filename=upload.entry.path,
                    mime=None,
                    uploaded_by=None,
                    created_at=None,
                )
            ]
        )
        await tx.keep_old_key(digest(str(tenant.organization)), token)


async def _somebody(tenant: Tenant) -> Member:
    """Make a member for whom an identity provider has vouched."""
    async with tenant.begin() as tx:
        member = await tx.add_member(
            Member(
                id=PrincipalId(new_id()),
                organization=tenant.organization,
                name="Somebody",
                email="somebody@example.com",
                created_at=EPOCH,
            )
        )
    await tenant.database.keyring.members_of(
        issuer="https://id.example.com", subject="7", email="somebody@example.com"
    )
    return member

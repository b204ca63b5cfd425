"""The old system's API over our use cases: its ids, its keys and its documents, for its clients."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from laydown.domain.access import Act
from laydown.domain.batch import OnConflict
from laydown.domain.document import Version
from laydown.domain.errors import (
    ContentInfected,
    InvalidRequest,
    NotFound,
    Overloaded,
    Unauthenticated,
)
from laydown.domain.legacy import (
    Kept,
    OldDocument,
    OldObject,
    OldProject,
    Origin,
    Standing,
    entry_of,
)
from laydown.domain.lifecycle import SETTLED
from laydown.domain.people import TokenId
from laydown.domain.reasons import EXPLANATIONS, Reason
from laydown.domain.upload import Entry, ProjectId
from laydown.domain.verdicts import Refused
from laydown.ports import Ledger, OldBucket, OldTable, Page, SecretKind, Tx
from laydown.services.access import allow
from laydown.services.bringing import Brought
from laydown.services.filing import Filing, Offer
from laydown.services.identity import Caller, Identity
from laydown.services.identity import Origin as Whence
from laydown.services.legacy_import import Importing
from laydown.services.legacy_mapping import digest_of

_PAGE: Final = 1_000  # rows of a project that are asked for at once

Chunk: TypeAlias = bytes | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A file that has come whole, and the old id it gets; its project may not be known yet."""

    id: int
    filename: str
    mime: str | None
    file: Brought | Entry | Refused


@dataclass(frozen=True, kw_only=True)
class OldDoor:
    """Use cases of the old API's clients."""

    ledger: Ledger
    table: OldTable
    bucket: OldBucket
    importing: Importing | None  # None: what isn't imported yet has to wait for that
    identity: Identity
    filing: Filing
    patience: float = 30.0  # seconds for which an answer waits for workers

    async def caller(self, old_key: str, origin: Whence) -> Caller:
        """Return whom a key of the old API stands for; raise `Unauthenticated` for nobody."""
        token = await self.table.token_of(digest_of(old_key))
        if token is None:
            raise Unauthenticated("this key stands for nobody here")
        return await self.identity.holder(token, origin)

    async def document(self, caller: Caller, id_: int) -> OldDocument:
        """Return a row by its id, one that is about to be written too; raise `NotFound`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            row, _ = await _row_for(tx, caller, Act.READ_DOCUMENTS, id_)
            return row

    async def documents(self, caller: Caller, project: int) -> AsyncGenerator[OldDocument]:
        """Yield the rows of a project by id; none of one that isn't mapped or can't be read."""
        after = "0"
        while True:
            async with self.ledger.snapshot(caller.organization) as tx:
                mapped = await _mapped(tx, project)
                if mapped is None or not caller.rights.may(Act.READ_DOCUMENTS, mapped.project):
                    return
                rows = await tx.old_documents(project, Page(after=after, limit=_PAGE))
            for row in rows:
                yield row
            if len(rows) < _PAGE:
                return
            after = str(rows[-1].id)

    async def version(self, caller: Caller, id_: int) -> tuple[Version, OldDocument]:
        """Return what a document's bytes are here; one that isn't imported yet is, at once.

        So nothing is given out that isn't proven, and no old URL waits for an import to come to it.
        Raises `NotFound`, `ContentInfected`, and `Overloaded` when workers take too long.
        """
        async with self.ledger.snapshot(caller.organization) as tx:
            row, mapped = await _row_for(tx, caller, Act.READ_DOCUMENTS, id_)
            standing = (await tx.standings([id_])).get(id_)
        if standing is None or standing.is_worth_another_try:
            await self._adopt(mapped, row)
        if standing is None or standing.version is None:
            standing = await self._settled(caller, id_)
        if standing.version is not None:
            # It is where its old project was when it came; that may be mapped anew since.
            if not caller.rights.may(Act.READ_DOCUMENTS, standing.version.project):
                raise NotFound("document", id_)
            return standing.version, row
        if standing.reason is Reason.INFECTED:
            raise ContentInfected("malware was found in it")
        if standing.state not in SETTLED:
            raise Overloaded("it is being looked at; ask again")
        raise NotFound("document", id_)

    async def hold(
        self, caller: Caller, filename: str, mime: str | None, chunks: AsyncIterator[Chunk]
    ) -> Held:
        """Keep a file's bytes under an old id of its own; `take` says where it belongs."""
        id_ = await self.table.next_id()
        entry = entry_of(id_, filename, size=0, created_at=None, mime=mime)
        read: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        arrival = await self.filing.kept(caller, Offer(entry=entry, chunks=chunks), read)
        return Held(id=id_, filename=filename, mime=mime, file=arrival.file)

    async def take(
        self, caller: Caller, held: Held, project: int, *, uploaded_by: str | None
    ) -> tuple[OldDocument, bool]:
        """Deliver a file, and wait for workers; return its row, and whether it is written.

        The row is written in the transaction that publishes the file. Raises `NotFound` for the
        project, `Forbidden`, and `InvalidRequest` for a file that isn't taken.
        """
        async with self.ledger.snapshot(caller.organization) as tx:
            mapped = await _mapped(tx, project)
            if mapped is None or not caller.rights.may(Act.DELIVER, mapped.project):
                raise NotFound("project", project)
            if not mapped.writes_back:  # or its readers would never see the file
                raise Overloaded("the old table isn't written to: run `laydown legacy write-back`")
            who = uploaded_by or await _called(tx, caller)
        batch = await self.filing.open(
            caller,
            mapped.project,
            reference=None,
            label=f"Document {held.id} of the old API",
            on_conflict=OnConflict.NEW_VERSION,
        )
        if isinstance(held.file, Brought):  # before anything can become of it
            async with self.ledger.begin(caller.organization) as tx:
                await tx.keep_old_ids([_kept(held, held.file, mapped.project, who)])
        try:
            declared = await self.filing.declaring.bring(caller, batch.id, [held.file])
        finally:
            await self.filing.completing.close_batch(caller, batch.id)
        [verdict] = declared.verdicts
        if verdict.upload is None:
            raise _refused(verdict.reason, verdict.detail)
        [upload] = await self.filing.settled(
            caller, batch.id, [verdict.upload.id], patience=self.patience
        )
        if upload.state in SETTLED and upload.version is None:
            raise _refused(upload.reason, upload.detail)
        async with self.ledger.snapshot(caller.organization) as tx:
            row = await tx.old_document(held.id)
        if row is None:
            raise NotFound("document", held.id)
        return row, upload.version is not None

    async def _adopt(self, mapped: OldProject, row: OldDocument) -> None:
        size = await self.bucket.weight(row.key)
        if size is None:
            raise NotFound("document", row.id)
        if self.importing is None:
            raise Overloaded("it isn't imported yet; ask again later")
        await self.importing.adopt(mapped, [(row, OldObject(key=row.key, size=size))])

    async def _settled(self, caller: Caller, id_: int) -> Standing:
        """Return how a document stands once workers have looked at it, or patience is over."""
        async with self.ledger.snapshot(caller.organization) as tx:
            standing = (await tx.standings([id_])).get(id_)
            if standing is None:
                raise NotFound("document", id_)
            if not standing.is_under_way:
                return standing
            batch = (await tx.upload(standing.upload)).upload.batch
        await self.filing.settled(caller, batch, [standing.upload], patience=self.patience)
        async with self.ledger.snapshot(caller.organization) as tx:
            return (await tx.standings([id_]))[id_]


async def _row_for(tx: Tx, caller: Caller, act: Act, id_: int) -> tuple[OldDocument, OldProject]:
    """Return a row and its project if *act* is allowed there; raise `NotFound` or `Forbidden`."""
    row = await tx.old_document(id_)
    mapped = None if row is None else await _mapped(tx, row.project)
    if row is None or mapped is None or not caller.rights.may(Act.SEE_PROJECT, mapped.project):
        raise NotFound("document", id_)
    allow(caller, act, mapped.project)
    return row, mapped


async def _mapped(tx: Tx, old: int) -> OldProject | None:
    return next(iter(await tx.old_projects(old)), None)


async def _called(tx: Tx, caller: Caller) -> str:
    """Return what a caller's key is called, as the old system named people."""
    if caller.shown is not SecretKind.TOKEN:
        return caller.name
    return (await tx.token(TokenId(caller.token))).name


def _kept(held: Held, file: Brought, project: ProjectId, who: str) -> Kept:
    return Kept(
        id=held.id,
        project=project,
        upload=file.upload,
        origin=Origin.OURS,
        filename=held.filename,
        mime=held.mime,
        uploaded_by=who,
        created_at=None,
    )


def _refused(reason: Reason | None, detail: str | None) -> InvalidRequest:
    """Return an error in a person's words."""
    told = [] if reason is None else [EXPLANATIONS[reason].message, EXPLANATIONS[reason].remedy]
    return InvalidRequest(" ".join([*told, *([detail] if detail else [])]) or "It isn't taken.")

"""What tests of the byte path share: a ledger that keeps the recorder's contract, and a server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import uvicorn
from starlette.types import ASGIApp

from laydown.domain.errors import LedgerUnavailable
from laydown.domain.lifecycle import State
from laydown.domain.upload import (
    BatchId,
    Entry,
    OrganizationId,
    Part,
    PartOutcome,
    ProjectId,
    Upload,
    UploadId,
)
from laydown.http.bytes_protocol import ByteProtocol, protocol_for
from laydown.objects.intake import Intake

ORGANIZATION = OrganizationId(UUID("01980000-0000-7000-8000-000000000001"))


@dataclass
class Book:
    """Records parts as the ledger does: never rewritten, and only of uploads that receive."""

    parts: dict[tuple[UploadId, int, int], Part] = field(default_factory=dict)
    closed: set[UploadId] = field(default_factory=set)
    calls: list[int] = field(default_factory=list)  # parts in each call of `record`
    questions: int = 0
    is_down: bool = False
    loses_answers: bool = False  # commits, and then the connection breaks
    turnstile: asyncio.Event | None = None  # when set up, a call waits for it
    entered: asyncio.Event = field(default_factory=asyncio.Event)  # a call of `record` began

    async def record(
        self, _organization: OrganizationId, parts: Sequence[Part]
    ) -> list[PartOutcome]:
        self.entered.set()
        if self.turnstile is not None:
            await self.turnstile.wait()
        if self.is_down:
            raise LedgerUnavailable("the database did not answer")
        self.calls.append(len(parts))
        outcomes = [self._record(part) for part in parts]
        if self.loses_answers:
            raise LedgerUnavailable("the database went away before it answered")
        return outcomes

    async def landed(
        self, _organization: OrganizationId, attempts: Sequence[tuple[UploadId, int]]
    ) -> dict[tuple[UploadId, int], set[int]]:
        self.questions += 1
        if self.is_down:
            raise LedgerUnavailable("the database did not answer")
        return {
            attempt: {number for *owner, number in self.parts if tuple(owner) == attempt}
            for attempt in attempts
        }

    def _record(self, part: Part) -> PartOutcome:
        place = (part.upload, part.attempt, part.number)
        if (known := self.parts.get(place)) is not None:
            same = known.crc64nvme == part.crc64nvme
            return PartOutcome.ALREADY if same else PartOutcome.DIFFERENT
        if part.upload in self.closed:
            return PartOutcome.NOT_RECEIVING
        self.parts[place] = part
        return PartOutcome.RECORDED


def make_upload(size: int, *, part_size: int | None = None) -> Upload:
    """Return an upload that was declared with *size* bytes."""
    return Upload(
        id=UploadId(uuid4()),
        organization=ORGANIZATION,
        project=ProjectId(uuid4()),
        batch=BatchId(uuid4()),
        entry=Entry(key="f", path="f.bin", folded="f.bin", size=size),
        state=State.DECLARED,
        part_size=part_size,
        parts=1 if part_size is None else -(-size // part_size),
    )


async def send_whole(intake: Intake, upload: Upload, body: bytes) -> tuple[PartOutcome, int]:
    """Bring a whole file in, in one chunk."""
    return await send_part(intake, upload, 1, body, offset=None)


async def send_part(
    intake: Intake, upload: Upload, number: int, body: bytes, *, offset: int | None
) -> tuple[PartOutcome, int]:
    """Bring one part in, in one chunk."""
    landing = intake.admit(
        upload.organization,
        upload.id,
        upload.attempt,
        number,
        offset=offset,
        length=len(body),
        promised=None,
    )
    try:
        await landing.open()
        if landing.take(body):
            await landing.breathe()
        return await landing.commit()
    finally:
        await landing.abandon()


def files_below(folder: Path) -> list[Path]:
    """Return the regular files below *folder*."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


@asynccontextmanager
async def serving(
    app: ASGIApp, *, protocol: type[ByteProtocol] = ByteProtocol
) -> AsyncIterator[int]:
    """Serve *app* on a free port of this machine, with a real server; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            http=protocol_for(app, protocol),
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(server.serve(sockets=[listener]))
            try:
                yield listener.getsockname()[1]
            finally:
                server.should_exit = True
                await asyncio.wait([task])

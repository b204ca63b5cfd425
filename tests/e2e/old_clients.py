"""Clients of the old API that never pause: they upload, read back, and believe nothing."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

KEY = "an-old-api-key"
PROJECTS = (7, 8)
_HEADERS = {"X-Api-Key": KEY}
_LARGEST = 60_000  # bytes of a file
_READS = 12  # of any documents, for one upload


@dataclass
class Load:
    """What was acknowledged, by id, and what went wrong."""

    url: str
    session: aiohttp.ClientSession
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    luck: random.Random = field(default_factory=lambda: random.Random(6))
    step: str = "before"
    documents: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)
    uploads: int = 0
    reads: int = 0
    faults: list[str] = field(default_factory=list)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def upload(self) -> None:
        """Send a file; what is acknowledged must be there from now on."""
        content = b"%PDF-1.4\n" + self.luck.randbytes(self.luck.randrange(_LARGEST))
        if self.luck.random() < 0.2 and self.digests:
            content = b"%PDF-1.4\n the same as others"
        # The old system loses one of two files of one name that come in the same millisecond.
        name = self.luck.choice(("A-{}.pdf", "Lageplan Süd {}.pdf", "Plan {} (final).PDF"))
        name = name.format(next(self.numbers))
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("projectId", str(self.luck.choice(PROJECTS)))
        form.add_field("file", content, filename=name, content_type="application/pdf")
        async with self.session.post(
            f"{self.url}/documents", data=form, headers=_HEADERS
        ) as answer:
            if answer.status != 201:
                self._fault(f"an upload answered {answer.status}: {await answer.text()}")
                return
            document = await answer.json()
        if document["filename"] != name or document["size"] != len(content):
            self._fault(f"an upload of {name} was told as {document}")
        self.documents[document["id"]] = document
        self.digests[document["id"]] = hashlib.sha256(content).hexdigest()
        self.uploads += 1
        await self._tell()

    async def read(self, id_: int, url: str | None = None) -> None:
        """Read a document's JSON and its bytes, through the proxy or at *url*."""
        base = url or self.url
        async with self.session.get(f"{base}/documents/{id_}", headers=_HEADERS) as answer:
            told = await answer.json() if answer.status == 200 else answer.status
            if told != self.documents[id_]:
                self._fault(f"document {id_} at {base} is {told}, was {self.documents[id_]}")
        async with self.session.get(f"{base}/documents/{id_}/download", headers=_HEADERS) as answer:
            digest = hashlib.sha256(await answer.read()).hexdigest()
            if answer.status != 200 or digest != self.digests[id_]:
                self._fault(f"the bytes of {id_} at {base}: {answer.status}, {digest}")
        self.reads += 1
        await self._tell()

    async def all_readable(self, url: str) -> None:
        """Read everything that was ever acknowledged, and find it in the lists of projects."""
        turn = asyncio.Semaphore(4)

        async def one(id_: int) -> None:
            async with turn:
                await self.read(id_, url)

        known = set(self.documents)
        await asyncio.gather(*map(one, sorted(known)))
        listed: set[int] = set()
        for project in PROJECTS:
            async with self.session.get(
                f"{url}/projects/{project}/documents", headers=_HEADERS
            ) as answer:
                listed |= {each["id"] for each in await answer.json()}
        if not known <= listed:
            self._fault(f"{url} does not list {sorted(known - listed)}")

    async def more(self, *, uploads: int = 0, reads: int = 0) -> None:
        """Return when so many more of each have been done."""
        enough = self.uploads + uploads, self.reads + reads
        async with self._moved:
            await self._moved.wait_for(
                lambda: self.faults or (self.uploads >= enough[0] and self.reads >= enough[1])
            )
        assert not self.faults, "\n".join(self.faults[:5])

    def _fault(self, told: str) -> None:
        self.faults.append(f"{self.step}: {told}")

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()


@asynccontextmanager
async def load_on(url: str, *, clients: int) -> AsyncIterator[Load]:
    """Have so many clients at work while the block lasts: each sends a file, then reads some."""
    stop = asyncio.Event()
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        load = Load(url=url, session=session)

        async def work() -> None:
            while not stop.is_set():
                await load.upload()
                for _ in range(_READS):
                    await load.read(load.luck.choice(list(load.documents)))

        tasks = [asyncio.create_task(work()) for _ in range(clients)]
        try:
            yield load
        finally:
            stop.set()
            await asyncio.gather(*tasks)

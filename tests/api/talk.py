"""The conversation of wire.md in the fewest words a test can say it with."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import aiohttp
from yarl import URL

PATIENCE = 30.0  # seconds; what is awaited takes milliseconds on a quiet machine

PART = 8 << 20  # bytes of a part, as the plan cuts files of the sizes that tests use

SETTLED = {"ready", "duplicate", "skipped", "rejected", "cancelled", "expired", "failed"}

_LATE = {"not_receiving", "part_conflict", "part_busy"}

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem; fails unless the answer is a sound one."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body[:200]
        problem = self.json
        assert problem["status"] == self.status
        assert {"type", "title", "detail", "code", "instance"} <= problem.keys()
        return problem["code"]


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event of a stream; a comment has the name `comment`."""

    name: str
    data: Any = None
    id: int | None = None


def sha256(data: bytes) -> str:
    """Return a digest as JSON has it."""
    return hashlib.sha256(data).hexdigest()


def entry(path: str, data: bytes, *, key: str = "", claims: bool = True) -> Json:
    """Return the entry of a file; without *claims* its digest isn't said."""
    described = {"key": key or path, "path": path, "size": len(data)}
    return described | ({"sha256": sha256(data)} if claims else {})


class Talk:
    """Speaks to one server with one token."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self.url = url
        self.token = token

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        expect: int | None = None,
    ) -> Answer:
        """Make a request; with *expect*, fail on any other status."""
        text = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        data = None if text is None else BytesIO(text)
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        async with self._session.request(
            method, self.url + path, data=data, headers=sent, allow_redirects=False
        ) as response:
            answer = Answer(
                status=response.status,
                headers=response.headers,
                body=await response.read(),
            )
        assert expect in (None, answer.status), (answer.status, answer.body[:500])
        return answer

    async def anonymous(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a request as a browser does, without a token."""
        async with self._session.request(
            method, self.url + path, json=body, headers=headers, allow_redirects=False
        ) as response:
            return Answer(
                status=response.status, headers=response.headers, body=await response.read()
            )

    async def glimpse(self, path: str) -> Answer:
        """Ask for something that may never end, and read no more than its beginning."""
        sent = {"Authorization": f"Bearer {self.token}"}
        async with self._session.get(self.url + path, headers=sent) as response:
            body = await response.content.readany()
            return Answer(status=response.status, headers=response.headers, body=body)

    async def get(self, path: str) -> Any:
        """Return the JSON at a path that must exist."""
        return (await self.ask("GET", path, expect=200)).json

    async def project(self, code: str) -> str:
        """Make a project; return its id."""
        answer = await self.ask("POST", "/v1/projects", {"code": code}, expect=201)
        return answer.json["id"]

    async def declare(
        self, project: str, *entries: Json, reference: str = "delivery", **more: Any
    ) -> Json:
        """Declare a batch, which is new or not; return the answer."""
        body = {"reference": reference, "entries": entries, **more}
        answer = await self.ask("POST", f"/v1/projects/{project}/batches", body)
        assert answer.status in (200, 201), answer.body[:500]
        return answer.json

    async def grants(self, batch: str, *uploads: str, limit: int = 1_000) -> list[Json]:
        """Ask for the next window, or for the missing parts of these uploads."""
        body: Json = {"limit": limit, "uploads": [{"id": upload} for upload in uploads]}
        answer = await self.ask("POST", f"/v1/batches/{batch}/grants", body, expect=200)
        return answer.json["uploads"]

    async def put(self, grant: Json, data: bytes, **headers: str) -> Answer:
        """Send a part to where its grant says, with no other credential."""
        async with self._session.put(
            urljoin(self.url, grant["url"]),
            data=BytesIO(data),
            headers={**grant["headers"], **headers},
        ) as response:
            return Answer(
                status=response.status, headers=response.headers, body=await response.read()
            )

    async def send(self, batch: str, upload: str, data: bytes) -> None:
        """Send every missing part of an upload, and complete it unless that is seen."""
        [granted] = await self.grants(batch, upload)
        is_multipart = len(granted["parts"]) + len(granted["have"]) > 1
        for part in granted["parts"]:
            start = (part["number"] - 1) * PART if is_multipart else 0
            answer = await self.put(part, data[start : start + PART] if is_multipart else data)
            assert answer.status == 200, answer.body
        if is_multipart or granted["needs_completion"]:
            await self.complete(batch, upload)

    async def put_in_vain(self, grant: Json, data: bytes, code: str) -> None:
        """Send a part that must change nothing: our door refuses it with this *code*.

        A store that doesn't ask us takes what its URL permits, or has it already; what becomes of
        it is for the test to say.
        """
        answer = await self.put(grant, data)
        if urljoin(self.url, grant["url"]).startswith(self.url):
            assert (answer.status, answer.code) == (409, code)
        else:
            assert answer.status in (200, 412), answer.body

    @staticmethod
    def is_late(answer: Answer) -> bool:
        """Say whether a part was refused because it isn't awaited, or is there already."""
        return answer.status == 412 or (answer.status == 409 and answer.code in _LATE)

    async def content(self, version: str, **headers: str) -> Answer:
        """Fetch a version's bytes, here or from where we are sent, with no other credential."""
        path = f"/v1/versions/{version}/content"
        answer = await self.ask("GET", path, headers=headers)
        if answer.status != 302:
            return answer
        url = URL(answer.headers["Location"], encoded=True)
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            return Answer(
                status=response.status, headers=response.headers, body=await response.read()
            )

    async def put_whole(self, batch: str, granted: Json, data: bytes, **headers: str) -> Answer:
        """Send a file of one part, and say so where nobody sees it arrive."""
        [part] = granted["parts"]
        answer = await self.put(part, data, **headers)
        if granted["needs_completion"] and answer.status in (200, 412):
            await self.complete(batch, granted["id"])
        return answer

    async def complete(self, batch: str, *uploads: str) -> list[Json]:
        """Say that all parts of these uploads are sent."""
        body = {"uploads": [{"id": upload} for upload in uploads]}
        answer = await self.ask("POST", f"/v1/batches/{batch}/completions", body, expect=200)
        return answer.json["uploads"]

    async def lay(
        self,
        project: str,
        files: Mapping[str, bytes],
        *,
        reference: str = "delivery",
        claims: bool = True,
        **more: Any,
    ) -> tuple[str, dict[str, str]]:
        """Declare files, send those that must be, close; return the batch and uploads by path."""
        entries = [entry(path, data, claims=claims) for path, data in files.items()]
        declared = await self.declare(project, *entries, reference=reference, **more)
        batch = declared["batch"]["id"]
        for verdict in declared["verdicts"]:
            if verdict["verdict"] in ("send", "resume"):
                await self.send(batch, verdict["upload_id"], files[verdict["key"]])
        await self.ask("POST", f"/v1/batches/{batch}/close", expect=200)
        return batch, {each["key"]: each["upload_id"] for each in declared["verdicts"]}

    async def batch(self, batch: str) -> Json:
        """Return a batch in numbers."""
        return await self.get(f"/v1/batches/{batch}")

    async def uploads(self, batch: str) -> dict[str, Json]:
        """Return the uploads of a batch by key."""
        page = await self.get(f"/v1/batches/{batch}/uploads?limit=1000")
        return {upload["key"]: upload for upload in page["items"]}

    async def state(self, batch: str, key: str) -> tuple[str, str | None]:
        """Return the state and the reason of one upload."""
        upload = (await self.uploads(batch))[key]
        return upload["state"], upload["reason"]

    async def settled(self, batch: str) -> dict[str, Json]:
        """Wait until every upload of a batch has settled; return them by key."""
        async with asyncio.timeout(PATIENCE):
            while True:
                uploads = await self.uploads(batch)
                if all(upload["state"] in SETTLED for upload in uploads.values()):
                    return uploads
                await asyncio.sleep(0.02)

    async def documents(self, project: str, query: str = "") -> list[Json]:
        """Return the documents of a project."""
        return (await self.get(f"/v1/projects/{project}/documents?limit=1000{query}"))["items"]

    async def document(self, project: str, path: str) -> Json:
        """Return the one document at a path."""
        found = [each for each in await self.documents(project) if each["path"] == path]
        assert len(found) == 1, found
        return found[0]

    @asynccontextmanager
    async def watch(
        self, batch: str, *, after: int | None = None
    ) -> AsyncIterator[AsyncIterator[ServerEvent]]:
        """Open the event stream of a batch for as long as the block lasts."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        async with self._session.get(
            f"{self.url}/v1/batches/{batch}/events", headers=headers
        ) as response:
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/event-stream")
            yield _events(response)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[ServerEvent]:
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith(":"):
            yield ServerEvent(name="comment")
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield ServerEvent(name=fields["event"], data=json.loads(fields["data"]), id=number)
            fields = {}
        else:
            fields = {}


@asynccontextmanager
async def talking(url: str, token: str) -> AsyncIterator[Talk]:
    """Talk to a server while the block lasts."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        yield Talk(session, url, token)


def codes(problem: Answer) -> Sequence[str]:
    """Return the pointers of a problem's faults."""
    return [fault["pointer"] for fault in problem.json["errors"]]

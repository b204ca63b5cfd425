"""A client waits as long as it is told, and makes things once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID

import pytest
from aiohttp import web

from laydown import ApiError, AsyncClient
from laydown.client import backoff
from laydown.client.sse import Snapshot
from tests.unit.small_server import TOKEN, SmallServer, problem

WISH = 0.3  # seconds; what any longer `Retry-After` is taken for here
TOLD = {"Retry-After": "7"}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every pause, so that those which are asked for stand out."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_WISH", WISH)


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    async with SmallServer().running() as running:
        yield running


@pytest.fixture
async def client(server: SmallServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url, TOKEN, timeout=5) as opened:
        yield opened


class Keys:
    """Breaks requests off, or refuses them, and notes the keys that they came with."""

    def __init__(self, server: SmallServer, *answers: web.Response | None) -> None:
        self.seen: list[str | None] = []
        self._answers = list(answers)
        server._obstacles.append(self)

    def __call__(self, request: web.Request) -> web.StreamResponse | None:
        if request.method != "POST":
            return None
        self.seen.append(request.headers.get("Idempotency-Key"))
        if not self._answers:
            return None
        said = self._answers.pop(0)
        if said is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return said


@pytest.mark.parametrize("status", [429, 503])
async def test_a_request_waits_as_it_is_told(server: SmallServer, client: AsyncClient, status: int):
    """The same request comes again no sooner than `Retry-After` says."""
    server.order("GET", "/v1/projects", lambda: problem(status, "rate_limited", **TOLD))
    clock = asyncio.get_running_loop().time
    began = clock()
    assert [project async for project in client.projects()] == []
    assert clock() - began >= WISH
    assert server.count("GET /v1/projects") == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_a_stream_waits_as_it_is_told(server: SmallServer, client: AsyncClient, status: int):
    """A stream that is refused for now is opened again no sooner than that either."""
    server.order("GET", "/events", lambda: problem(status, "rate_limited", **TOLD))
    clock = asyncio.get_running_loop().time
    began = clock()
    async with asyncio.timeout(10), aclosing(client.events(UUID(int=1))) as events:
        assert isinstance(await anext(events), Snapshot)
    assert clock() - began >= WISH


async def test_what_is_made_is_made_once(server: SmallServer, client: AsyncClient):
    """A request whose answer was lost comes again with the same key."""
    keys = Keys(server, None, problem(503, "stopping"))
    await client.create_project("SITE")
    assert len(keys.seen) == 3
    assert len(set(keys.seen)) == 1
    assert keys.seen[0]


async def test_two_things_have_two_keys(server: SmallServer, client: AsyncClient):
    """What is made on purpose a second time is made a second time."""
    keys = Keys(server)
    await client.create_project("SITE")
    await client.create_project("SITE")
    assert len(set(keys.seen)) == 2


async def test_one_that_is_being_answered_is_waited_for(server: SmallServer, client: AsyncClient):
    """However often the server says that it is at it already, the answer comes in the end."""
    busy = [problem(409, "idempotency_in_progress") for _ in range(8)]
    keys = Keys(server, *busy)
    await client.create_project("SITE")
    assert len(keys.seen) == 9


async def test_a_key_that_is_taken_is_a_refusal(server: SmallServer, client: AsyncClient):
    """It is not asked again."""
    keys = Keys(server, problem(422, "idempotency_key_reused"))
    with pytest.raises(ApiError) as raised:
        await client.create_project("SITE")
    assert raised.value.code == "idempotency_key_reused"
    assert len(keys.seen) == 1


async def test_what_can_be_repeated_anyway_needs_no_key(server: SmallServer, client: AsyncClient):
    """Declaring and closing carry none: their answers are those of today."""
    keys = Keys(server)
    declared = await client.declare(server.project.id, reference="r", entries=[])
    await client.close_batch(declared.batch.id)
    assert keys.seen == [None, None]

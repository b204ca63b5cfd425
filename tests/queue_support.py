"""What tests of queues share: a queue of their own, a relay on demand, a log."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from laydown.postgres.feed import PostgresFeed
from laydown.postgres.leases import PostgresLeases
from laydown.postgres.outbox import PostgresOutbox
from laydown.postgres.pool import Pool, open_pool
from laydown.queues.address import QueueAddress, parse_address
from laydown.queues.client import Queue, open_queue
from laydown.queues.feed import SqsFeed
from laydown.queues.sender import SqsSender
from laydown.queues.strangers import Strangers
from laydown.queues.upkeep import make_queue
from laydown.telemetry.metrics import Metrics
from laydown.worker.relay import Relay
from tests.engines.queue import Queues

AT_ONCE = timedelta(0)
PATIENCE = timedelta(minutes=15)
_numbers = count(1)


@dataclass
class Diary:
    """A log that can be read."""

    entries: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def warning(self, event: str, **fields: Any) -> None:
        self.entries.append((event, fields))

    def error(self, event: str, *, error: BaseException | None = None, **fields: Any) -> None:
        self.entries.append((event, {"error": error, **fields}))

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.entries]


def known_to(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the usual chain find this engine's credentials, and nobody else's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", queues.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", queues.secret_key)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def address_of(queues: Queues, name: str | None = None) -> QueueAddress:
    """Return the address of a queue of this name, or of one nobody has yet."""
    name = name or f"test-{next(_numbers)}"
    return parse_address(
        f"sqs://{name}?endpoint={quote(queues.endpoint, safe='')}&region={queues.region}"
    )


async def made(queues: Queues) -> QueueAddress:
    """Make a queue as `laydown doctor --fix` does."""
    address = address_of(queues)
    assert await make_queue(address)
    return address


@dataclass(frozen=True, kw_only=True)
class Yard:
    """A feed, and on SQS what is behind it."""

    feed: Any
    pool: Pool
    queue: Queue | None = None
    relay: Relay | None = None
    outbox: PostgresOutbox | None = None
    diary: Diary = field(default_factory=Diary)


class Announcing:
    """A feed whose relay has always just been round."""

    def __init__(self, feed: SqsFeed, relay: Relay) -> None:
        self._feed = feed
        self._relay = relay
        self._in_office = asyncio.Lock()

    async def claim(self, **given: Any) -> Any:
        async with self._in_office:
            while await self._relay.round():
                pass
        return await self._feed.claim(**given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)


def strangers(diary: Diary, metrics: Metrics | None = None, name: str = "jobs") -> Strangers:
    return Strangers(name, numbers=metrics or Metrics(), words=diary)


@asynccontextmanager
async def on_postgres(owner: str, *, in_flight: int) -> AsyncIterator[Yard]:
    """Yield the feed that workers claim from directly."""
    async with open_pool(owner, "laydown_system", size=4) as pool:
        yield Yard(feed=PostgresFeed(pool, in_flight=in_flight), pool=pool)


@asynccontextmanager
async def on_sqs(
    owner: str, address: QueueAddress, *, in_flight: int, patience: timedelta = PATIENCE
) -> AsyncIterator[Yard]:
    """Yield the feed that a relay and a queue are behind."""
    diary = Diary()
    async with open_pool(owner, "laydown_system", size=4) as pool, open_queue(address) as queue:
        outbox = PostgresOutbox(pool, in_flight=in_flight, patience=patience)
        relay = Relay(outbox=outbox, sender=SqsSender(queue), numbers=Metrics(), words=diary)
        feed = SqsFeed(queue, PostgresLeases(pool), strangers=strangers(diary), wait=AT_ONCE)
        yield Yard(
            feed=Announcing(feed, relay),
            pool=pool,
            queue=queue,
            relay=relay,
            outbox=outbox,
            diary=diary,
        )

"""A queue as we use it, and what the SDK's errors mean in our words."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import chain
from typing import Any, Final, TypeVar

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader

from laydown.domain.errors import QueueUnavailable
from laydown.queues.address import QueueAddress

T = TypeVar("T")

AT_ONCE: Final = 10
"""Messages a request may carry (SQS quotas)."""

LONGEST_WAIT: Final = timedelta(seconds=20)
"""How long SQS lets a request wait for messages."""

_LONGEST_HIDDEN = timedelta(hours=12)
_REQUESTS = 8  # at once, for one call of ours
_CONNECTIONS = 32
_MISSING = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


class QueueUnusable(Exception):
    """The queue can't be used as the settings have it; the message says why, in a sentence."""


class QueueMissing(QueueUnusable):
    """There is no such queue."""


class RoleRefused(QueueUnusable):
    """The role in which we would ask can't be assumed; says where to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What came out of a queue."""

    body: str
    receipt: str  # names this delivery of it
    receives: int  # how often it was delivered, this one included
    group: str | None  # what it was grouped by when it was sent
    key: str | None  # its attribute `key`, if it has one


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What goes into a queue."""

    body: str
    group: str
    trace: str | None = None  # its attribute `traceparent`


class Queue:
    """A standard queue. Every method raises `QueueUnavailable` for what a later try may fix."""

    def __init__(self, client: Any, url: str) -> None:  # noqa: ANN401 - made at run time
        self._client = client
        self.url = url

    async def gather(
        self, limit: int, *, wait: timedelta, hidden_for: timedelta
    ) -> Sequence[Message]:
        """Return up to *limit* messages: waits for the first, and takes what else is there.

        Nobody else gets them for as long as they are hidden.
        """
        first = await self.receive(min(limit, AT_ONCE), wait=wait, hidden_for=hidden_for)
        more = limit - len(first)
        if len(first) < AT_ONCE or more <= 0:
            return first
        sizes = [min(AT_ONCE, more - taken) for taken in range(0, more, AT_ONCE)]
        rest = await _each(
            sizes, lambda size: self.receive(size, wait=timedelta(0), hidden_for=hidden_for)
        )
        return [*first, *chain.from_iterable(rest)]

    async def receive(
        self, limit: int, *, wait: timedelta, hidden_for: timedelta
    ) -> Sequence[Message]:
        """Return up to *limit* messages, ten at most, waiting for the first of them."""
        with in_our_words():
            answer = await self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=_seconds(wait, LONGEST_WAIT),
                VisibilityTimeout=_seconds(hidden_for, _LONGEST_HIDDEN),
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
                MessageAttributeNames=["key"],
            )
        return [_message(found) for found in answer.get("Messages", ())]

    async def send(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        """Send up to ten messages; return those that the queue took."""
        entries = [
            {
                "Id": str(place),
                "MessageBody": letter.body,
                "MessageGroupId": letter.group,
                "MessageAttributes": _attributes(letter),
            }
            for place, letter in enumerate(letters)
        ]
        with in_our_words():
            answer = await self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
        return [letters[int(taken["Id"])] for taken in answer.get("Successful", ())]

    async def delete(self, receipts: Sequence[str]) -> None:
        """Drop messages; those that were dropped before, or delivered again, don't matter."""

        async def drop(some: Sequence[str]) -> None:
            entries = [
                {"Id": str(place), "ReceiptHandle": receipt} for place, receipt in enumerate(some)
            ]
            with in_our_words():
                await self._client.delete_message_batch(QueueUrl=self.url, Entries=entries)

        await _each(in_tens(receipts), drop)

    async def hide(self, receipts: Sequence[str], *, hidden_for: timedelta) -> None:
        """Keep messages from being delivered again for so long, counted from now."""
        seconds = _seconds(hidden_for, _LONGEST_HIDDEN)

        async def extend(some: Sequence[str]) -> None:
            entries = [
                {"Id": str(place), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for place, receipt in enumerate(some)
            ]
            with in_our_words():
                await self._client.change_message_visibility_batch(
                    QueueUrl=self.url, Entries=entries
                )

        await _each(in_tens(receipts), extend)


@asynccontextmanager
async def open_queue(address: QueueAddress) -> AsyncIterator[Queue]:
    """Open a queue that exists; raise `QueueUnusable` when it can't be used."""
    async with connected(address) as client:
        yield Queue(client, await find_queue(client, address))


@asynccontextmanager
async def connected(address: QueueAddress) -> AsyncIterator[Any]:
    """Open a client of the service an address names."""
    config = AioConfig(
        connect_timeout=5,
        read_timeout=LONGEST_WAIT.total_seconds() + 10,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "max_attempts": 3},
    )
    try:
        session = get_session()
        session.register_component("data_loader", _descriptions())
        client = session.create_client(
            "sqs", region_name=address.region, endpoint_url=address.endpoint, config=config
        )
        entered = await client.__aenter__()
    except BotoCoreError as error:
        raise QueueUnusable(f"{address} can't be used: {error}") from error
    try:
        yield entered
    finally:
        await client.__aexit__(None, None, None)


@cache
def _descriptions() -> Loader:
    """Return what reads how services are spoken to: one, because it remembers."""
    return create_loader()


async def find_queue(client: Any, address: QueueAddress) -> str:  # noqa: ANN401 - made at run time
    """Return a queue's URL; raise `QueueMissing`, or `QueueUnusable` for anything else."""
    try:
        answer = await client.get_queue_url(QueueName=address.name)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            raise QueueMissing(f"there is no queue {address}") from error
        if error.operation_name.startswith("AssumeRole"):
            raise RoleRefused(
                f"the role for {address} can't be assumed: {error}; look at the role that "
                "AWS_ROLE_ARN or the profile in AWS_PROFILE names, and at whom its trust policy "
                "lets assume it"
            ) from error
        raise QueueUnusable(f"{address} refuses us: {error}") from error
    except BotoCoreError as error:
        raise QueueUnusable(f"{address} does not answer: {error}") from error
    return str(answer["QueueUrl"])


def in_tens(items: Sequence[T]) -> Sequence[Sequence[T]]:
    """Return them as requests may carry them."""
    return [items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE)]


@contextmanager
def in_our_words() -> Iterator[None]:
    """Let nothing of the SDK's vocabulary out of this package."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise QueueUnavailable(f"the queue does not answer: {error}") from error


async def _each(items: Sequence[Any], work: Callable[[Any], Awaitable[T]]) -> Sequence[T]:
    """Do *work* with each item, a few at a time; raise the first error once all are through."""
    slots = asyncio.Semaphore(_REQUESTS)

    async def one(item: Any) -> T:  # noqa: ANN401 - whatever *work* takes
        async with slots:
            return await work(item)

    done = await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
    results: list[T] = []
    for each in done:
        if isinstance(each, BaseException):
            raise each
        results.append(each)
    return results


def _attributes(letter: Letter) -> dict[str, dict[str, str]]:
    if letter.trace is None:
        return {}
    return {"traceparent": {"DataType": "String", "StringValue": letter.trace}}


def _message(found: dict[str, Any]) -> Message:
    system = found.get("Attributes", {})
    return Message(
        body=found["Body"],
        receipt=found["ReceiptHandle"],
        receives=int(system.get("ApproximateReceiveCount", 1)),
        group=system.get("MessageGroupId"),
        key=found.get("MessageAttributes", {}).get("key", {}).get("StringValue"),
    )


def _seconds(given: timedelta, longest: timedelta) -> int:
    """Return whole seconds as SQS takes them, rounded up."""
    return -(-max(timedelta(0), min(given, longest)) // timedelta(seconds=1))

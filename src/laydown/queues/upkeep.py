"""What an operator does to queues: make them, and bring back what was set aside."""

import json
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from laydown.queues.address import QueueAddress
from laydown.queues.client import (
    AT_ONCE,
    QueueMissing,
    QueueUnusable,
    connected,
    find_queue,
    in_our_words,
)

MOST_DELIVERIES: Final = 5
"""Deliveries after which a queue sets a message aside: our own attempts are counted in the ledger,
so this only catches what no worker survives receiving, or none can delete."""

_ASIDE = "-dead"
_RETENTION = 14 * 24 * 60 * 60  # seconds; the longest that SQS keeps a message
_HIDDEN = 60  # seconds; only what we don't ask for ourselves
_UNGROUPED = "none"


async def make_queue(address: QueueAddress) -> bool:
    """Make a queue, with the one beside it for what it sets aside; say whether it was missing.

    One that exists is left as it is. Raises `QueueUnusable`.
    """
    async with connected(address) as client:
        try:
            await find_queue(client, address)
        except QueueMissing:
            try:
                await _make(client, address.name)
            except (BotoCoreError, ClientError) as error:
                raise QueueUnusable(f"{address} can't be made: {error}") from error
            return True
    return False


async def redrive(address: QueueAddress) -> int:
    """Send what a queue had set aside into it again; return how many messages that was.

    Each is sent before it is deleted, so that an interruption doubles one rather than lose it.
    Only as many as are there when it begins are moved: what fails again is not moved in circles.
    Raises `QueueUnusable`, and `QueueUnavailable` for what a later try may fix.
    """
    async with connected(address) as client:
        url = await find_queue(client, address)
        with in_our_words():
            aside = await _aside(client, url)
            if aside is None:
                raise QueueUnusable(f"{address} sets nothing aside: it has no redrive policy")
            left = await _count(client, aside)
            moved = 0
            while left > 0 and (found := await _move(client, aside, url, min(left, AT_ONCE))):
                moved += found
                left -= found
    return moved


async def set_aside(address: QueueAddress) -> int | None:
    """Return how many messages a queue has set aside; None when it sets nothing aside."""
    async with connected(address) as client:
        url = await find_queue(client, address)
        with in_our_words():
            aside = await _aside(client, url)
            return None if aside is None else await _count(client, aside)


async def _make(client: Any, name: str) -> None:  # noqa: ANN401 - made at run time
    keeping = {
        "MessageRetentionPeriod": str(_RETENTION),
        "VisibilityTimeout": str(_HIDDEN),
        "ReceiveMessageWaitTimeSeconds": "0",
    }
    aside = await client.create_queue(QueueName=name + _ASIDE, Attributes=keeping)
    answer = await client.get_queue_attributes(
        QueueUrl=aside["QueueUrl"], AttributeNames=["QueueArn"]
    )
    policy = {
        "deadLetterTargetArn": answer["Attributes"]["QueueArn"],
        "maxReceiveCount": str(MOST_DELIVERIES),
    }
    attributes = keeping | {"RedrivePolicy": json.dumps(policy)}
    await client.create_queue(QueueName=name, Attributes=attributes)


async def _aside(client: Any, url: str) -> str | None:  # noqa: ANN401 - made at run time
    """Return the URL of the queue where *url* sets messages aside."""
    answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    policy = answer.get("Attributes", {}).get("RedrivePolicy")
    if policy is None:
        return None
    name = json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2]
    return str((await client.get_queue_url(QueueName=name))["QueueUrl"])


async def _count(client: Any, url: str) -> int:  # noqa: ANN401 - made at run time
    name = "ApproximateNumberOfMessages"
    answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(answer["Attributes"][name])


async def _move(client: Any, source: str, target: str, limit: int) -> int:  # noqa: ANN401 - made at run time
    """Move up to ten messages; return how many came. Those the target refused come again."""
    answer = await client.receive_message(
        QueueUrl=source,
        MaxNumberOfMessages=limit,
        WaitTimeSeconds=1,
        MessageSystemAttributeNames=["MessageGroupId"],
        MessageAttributeNames=["All"],
    )
    found = answer.get("Messages", [])
    if not found:
        return 0
    sent = await client.send_message_batch(
        QueueUrl=target,
        Entries=[
            {
                "Id": str(place),
                "MessageBody": message["Body"],
                "MessageGroupId": message.get("Attributes", {}).get("MessageGroupId", _UNGROUPED),
                "MessageAttributes": message.get("MessageAttributes", {}),
            }
            for place, message in enumerate(found)
        ],
    )
    taken = [found[int(each["Id"])] for each in sent.get("Successful", [])]
    if taken:
        await client.delete_message_batch(
            QueueUrl=source,
            Entries=[
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(taken)
            ],
        )
    return len(found)

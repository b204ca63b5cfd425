"""The bucket and the queues as the template has them, with nobody at work on them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from laydown.domain.upload import NO_OBJECT
from laydown.objects.s3_address import parse_address as parse_store
from laydown.objects.s3_bucket import check
from laydown.objects.s3_http import S3Client, connected
from laydown.objects.s3_rules import denies_rejected
from laydown.queues.upkeep import redrive, set_aside
from tests.infra.template import Ingest, files_of, policy_of
from tests.queue_support import address_of, known_to
from tests.s3_support import credentials_of


@pytest.fixture
def sqs(queues) -> Iterator[Any]:
    """Return a client of the queues."""
    with queues.client() as client:
        yield client


def taken(sqs: Any, queue: str) -> list[Any]:
    """Receive what a queue has at this moment, and let it have it back at once."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = sqs.receive_message(
        QueueUrl=url,
        WaitTimeSeconds=1,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    for message in found:
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return list(found)


async def test_the_doctor_finds_nothing_to_set(ingest: Ingest, queues):
    """Browsers, life cycle and versions are as laydown wants them, and so is the policy."""
    address = parse_store(f"s3://{ingest.bucket}?endpoint={queues.endpoint}&region={queues.region}")
    async with connected() as session:
        credentials = credentials_of(queues.access_key, queues.secret_key)
        client = S3Client(address, credentials, session)
        [rule] = files_of(ingest.resources)["CorsConfiguration"]["CorsRules"]
        findings = await check(client, origins=rule["AllowedOrigins"])

    ill = [each.sentence for each in findings if not each.is_well]
    # moto would let nobody in with the policy: of a denial it ignores the conditions.
    assert ill == ["URLs given before a file was refused can read it until they expire"]
    policy = json.dumps(policy_of(ingest.resources))
    assert denies_rejected(policy, ingest.bucket, "u/", partition="aws")


def test_what_never_was_may_be_asked_for(ingest: Ingest):
    """The gate leaves out the key by which laydown asks whether its store answers."""
    [gate] = [
        each
        for each in policy_of(ingest.resources)["Statement"]
        if each.get("Sid") == "NothingUnscanned"
    ]
    beginning, _, rest = gate["NotResource"].partition("*")
    assert rest == ""
    assert f"arn:aws:s3:::{ingest.bucket}/{NO_OBJECT}".startswith(beginning)
    assert beginning.endswith("/00000000-0000-0000-0000-000000000000/")


def test_the_bucket_tells_of_objects_and_of_nothing_else(ingest: Ingest, queues, sqs):
    """A key below u/ is told of in the queue, another is not."""
    with queues.client("s3") as s3:
        s3.put_object(Bucket=ingest.bucket, Key="elsewhere/1", Body=b"1")
        s3.put_object(Bucket=ingest.bucket, Key="u/1", Body=b"1")

    told = [json.loads(message["Body"]) for message in taken(sqs, ingest.notices)]
    keys = [record["s3"]["object"]["key"] for each in told for record in each.get("Records", [])]
    assert [key.replace("%2F", "/") for key in keys] == ["u/1"]


@pytest.mark.parametrize("which", ["jobs", "notices"])
async def test_what_nobody_can_deal_with_waits_and_comes_back(
    which, ingest: Ingest, queues, sqs, monkeypatch
):
    """After five deliveries it is set aside with its group, and redriven it is there again."""
    known_to(queues, monkeypatch)
    queue, dead = getattr(ingest, which), getattr(ingest, f"{which}_dead")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="poison", MessageGroupId="one")

    deliveries = 0
    while taken(sqs, queue):
        deliveries += 1

    assert deliveries == 5
    address = address_of(queues, queue)
    assert await set_aside(address) == 1
    [message] = taken(sqs, dead)
    assert message["Body"] == "poison"

    assert await redrive(address) == 1

    assert await set_aside(address) == 0
    [message] = taken(sqs, queue)
    assert (message["Body"], message["Attributes"]["MessageGroupId"]) == ("poison", "one")

"""A delivery through the ingest stack as synthesized, by laydown's own api and worker processes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.site_talk import complete, declared, is_ready, send
from tests.e2e.yard import until
from tests.engines.queue import Queues
from tests.infra.template import Ingest


def unjudged(site: Site) -> Sequence[str]:
    """Return the keys of the objects that are proven and wait for a verdict."""
    with site.database() as database:
        rows = database.execute(
            "SELECT p.object_key FROM proofs p JOIN uploads u ON u.object_key = p.object_key"
            " WHERE u.state = 'checking' ORDER BY u.key"
        ).fetchall()
    return [key for (key,) in rows]


def judge(queues: Queues, ingest: Ingest, found: Mapping[str, str]) -> None:
    """Have GuardDuty's events, with the status *found* by key, come to the account's bus."""
    with queues.client("s3") as s3, queues.client("events") as events:
        for key, status in found.items():
            version = s3.head_object(Bucket=ingest.bucket, Key=key)["VersionId"]
            answer = events.put_events(Entries=[_event(ingest.bucket, key, version, status)])
            assert answer["FailedEntryCount"] == 0, answer


def _event(bucket: str, key: str, version: str, status: str) -> dict[str, Any]:
    threats = [{"name": "EICAR-Test-File (not a virus)"}] if status == "THREATS_FOUND" else None
    detail = {
        "schemaVersion": "1.0",
        "scanStatus": "COMPLETED",
        "resourceType": "S3_OBJECT",
        "s3ObjectDetails": {"bucketName": bucket, "objectKey": key, "versionId": version},
        "scanResultDetails": {"scanResultStatus": status, "threats": threats},
    }
    return {
        "Source": "aws.guardduty",
        "DetailType": "GuardDuty Malware Protection Object Scan Result",
        "Detail": json.dumps(detail),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a delivery of small files."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"file {number}\n")
    return folder


def test_a_push_ends_when_the_scanner_has_spoken(site: Site, ingest: Ingest, queues, folder):
    """Pushed, proven, held until the results of GuardDuty come by the rule: ready, one refused."""
    push = site.start_push(folder, project="TRIAL")
    keys = until(
        lambda: found if len(found := unjudged(site)) == 6 else None,
        what="all six wait for a verdict",
    )
    assert not push.is_over_within(0)

    judge(queues, ingest, dict.fromkeys(keys[1:], "NO_THREATS_FOUND"))
    judge(queues, ingest, {keys[0]: "THREATS_FOUND"})

    assert push.end().counts == {"ready": 5, "rejected": 1}


def test_what_nobody_completed_is_told_of_by_the_bucket(site: Site, ingest: Ingest, queues):
    """The client goes silent after its last byte; the bucket's own notices bring it to ready."""
    with site.client() as client:
        delivery = declared(client, "silent", {f"silent/{n}.txt": b"%d" % n for n in range(3)})
        send(client, delivery)
        client.close_batch(delivery.batch)
        keys = until(
            lambda: found if len(found := unjudged(site)) == 3 else None,
            what="all three wait for a verdict",
        )
        judge(queues, ingest, dict.fromkeys(keys, "NO_THREATS_FOUND"))
        until(lambda: is_ready(client, delivery), what="all three are ready")


def test_the_queues_are_empty_in_the_end(site: Site, ingest: Ingest, queues):
    """Every notice and every announcement was dealt with, and nothing was set aside."""
    with site.client() as client:
        delivery = declared(client, "last", {"last.txt": b"last"})
        send(client, delivery)
        complete(client, delivery)
        client.close_batch(delivery.batch)
        [key] = until(lambda: unjudged(site), what="it waits for a verdict")
        judge(queues, ingest, {key: "NO_THREATS_FOUND"})
        until(lambda: is_ready(client, delivery), what="it is ready")

    with queues.client() as sqs:

        def left(name: str) -> int:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return sum(
                int(counts[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible")
            )

        for name in (ingest.jobs, ingest.notices):
            until(lambda name=name: left(name) == 0, what=f"{name} is empty")
        assert [left(name) for name in (ingest.jobs_dead, ingest.notices_dead)] == [0, 0]

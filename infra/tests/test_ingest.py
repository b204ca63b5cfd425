"""The bucket, the queues, and what is told of them."""

from typing import Any

import pytest

from tests.conftest import Template, Templates
from tests.reading import actions, only, resources, statements


def test_the_bucket_shows_nothing_and_forgets_nothing(templates: Templates, cell: str) -> None:
    """Nothing is public, TLS 1.2 is asked for, versions are kept, a key of ours encrypts."""
    files = _files(templates[f"{cell}-ingest"])
    assert set(files["PublicAccessBlockConfiguration"].values()) == {True}
    assert files["VersioningConfiguration"] == {"Status": "Enabled"}
    rule = files["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    denied = _denied(templates[f"{cell}-ingest"])
    assert any("aws:SecureTransport" in str(each["Condition"]) for each in denied)
    assert any("s3:TlsVersion" in str(each["Condition"]) for each in denied)


def test_what_nobody_finished_goes_away(templates: Templates, cell: str) -> None:
    """Parts after a week; refused content a day after the worker should have deleted it."""
    rules = {
        rule["Id"]: rule
        for rule in _files(templates[f"{cell}-ingest"])["LifecycleConfiguration"]["Rules"]
    }
    stale = rules["laydown-stale"]
    assert stale["Prefix"] == "u/"
    assert stale["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rules["laydown-rejected"]["ExpirationInDays"] == 8
    assert rules["laydown-rejected"]["TagFilters"] == [
        {"Key": "laydown-verdict", "Value": "rejected"}
    ]
    assert not [
        rule for rule in rules.values() if "ExpirationInDays" in rule and "TagFilters" not in rule
    ]


def test_pages_may_send_and_read_what_they_need(templates: Templates, cell: str) -> None:
    """As laydown's doctor wants it: PUT, GET and HEAD, any header, the ETag readable."""
    (rule,) = _files(templates[f"{cell}-ingest"])["CorsConfiguration"]["CorsRules"]
    assert set(rule["AllowedMethods"]) == {"PUT", "GET", "HEAD"}
    assert rule["AllowedHeaders"] == ["*"]
    assert "ETag" in rule["ExposedHeaders"]
    assert all(origin.startswith("http") and "*" not in origin for origin in rule["AllowedOrigins"])


def test_new_objects_are_told_of_without_a_function(templates: Templates, cell: str) -> None:
    """S3 sends to the queue itself, of laydown's own keys."""
    (sent,) = _files(templates[f"{cell}-ingest"])["NotificationConfiguration"][
        "QueueConfigurations"
    ]
    assert sent["Event"] == "s3:ObjectCreated:*"
    assert sent["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "u/"}]
    assert sent["Queue"]["Fn::GetAtt"][0].startswith("Notices")


def test_no_change_of_ours_makes_the_scanner_deaf(templates: Templates, cell: str) -> None:
    """GuardDuty hears of objects by EventBridge: the template says it is on, and not GuardDuty."""
    told = _files(templates[f"{cell}-ingest"])["NotificationConfiguration"]
    assert told["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}


@pytest.mark.parametrize("name", ["jobs", "notices"])
def test_a_message_nobody_can_deal_with_waits_for_people(
    templates: Templates, cell: str, name: str
) -> None:
    """After five deliveries, for fourteen days, in a queue that takes from its own alone."""
    queues = {
        queue["QueueName"]: queue
        for queue in resources(templates[f"{cell}-ingest"], "AWS::SQS::Queue").values()
    }
    queue, dead = queues[f"{cell}-{name}"], queues[f"{cell}-{name}-dead"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    allowed = dead["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    (source,) = allowed["sourceQueueArns"]
    assert source.endswith(f":{cell}-{name}")
    assert "FifoQueue" not in queue
    assert queue["KmsMasterKeyId"] == dead["KmsMasterKeyId"]


def test_unscanned_content_is_read_by_those_who_prove_it(templates: Templates, cell: str) -> None:
    """Everybody else is denied until the scanner's tag says clean, the api included."""
    (gate,) = _named(templates[f"{cell}-ingest"], "NothingUnscanned")
    assert actions(gate) == {"s3:GetObject", "s3:GetObjectVersion"}
    assert gate["Condition"]["StringNotEquals"] == {
        "s3:ExistingObjectTag/GuardDutyMalwareScanStatus": "NO_THREATS_FOUND"
    }
    assert gate["NotResource"].endswith("/u/00000000-0000-0000-0000-000000000000/*")
    let_in = gate["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert len(let_in) == 3
    assert not [who for who in let_in if "api" in str(who)]


def test_refused_content_is_kept_from_everybody(templates: Templates, cell: str) -> None:
    """The worker's own tag denies reading, in the very form in which laydown's doctor looks."""
    (kept,) = _named(templates[f"{cell}-ingest"], "LaydownQuarantine")
    assert kept["Principal"] == "*"
    assert actions(kept) == {"s3:GetObject", "s3:GetObjectVersion"}
    assert kept["Condition"] == {
        "StringEquals": {"s3:ExistingObjectTag/laydown-verdict": "rejected"}
    }


def test_only_the_scanner_says_clean(templates: Templates, cell: str) -> None:
    """A put, or a tagging, that names its tag is denied to everybody else."""
    (judging,) = _named(templates[f"{cell}-ingest"], "NobodyElseJudges")
    assert "s3:PutObject" in actions(judging)
    assert "s3:PutObjectTagging" in actions(judging)
    assert judging["Condition"]["ForAnyValue:StringEquals"] == {
        "s3:RequestObjectTagKeys": ["GuardDutyMalwareScanStatus"]
    }


def test_the_scanners_verdicts_reach_the_queue(templates: Templates, cell: str) -> None:
    """By a rule for this bucket; what can't be delivered waits in the dead ones' queue."""
    rule = only(templates[f"{cell}-ingest"], "AWS::Events::Rule")
    assert rule["EventPattern"]["source"] == ["aws.guardduty"]
    (target,) = rule["Targets"]
    assert target["Arn"]["Fn::GetAtt"][0].startswith("Notices")
    assert "NoticesDead" in str(target["DeadLetterConfig"])
    plan = only(templates[f"{cell}-ingest"], "AWS::GuardDuty::MalwareProtectionPlan")
    assert plan["Actions"]["Tagging"]["Status"] == "ENABLED"
    assert plan["ProtectedResource"]["S3Bucket"]["ObjectPrefixes"] == ["u/"]


def test_in_production_every_object_is_copied_and_goes_a_month_later(templates: Templates) -> None:
    """Within fifteen minutes, into the bucket that the other region's stack makes.

    Without the markers of deletion nothing would ever be old there, and all be kept for ever.
    """
    (rule,) = _files(templates["laydown-production-c1-ingest"])["ReplicationConfiguration"]["Rules"]
    copies = only(templates["laydown-production-c1-copies"], "AWS::S3::Bucket")
    assert rule["DeleteMarkerReplication"] == {"Status": "Enabled"}
    role = statements(templates["laydown-production-c1-ingest"], "AWS::IAM::Policy", "Replication")
    assert any("s3:ReplicateDelete" in actions(each) for each in role)
    (gone, _) = copies["LifecycleConfiguration"]["Rules"]
    assert gone["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{copies['BucketName']}"
    assert rule["Destination"]["ReplicationTime"]["Time"] == {"Minutes": 15}


def _files(template: Template) -> Any:  # noqa: ANN401 - a template is what it is
    return only(template, "AWS::S3::Bucket", "Files")


def _denied(template: Template) -> list[dict[str, Any]]:
    found = statements(template, "AWS::S3::BucketPolicy", "FilesPolicy")
    return [dict(each) for each in found if each["Effect"] == "Deny"]


def _named(template: Template, sid: str) -> list[dict[str, Any]]:
    return [each for each in _denied(template) if each.get("Sid") == sid]

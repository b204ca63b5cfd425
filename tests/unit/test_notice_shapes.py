"""What stores and scanners say in their many shapes, and what of it is about us."""

import json
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import OrganizationId, UploadId, object_key, parse_key
from laydown.ports import Arrival, Judgement
from laydown.queues.shapes import Home, facts_of

BUCKET = "yard"
KEY = object_key(OrganizationId(UUID(int=1)), UploadId(UUID(int=2)), 3)
NAME = parse_key(KEY)


HOME = Home(BUCKET)


def heard(message, *, key=None, home=HOME):
    body = message if isinstance(message, str) else json.dumps(message)
    return facts_of(body, key=key, home=home)


def s3(*, event="ObjectCreated:Put", key=KEY, bucket=BUCKET, **more):
    """Return what S3 itself sends."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventTime": "2026-11-22T20:00:00.000Z",
                "eventName": event,
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "arrivals",
                    "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                    "object": {"key": key, "size": 11, "eTag": "d41d", **more},
                },
            }
        ]
    }


def bridged(*, kind="Object Created", key=KEY, bucket=BUCKET, source="aws.s3"):
    """Return what S3 sends by EventBridge, whose keys are plain."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": source,
        "account": "111122223333",
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 11, "etag": "d41d", "sequencer": "00617F08299329D189"},
            "reason": "PutObject",
        },
    }


def judged(status, *, threats=None, version="v1", key=KEY, bucket=BUCKET):
    """Return what GuardDuty's Malware Protection for S3 sends by EventBridge."""
    return {
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Malware Protection Object Scan Result",
        "detail": {
            "schemaVersion": "1.0",
            "scanStatus": "COMPLETED",
            "resourceType": "S3_OBJECT",
            "s3ObjectDetails": {
                "bucketName": bucket,
                "objectKey": key,
                "eTag": "d41d",
                "versionId": version,
                "s3Throttled": False,
            },
            "scanResultDetails": {"scanResultStatus": status, "threats": threats},
        },
    }


@pytest.mark.parametrize(
    "message",
    [
        s3(versionId="v1", sequencer="0055AED6DCD90281E5"),
        s3(),
        s3(key=KEY.replace("/", "%2F")),
        s3(event="ObjectCreated:CompleteMultipartUpload"),
        s3(event="s3:ObjectCreated:Put"),
        bridged(),
    ],
    ids=["s3", "bare", "encoded slashes", "multipart", "prefixed", "eventbridge"],
)
def test_an_object_that_was_created_has_arrived(message):
    """Whoever says it and however: the object's name, and its size."""
    assert heard(message) == [Arrival(name=NAME, size=11)]


def test_a_message_may_tell_of_many_objects():
    """Each record is a fact of its own; those of others are left out."""
    records = [*s3()["Records"], *s3(key="theirs.pdf")["Records"], *s3()["Records"]]
    assert heard({"Records": records}) == [Arrival(name=NAME, size=11)] * 2


def test_a_filer_names_the_object_beside_its_message():
    """SeaweedFS's filer says the path in an attribute; its body is not for us to read."""
    body = "\x0a\x10\x12"
    assert heard(body, key=f"/buckets/{BUCKET}/{KEY}") == [Arrival(name=NAME, size=None)]
    assert heard(body, key=f"/buckets/{BUCKET}/.uploads/1/0001.part") == []
    assert heard(body, key=f"/buckets/other/{KEY}") == []


@pytest.mark.parametrize(
    "message",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET},
        {"Records": []},
        s3(event="ObjectRemoved:Delete"),
        s3(event="ObjectTagging:Put"),
        s3(bucket="other"),
        s3(key="photos/holiday.jpg"),
        s3(key="u/not/an/object"),
        s3(key=KEY.upper()),
        bridged(kind="Object Deleted"),
        bridged(bucket="other"),
        bridged(key="u/" + "x" * 1000),
        bridged(kind="GuardDuty Finding", source="aws.guardduty"),
        judged("NO_THREATS_FOUND", bucket="other"),
        judged("THREATS_FOUND", key="other.exe"),
    ],
)
def test_what_is_not_about_our_objects_says_nothing(message):
    """Other buckets, other keys and other events are no facts, and no trouble either."""
    assert heard(message) == []


@pytest.mark.parametrize(
    ("status", "verdict", "threat"),
    [
        ("NO_THREATS_FOUND", Verdict.CLEAN, None),
        ("UNSUPPORTED", Verdict.UNSCANNABLE, "too large, encrypted"),
        ("ACCESS_DENIED", Verdict.UNSCANNABLE, "not allowed to read"),
        ("FAILED", Verdict.UNSCANNABLE, "failed to scan"),
        ("SOMETHING_NEW", Verdict.UNSCANNABLE, "SOMETHING_NEW"),
    ],
)
def test_only_no_threats_found_is_clean(status, verdict, threat):
    """Whatever else GuardDuty says is no clean bill, and says why."""
    [fact] = heard(judged(status))
    assert isinstance(fact, Judgement)
    assert (fact.name, fact.scan.scanner, fact.scan.verdict) == (NAME, "guardduty", verdict)
    assert fact.scan.version == "v1"
    assert (fact.scan.threat is None) == (threat is None)
    assert (threat or "") in (fact.scan.threat or "")


def test_threats_are_named():
    """The names of what was found are kept; found without a name is still found."""
    threats = [{"name": "EICAR-Test-File (not a virus)"}, {"name": "Trojan"}]
    [fact] = heard(judged("THREATS_FOUND", threats=threats))
    assert fact.scan == Scan(
        scanner="guardduty",
        verdict=Verdict.INFECTED,
        threat="EICAR-Test-File (not a virus), Trojan",
        version="v1",
    )
    [nameless] = heard(judged("THREATS_FOUND"))
    assert (nameless.scan.verdict, nameless.scan.threat) == (Verdict.INFECTED, "unnamed")


@pytest.mark.parametrize("version", [None, "", "null"])
def test_a_bucket_without_versions_names_none(version):
    """How an unversioned bucket says so is not taken for a version."""
    [fact] = heard(judged("NO_THREATS_FOUND", version=version))
    assert fact.scan.version is None


STRANGE = [
    "",
    "hello",
    "[]",
    "null",
    "[" * 100_000,
    {},
    {"Records": [1]},
    {"Records": [{"eventName": "ObjectCreated:Put"}]},
    {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {}, "object": {}}}]},
    {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
    {"source": "aws.ec2", "detail-type": "Object Created", "detail": {}},
    {
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Malware Protection Object Scan Result",
        "detail": {"s3ObjectDetails": {}},
    },
    {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(s3())},
]


@pytest.mark.parametrize("message", STRANGE, ids=lambda message: str(message)[:30])
def test_what_nobody_we_know_would_say_is_refused(message):
    """Anything else, news wrapped by SNS too, is not ours."""
    with pytest.raises(ValueError, match=r"."):
        heard(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from([KEY, BUCKET]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Records", "s3", "bucket", "object", "key", "name", "detail"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_message_is_a_crash(message):
    """Whatever comes, the answer is facts or a refusal."""
    with suppress(ValueError):
        heard(message)


def test_threats_of_no_known_shape_are_no_crash():
    """GuardDuty may change how it names what it found."""
    for threats in ("EICAR", ["EICAR"], 7, [None], [{}]):
        [fact] = heard(judged("THREATS_FOUND", threats=threats))
        assert fact.scan.verdict is Verdict.INFECTED


def test_objects_below_a_prefix_are_known_by_the_rest_of_their_keys():
    """What stands before our keys in the bucket is no part of them; without it they aren't ours."""
    home = Home(BUCKET, "site-1/")
    assert heard(s3(key=f"site-1/{KEY}"), home=home) == heard(s3())
    assert heard(s3(), home=home) == []

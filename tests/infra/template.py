"""The ingest stack's own template, brought to life in moto's server.

moto's CloudFormation silently leaves out most of what a bucket says of itself, so each resource is
made by its service's own API, as the template has it. Three kinds are left out: policies, of which
moto ignores the conditions, keys, with which it encrypts nothing, and the plan of GuardDuty, which
it doesn't know.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.engines.queue import Queues

_SYNTHESIZED: Final = Path(__file__).parents[2] / "infra" / "cdk.out"
_STAGE: Final = "laydown-dev-c1"
_EMULATED: Final = "123456789012"  # moto's account
_LEFT_OUT: Final = {"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "QueueName", "Tags"}


class NotSynthesizedError(Exception):
    """There is no template yet; says what makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """The ingest stack as it was made, under a name of its own."""

    resources: Mapping[str, Any]  # of the template, with every reference resolved
    bucket: str
    jobs: str  # names of queues
    jobs_dead: str
    notices: str
    notices_dead: str


def read(prefix: str) -> Mapping[str, Any]:
    """Return the template of the dev stage as if its names began with *prefix*, in moto's account.

    Raises `NotSynthesizedError` when `make infra` has not been here.
    """
    folder = _SYNTHESIZED / f"assembly-{_STAGE}"
    if not (folder / "manifest.json").exists():
        raise NotSynthesizedError("infra/ is not synthesized: run 'make infra'")
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"].values()
    [stack] = [
        each["properties"]
        for each in artifacts
        if each.get("properties", {}).get("stackName") == f"{_STAGE}-ingest"
    ]
    text = (folder / stack["templateFile"]).read_text()
    [account] = {
        each["environment"].removeprefix("aws://").partition("/")[0]
        for each in artifacts
        if each["type"] == "aws:cloudformation:stack" and "us-east-1" in each["environment"]
    }
    template: Mapping[str, Any] = json.loads(
        text.replace(_STAGE, prefix).replace(account, _EMULATED)
    )
    return template


def make(template: Mapping[str, Any], queues: Queues) -> Ingest:
    """Make the queues, the bucket and the rule that a template describes."""
    found = _resolved(template["Resources"], _identities(template, queues.region))
    _make_queues(_of(found, "AWS::SQS::Queue"), queues)
    for bucket in _of(found, "AWS::S3::Bucket").values():
        _make_bucket(bucket, queues)
    for name, rule in _of(found, "AWS::Events::Rule").items():
        _make_rule(name, rule, queues)
    return Ingest(
        resources=found,
        bucket=files_of(found)["BucketName"],
        **{
            name.replace("-", "_"): queue["QueueName"]
            for name in ("jobs", "jobs-dead", "notices", "notices-dead")
            for queue in _of(found, "AWS::SQS::Queue").values()
            if queue["QueueName"].endswith(f"-{name}")
        },
    )


def files_of(resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the template says of the bucket of people's files."""
    buckets = _of(resources, "AWS::S3::Bucket")
    [files] = [bucket for name, bucket in buckets.items() if name.startswith("Files")]
    return files


def policy_of(resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return that bucket's policy."""
    policies = _of(resources, "AWS::S3::BucketPolicy")
    [policy] = [each for name, each in policies.items() if name.startswith("Files")]
    document: Mapping[str, Any] = policy["PolicyDocument"]
    return document


def _of(resources: Mapping[str, Any], kind: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        name: each.get("Properties", {}) for name, each in resources.items() if each["Type"] == kind
    }


def _identities(template: Mapping[str, Any], region: str) -> Mapping[tuple[str, str], str]:
    """Return what references stand for: (logical id, attribute), "" for `Ref`."""
    found = {
        ("AWS::Partition", ""): "aws",
        ("AWS::Region", ""): region,
        ("AWS::AccountId", ""): _EMULATED,
    }
    for name, each in template["Resources"].items():
        said = each.get("Properties", {})
        match each["Type"]:
            case "AWS::SQS::Queue":
                arn = f"arn:aws:sqs:{region}:{_EMULATED}:{said['QueueName']}"
                found[name, "Arn"] = arn
                found[name, "QueueName"] = said["QueueName"]
                found[name, ""] = (
                    f"https://sqs.{region}.amazonaws.com/{_EMULATED}/{said['QueueName']}"
                )
            case "AWS::S3::Bucket":
                bucket = said.get("BucketName", name.lower())
                found[name, ""] = bucket
                found[name, "Arn"] = f"arn:aws:s3:::{bucket}"
            case "AWS::IAM::Role":
                found[name, ""] = said["RoleName"]
                found[name, "Arn"] = f"arn:aws:iam::{_EMULATED}:role/{said['RoleName']}"
            case _:
                found[name, ""] = name
                found[name, "Arn"] = f"arn:aws:{name}"
    return found


def _resolved(value: Any, known: Mapping[tuple[str, str], str]) -> Any:
    """Return a piece of a template without references. Raises `KeyError` for an unknown one."""
    match value:
        case {"Ref": str(name)}:
            return known[name, ""]
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return known[name, attribute]
        case {"Fn::Join": [str(between), [*parts]]}:
            return between.join(str(_resolved(part, known)) for part in parts)
        case dict():
            return {name: _resolved(inner, known) for name, inner in value.items()}
        case list():
            return [_resolved(inner, known) for inner in value]
        case _:
            return value


def _make_queues(found: Mapping[str, Mapping[str, Any]], queues: Queues) -> None:
    # Those without a redrive policy first: the others name them.
    with queues.client() as sqs:
        for queue in sorted(found.values(), key=lambda each: "RedrivePolicy" in each):
            attributes = {
                name: json.dumps(said) if isinstance(said, dict) else str(said)
                for name, said in queue.items()
                if name not in _LEFT_OUT
            }
            sqs.create_queue(QueueName=queue["QueueName"], Attributes=attributes)


def _make_bucket(said: Mapping[str, Any], queues: Queues) -> None:
    if "BucketName" not in said:  # where access is logged, which moto doesn't do
        return
    name = said["BucketName"]
    with queues.client("s3") as s3:
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(
            Bucket=name, VersioningConfiguration=said["VersioningConfiguration"]
        )
        s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration=said["PublicAccessBlockConfiguration"],
        )
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=said["OwnershipControls"])
        s3.put_bucket_cors(
            Bucket=name,
            CORSConfiguration={
                "CORSRules": [
                    _renamed(rule, Id="ID", ExposedHeaders="ExposeHeaders", MaxAge="MaxAgeSeconds")
                    for rule in said["CorsConfiguration"]["CorsRules"]
                ]
            },
        )
        rules = [_life_cycle_rule(rule) for rule in said["LifecycleConfiguration"]["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        told = said["NotificationConfiguration"]["QueueConfigurations"]
        s3.put_bucket_notification_configuration(
            Bucket=name,
            NotificationConfiguration={"QueueConfigurations": [_notification(one) for one in told]},
        )


def _renamed(rule: Mapping[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(name, name): said for name, said in rule.items()}


def _life_cycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule as S3's API has it: a filter of all its conditions, and days within."""
    of_filter = {"Prefix", "TagFilters", "ObjectSizeGreaterThan"}
    filters: dict[str, Any] = {name: rule[name] for name in of_filter if name in rule}
    if "TagFilters" in filters:
        filters["Tags"] = filters.pop("TagFilters")
    if "ObjectSizeGreaterThan" in filters:
        filters["ObjectSizeGreaterThan"] = int(filters["ObjectSizeGreaterThan"])
    made = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": filters if len(filters) == 1 else {"And": filters},
    }
    expiration = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = rule["ExpirationInDays"]
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = rule["ExpiredObjectDeleteMarker"]
    if expiration:
        made["Expiration"] = expiration
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in rule:
            made[name] = rule[name]
    if "Transitions" in rule:
        made["Transitions"] = [
            _renamed(one, TransitionInDays="Days") for one in rule["Transitions"]
        ]
    return made


def _notification(said: Mapping[str, Any]) -> dict[str, Any]:
    rules = said["Filter"]["S3Key"]["Rules"]
    return {
        "QueueArn": said["Queue"],
        "Events": [said["Event"]],
        "Filter": {"Key": {"FilterRules": rules}},
    }


def _make_rule(name: str, rule: Mapping[str, Any], queues: Queues) -> None:
    with queues.client("events") as events:
        # One rule of a name in the whole account, so that each stack made here has its own.
        [bucket] = rule["EventPattern"]["detail"]["s3ObjectDetails"]["bucketName"]
        own = f"{name}-{bucket}"
        events.put_rule(
            Name=own, EventPattern=json.dumps(rule["EventPattern"]), State=rule["State"]
        )
        answer = events.put_targets(Rule=own, Targets=rule["Targets"])
        assert answer["FailedEntryCount"] == 0, answer

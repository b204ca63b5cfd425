"""What api and worker may do with the bucket, its key and the queues: no more than they do.

Reading is narrowed once more by the bucket's own policy (`ingest.py`): until the scanner has called
an object clean only the worker reads it, because it proves it. *files* is the bucket's ARN.
"""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

OBJECTS = "u/*"
"""Every key of laydown's begins so (docs/howto/s3.md)."""

OUR_TAG = "laydown-verdict"
"""The only tag that the worker sets: content that was refused. GuardDuty's is not ours to set."""


def grant_receiving(api: iam.IRole, files: str, key: kms.IKey) -> None:
    """Let the api sign for what clients send and fetch, take forms, and see which parts came."""
    objects = f"{files}/{OBJECTS}"
    _allow(
        api,
        "SignAndServe",
        [
            "s3:PutObject",
            "s3:GetObject",
            "s3:GetObjectTagging",  # tells what was refused from a store that is out of order
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ],
        [objects],
    )
    _allow(api, "SeeThatTheBucketAnswers", ["s3:ListBucket"], [files])
    _allow(api, "Keys", ["kms:GenerateDataKey", "kms:Decrypt"], [key.key_arn])


def grant_proving(worker: iam.IRole, files: str, key: kms.IKey) -> None:
    """Let the worker join, read, quarantine, discard and reconcile objects."""
    objects = f"{files}/{OBJECTS}"
    _allow(
        worker,
        "ProveAndKeep",
        [
            "s3:GetObject",
            "s3:GetObjectTagging",
            "s3:PutObject",  # completes multipart uploads
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ],
        [objects],
    )
    worker.add_to_principal_policy(
        iam.PolicyStatement(
            sid="Quarantine",
            actions=["s3:PutObjectTagging"],
            resources=[objects],
            conditions={
                "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": [OUR_TAG]},
                "Null": {"s3:RequestObjectTagKeys": "false"},  # no tags at all would be all of them
            },
        )
    )
    _allow(
        worker,
        "Reconcile",
        ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
        [files],
    )
    _allow(worker, "Keys", ["kms:GenerateDataKey", "kms:Decrypt"], [key.key_arn])


def grant_working(worker: iam.IRole, jobs: sqs.IQueue, notices: sqs.IQueue) -> None:
    """Let the worker announce jobs, take them up, and hear what the store and its scanner say."""
    _allow(
        worker,
        "Queues",
        [
            "sqs:GetQueueUrl",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
        ],
        [jobs.queue_arn, notices.queue_arn],
    )
    _allow(worker, "Announce", ["sqs:SendMessage"], [jobs.queue_arn])


def _allow(role: iam.IRole, sid: str, actions: list[str], resources: list[str]) -> None:
    role.add_to_principal_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))

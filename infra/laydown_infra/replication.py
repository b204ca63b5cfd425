"""Copies of every object in another region, within minutes."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from laydown_infra.config import StageConfig
from laydown_infra.copies import bucket_name, key_alias
from laydown_infra.rights import OBJECTS

_Rule = s3.CfnBucket


def replicate(
    stack: Stack, bucket: s3.Bucket, key: kms.Key, *, stage: StageConfig, region: str
) -> None:
    """Have S3 copy every new object, and that one was deleted, but not that a version was.

    What is lost here by a slip is there for `copies._KEPT`, and what people delete goes there, too.
    Everything is copied, scanned or not: the scanner's tag comes later and follows, and whoever
    restores from the copies goes by the ledger.
    """
    abroad = f"arn:aws:s3:::{bucket_name(stage)}"
    keys_abroad = f"arn:aws:kms:{region}:{stage.account}:key/*"
    role = iam.Role(
        stack,
        "Replication",
        role_name=f"{stage.prefix}-replication",
        description="S3 copies objects to another region",
        # As its user guide has it, without a condition: S3 does not say that it names the account
        # here, and would stop copying without a word. Only this account can pass the role to it.
        assumed_by=iam.ServicePrincipal("s3.amazonaws.com"),
    )
    for statement in (
        iam.PolicyStatement(
            sid="SeeWhatIsThere",
            actions=["s3:GetReplicationConfiguration", "s3:ListBucket"],
            resources=[bucket.bucket_arn],
        ),
        iam.PolicyStatement(
            sid="Read",
            actions=[
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionTagging",
            ],
            resources=[f"{stage.files_arn}/{OBJECTS}"],
        ),
        iam.PolicyStatement(
            sid="Write",
            actions=["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
            resources=[f"{abroad}/{OBJECTS}"],
        ),
        iam.PolicyStatement(
            sid="KeyHere",
            actions=["kms:Decrypt"],
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{stage.region}.amazonaws.com"}},
        ),
        iam.PolicyStatement(
            sid="KeyThere",
            actions=["kms:Encrypt", "kms:GenerateDataKey"],
            resources=[keys_abroad],  # an alias can't be named here; the condition names it
            conditions={
                "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": key_alias(stage)},
            },
        ),
    ):
        role.add_to_policy(statement)
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    resource.replication_configuration = _Rule.ReplicationConfigurationProperty(
        role=role.role_arn,
        rules=[
            _Rule.ReplicationRuleProperty(
                id="everything",
                status="Enabled",
                priority=1,
                filter=_Rule.ReplicationRuleFilterProperty(prefix=OBJECTS.removesuffix("*")),
                delete_marker_replication=_Rule.DeleteMarkerReplicationProperty(status="Enabled"),
                source_selection_criteria=_Rule.SourceSelectionCriteriaProperty(
                    sse_kms_encrypted_objects=_Rule.SseKmsEncryptedObjectsProperty(status="Enabled")
                ),
                destination=_Rule.ReplicationDestinationProperty(
                    bucket=abroad,
                    encryption_configuration=_Rule.EncryptionConfigurationProperty(
                        replica_kms_key_id=f"arn:aws:kms:{region}:{stage.account}:{key_alias(stage)}"
                    ),
                    # Fifteen minutes, with metrics that say when it takes longer.
                    metrics=_Rule.MetricsProperty(
                        status="Enabled",
                        event_threshold=_Rule.ReplicationTimeValueProperty(minutes=15),
                    ),
                    replication_time=_Rule.ReplicationTimeProperty(
                        status="Enabled", time=_Rule.ReplicationTimeValueProperty(minutes=15)
                    ),
                ),
            )
        ],
    )

"""The other region: where copies of the bucket and of the database's backups lie."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from laydown_infra.config import StageConfig

_KEPT = Duration.days(30)
"""For which an object that was deleted or overwritten at home can still be had here."""


def bucket_name(stage: StageConfig) -> str:
    """Return what the bucket of copies is called; fixed, so that no stack must ask another."""
    return f"{stage.prefix}-copies-{stage.account}"


def vault_arn(stage: StageConfig, region: str) -> str:
    """Return where backups are copied to."""
    return f"arn:aws:backup:{region}:{stage.account}:backup-vault:{stage.prefix}"


def key_alias(stage: StageConfig) -> str:
    """Return the alias of the key that encrypts what is here."""
    return f"alias/{stage.prefix}-copies"


class CopiesStack(Stack):
    """A bucket that objects are replicated to, and a vault for backups of the ledger."""

    def __init__(self, scope: Construct, id: str, *, stage: StageConfig, region: str) -> None:
        super().__init__(
            scope,
            id,
            env={"account": stage.account, "region": region},
            termination_protection=stage.is_protected,
        )
        self.key = kms.Key(
            self,
            "Key",
            alias=key_alias(stage),
            description="laydown: copies from another region",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.bucket = s3.Bucket(
            self,
            "Objects",
            bucket_name=bucket_name(stage),
            versioned=True,  # replication wants it
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="what-is-gone-at-home",
                    expired_object_delete_marker=True,
                    noncurrent_version_expiration=_KEPT,
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                ),
                s3.LifecycleRule(
                    id="rarely-read",
                    object_size_greater_than=128 * 1024,
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
                            transition_after=Duration.days(1),
                        )
                    ],
                ),
            ],
        )
        backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=stage.prefix,
            encryption_key=self.key,
            removal_policy=RemovalPolicy.RETAIN,
            block_recovery_point_deletion=stage.is_protected,
        )

"""Postgres: the ledger, its key, and its backups."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from constructs import Construct

from laydown_infra.config import StageConfig
from laydown_infra.copies import vault_arn
from laydown_infra.environment import DATABASE, DATABASE_PORT, OWNER
from laydown_infra.network import NetworkStack

_ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of("17.6", "17"))


class DataStack(Stack):
    """What must outlive everything else, together with the bucket."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: StageConfig,
        network: NetworkStack,
    ) -> None:
        super().__init__(scope, id, termination_protection=stage.is_protected)
        self._stage = stage
        self._fate = RemovalPolicy.RETAIN if stage.is_protected else RemovalPolicy.DESTROY
        self.key = kms.Key(
            self,
            "Key",
            description="laydown: the ledger and its backups",
            enable_key_rotation=True,
            removal_policy=self._fate,
        )
        # RDS would make it by itself, to be kept for ever.
        said = logs.LogGroup(
            self,
            "Said",
            log_group_name=f"/aws/rds/instance/{stage.prefix}/postgresql",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.database = self._make_database(network)
        self.database.node.add_dependency(said)
        self._back_up()

    def _make_database(self, network: NetworkStack) -> rds.DatabaseInstance:
        size = self._stage.database
        return rds.DatabaseInstance(
            self,
            "Ledger",
            engine=_ENGINE,
            vpc=network.vpc,
            vpc_subnets=network.data_subnets,
            security_groups=[network.database],
            port=DATABASE_PORT,
            database_name=DATABASE,
            instance_type=ec2.InstanceType(size.instance),
            multi_az=size.multi_az,
            storage_type=rds.StorageType.GP3,
            allocated_storage=size.storage,
            max_allocated_storage=size.storage_most,
            storage_encrypted=True,
            storage_encryption_key=self.key,
            # RDS makes the owner's password, keeps it in Secrets Manager and changes it every
            # week, without a function of ours. Api and worker log in with IAM and have none.
            credentials=rds.Credentials.from_username(OWNER, encryption_key=self.key),
            manage_master_user_password=True,
            iam_authentication=True,
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            parameter_group=rds.ParameterGroup(
                self,
                "Parameters",
                engine=_ENGINE,
                parameters={
                    "rds.force_ssl": "1",
                    "rds.logical_replication": "1",  # the way back to the old system's database
                    "max_connections": str(size.connections),
                    "log_min_duration_statement": "1000",  # ms: what is slow is worth a line
                    "log_lock_waits": "1",
                    "track_io_timing": "1",
                },
            ),
            backup_retention=Duration.days(size.backup_days),
            preferred_backup_window="02:00-03:00",
            preferred_maintenance_window="sun:03:30-sun:04:30",
            auto_minor_version_upgrade=True,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not self._stage.is_protected,
            deletion_protection=self._stage.is_protected,
            removal_policy=self._fate,
            enable_performance_insights=True,
            performance_insight_encryption_key=self.key,
            monitoring_interval=Duration.seconds(60),
            instance_identifier=self._stage.prefix,
            cloudwatch_logs_exports=["postgresql"],
        )

    def _back_up(self) -> None:
        """Keep a copy a day beside the point-in-time recovery, and one in another region."""
        vault = backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=self._stage.prefix,
            encryption_key=self.key,
            removal_policy=self._fate,
            # Whoever can delete the database can't delete its copies as well.
            block_recovery_point_deletion=self._stage.is_protected,
        )
        plan = backup.BackupPlan(self, "Daily", backup_vault=vault)
        kept = Duration.days(35)
        abroad = self._stage.copy_region
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="daily",
                # AWS Backup can't begin in the maintenance window, nor in the hour before it.
                schedule_expression=events.Schedule.cron(hour="6", minute="0"),
                start_window=Duration.hours(1),
                completion_window=Duration.hours(4),
                delete_after=kept,
                copy_actions=[
                    backup.BackupPlanCopyActionProps(
                        destination_backup_vault=backup.BackupVault.from_backup_vault_arn(
                            self, "VaultAbroad", vault_arn(self._stage, abroad)
                        ),
                        delete_after=kept,
                    )
                ]
                if abroad
                else None,
            )
        )
        plan.add_selection(
            "Ledger", resources=[backup.BackupResource.from_rds_database_instance(self.database)]
        )

"""The tasks: what runs in them, and what each may touch.

One image, three commands. A task's role is written out by what laydown does with it, and a test
holds that nothing wider than these is granted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager

from laydown_infra import collector
from laydown_infra.config import Fleet, Provider, StageConfig
from laydown_infra.environment import CLIENT_SECRET, LOGIN, MASTER_PASSWORD
from laydown_infra.images import ImagesStack

USER = "10001:10001"
"""Nobody in particular, as the image has it."""

_WRITABLE = {"data": "/data", "tmp": "/tmp"}  # noqa: S108 - a volume of the task's own
"""All that a task may write to; it is gone with the task. The root file system is read-only."""

_TO_STOP = Duration.seconds(110)
"""More than LAYDOWN_DRAIN wants; Fargate gives 120 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One container of laydown's."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int | None = None
    is_traced: bool = True  # whether the collector runs beside it


class Tasks:
    """Makes the task definitions of one stack."""

    def __init__(self, stack: Stack, *, stage: StageConfig, images: ImagesStack) -> None:
        self._stack = stack
        self._stage = stage
        self._images = images

    @cached_property
    def _metrics(self) -> logs.LogGroup:
        """Where collectors write numbers; made where one runs."""
        return self._log_group("Metrics")

    def define(self, program: Program, size: Fleet) -> ecs.FargateTaskDefinition:
        """Return the task that runs *program*; its role may do nothing yet but report."""
        id = program.name.capitalize()
        task = ecs.FargateTaskDefinition(
            self._stack,
            f"{id}Task",
            family=f"{self._stage.prefix}-{program.name}",
            task_role=self._role(program.name, "task"),
            execution_role=self._role(program.name, "execution"),
            cpu=size.cpu,
            memory_limit_mib=size.memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        said = self._log_group(f"{id}Log")
        container = task.add_container(
            program.name,
            container_name=program.name,
            image=self._image(self._images.laydown, self._stage.image_tag),
            command=list(program.command),
            environment=dict(program.environment),
            user=USER,
            readonly_root_filesystem=True,
            linux_parameters=self._least(f"{id}Linux"),
            stop_timeout=_TO_STOP,
            logging=self._logging(said, program.name),
            health_check=_alive(program.port) if program.port else None,
            port_mappings=[ecs.PortMapping(container_port=program.port, name=program.name)]
            if program.port
            else [],
        )
        for name, path in _WRITABLE.items():
            task.add_volume(name=name)
            container.add_mount_points(
                ecs.MountPoint(container_path=path, source_volume=name, read_only=False)
            )
        if program.is_traced:
            self._put_collector_beside(task, said)
        return task

    def _put_collector_beside(self, task: ecs.FargateTaskDefinition, said: logs.LogGroup) -> None:
        task.add_container(
            "collector",
            container_name="collector",
            image=self._image(self._images.collector, collector.VERSION),
            essential=False,  # without it we are blind, which is no reason to stop
            environment={
                "AOT_CONFIG_CONTENT": collector.configuration(
                    region=self._stage.region,
                    namespace=self._stage.prefix,
                    log_group=self._metrics.log_group_name,
                )
            },
            user=USER,
            readonly_root_filesystem=True,
            linux_parameters=self._least(f"{task.node.id}CollectorLinux"),
            logging=self._logging(said, "collector"),
            cpu=64,
            memory_limit_mib=256,
        )
        task.add_to_task_role_policy(
            iam.PolicyStatement(
                sid="Traces",
                actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                resources=["*"],  # neither can be narrowed
            )
        )
        self._metrics.grant(
            task.task_role,
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        )

    def _role(self, program: str, kind: str) -> iam.Role:
        # Named, so that who deploys may be allowed to pass those of the migration and no others.
        return iam.Role(
            self._stack,
            f"{program.capitalize()}{kind.capitalize()}Role",
            role_name=f"{self._stage.prefix}-{program}-{kind}",
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com").with_conditions(
                {"StringEquals": {"aws:SourceAccount": self._stage.account}}
            ),
        )

    def _image(self, repository: ecr.Repository, tag: str) -> ecs.EcrImage:
        return ecs.ContainerImage.from_ecr_repository(repository, tag)

    def _least(self, id: str) -> ecs.LinuxParameters:
        parameters = ecs.LinuxParameters(self._stack, id, init_process_enabled=True)
        parameters.drop_capabilities(ecs.Capability.ALL)
        return parameters

    def _logging(self, group: logs.LogGroup, prefix: str) -> ecs.LogDriver:
        return ecs.LogDrivers.aws_logs(
            log_group=group,
            stream_prefix=prefix,
            mode=ecs.AwsLogDriverMode.NON_BLOCKING,  # a slow CloudWatch holds up nobody
        )

    def _log_group(self, id: str) -> logs.LogGroup:
        return logs.LogGroup(
            self._stack,
            id,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )


def allow_login(task: ecs.FargateTaskDefinition, database: rds.DatabaseInstance) -> None:
    """Let a task log in to Postgres with IAM, as laydown's login role and nobody else."""
    stack = Stack.of(task)
    task.add_to_task_role_policy(
        iam.PolicyStatement(
            sid="Login",
            actions=["rds-db:connect"],
            resources=[
                stack.format_arn(
                    service="rds-db",
                    resource="dbuser",
                    resource_name=f"{database.instance_resource_id}/{LOGIN}",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
        )
    )


def give_master_password(
    task: ecs.FargateTaskDefinition, database: rds.DatabaseInstance, key: kms.IKey
) -> None:
    """Let the migration's container have the password of the schema's owner, as a secret."""
    made_by_rds = database.secret
    assert made_by_rds is not None
    # By its ARN: the key's policy, in another stack, need not know the role that is let in here.
    secret = secretsmanager.Secret.from_secret_complete_arn(
        Stack.of(task), "MasterPassword", made_by_rds.secret_arn
    )
    container = task.default_container
    assert container is not None
    container.add_secret(MASTER_PASSWORD, ecs.Secret.from_secrets_manager(secret, "password"))
    task.add_to_execution_role_policy(
        iam.PolicyStatement(
            sid="ReadTheSecret",
            actions=["kms:Decrypt"],
            resources=[key.key_arn],
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"secretsmanager.{Stack.of(task).region}.amazonaws.com"
                }
            },
        )
    )


def give_client_secret(task: ecs.FargateTaskDefinition, provider: Provider) -> None:
    """Let the api's container have what proves it to the identity provider, as a secret."""
    if provider.secret is None:
        return
    secret = secretsmanager.Secret.from_secret_complete_arn(
        Stack.of(task), "ClientSecret", provider.secret
    )
    container = task.default_container
    assert container is not None
    container.add_secret(CLIENT_SECRET, ecs.Secret.from_secrets_manager(secret))


def _alive(port: int) -> ecs.HealthCheck:
    question = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/livez', timeout=4)"
    return ecs.HealthCheck(
        command=["CMD", "python", "-c", question],
        interval=Duration.seconds(10),
        timeout=Duration.seconds(5),
        retries=3,
        start_period=Duration.seconds(60),
    )

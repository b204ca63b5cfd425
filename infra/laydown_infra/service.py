"""What runs: the api behind a load balancer, and the workers."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from laydown_infra import environment, rights
from laydown_infra.config import StageConfig
from laydown_infra.data import DataStack
from laydown_infra.images import ImagesStack
from laydown_infra.ingest import IngestStack
from laydown_infra.migration import MigrationStack
from laydown_infra.network import NetworkStack
from laydown_infra.scaling import scale_api, scale_workers
from laydown_infra.tasks import Program, Tasks, allow_login, give_client_secret

_IDLE = Duration.seconds(120)
"""How long a connection may be silent: event streams speak every 15 s (LAYDOWN_EVENT_HEARTBEAT)."""

_BAKE = Duration.minutes(10)
"""How long both colours stay after the switch, watched by the alarms: going back is a moment."""

_TO_LEAVE = Duration.seconds(60)
"""How long a task that is leaving may finish its requests; streams reconnect and go on."""


_ASKED_EVERY = Duration.seconds(15)
_REFUSALS = 10
"""After so many answers that it is not ready a task is replaced: after two and a half minutes.

A failover of the database takes less. No task is ready meanwhile, and a new one would be no better;
one that is dead fails its container's own check, within half a minute."""


class ServiceStack(Stack):
    """Everything without memory: it can be deleted and made again, and nothing is lost.

    No service says how many tasks it wants: each deployment would set that again, in the middle of
    a spike. The scaling's least is what a new one grows to.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: StageConfig,
        network: NetworkStack,
        images: ImagesStack,
        data: DataStack,
        ingest: IngestStack,
        migration: MigrationStack,
    ) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self._network = network
        self._data = data
        self._ingest = ingest
        self._around = migration.around
        tasks = Tasks(self, stage=stage, images=images)
        self.cluster = migration.cluster
        self.balancer = self._make_balancer()
        self.alarms = self._make_alarms()
        self.api = self._make_api(tasks)
        self.worker = self._make_worker(tasks)
        scale_api(self.api, stage.api)
        scale_workers(self, self.worker, self.cluster, stage=stage, jobs=ingest.jobs)

    def _make_balancer(self) -> elb.ApplicationLoadBalancer:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=self._network.vpc,
            vpc_subnets=self._network.app_subnets,
            internet_facing=False,  # CloudFront comes in through a VPC origin, and nobody else does
            security_group=self._network.balancer,
            idle_timeout=_IDLE,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            deletion_protection=self._stage.is_protected,
            xff_header_processing_mode=elb.XffHeaderProcessingMode.APPEND,
        )
        kept = s3.Bucket(
            self,
            "BalancerLog",
            encryption=s3.BucketEncryption.S3_MANAGED,  # all that load balancers can write to
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=False,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        balancer.log_access_logs(kept, prefix="balancer")
        return balancer

    def _make_alarms(self) -> list[cloudwatch.Alarm]:
        """Return what tells that a new api is no good, while the old one is still there."""
        seen = self.balancer.metrics
        minute = Duration.minutes(1)
        failing = cloudwatch.Alarm(
            self,
            "ApiFails",
            alarm_name=f"{self._stage.prefix}-ApiFails",
            alarm_description="More than one request in a hundred is answered 5xx.",
            metric=cloudwatch.MathExpression(
                # With no task to ask, the balancer answers by itself and counts no request.
                expression=(
                    "IF(FILL(asked, 0) + FILL(unserved, 0) > 20, 100 * (FILL(failed, 0) + "
                    "FILL(unserved, 0)) / (FILL(asked, 0) + FILL(unserved, 0)), 0)"
                ),
                using_metrics={
                    "failed": seen.http_code_target(
                        elb.HttpCodeTarget.TARGET_5XX_COUNT, period=minute
                    ),
                    "unserved": seen.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=minute),
                    "asked": seen.request_count(period=minute),
                },
                period=minute,
            ),
            threshold=1,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        slow = cloudwatch.Alarm(
            self,
            "ApiSlow",
            alarm_name=f"{self._stage.prefix}-ApiSlow",
            alarm_description="One request in twenty takes longer than two seconds.",
            metric=seen.target_response_time(statistic="p95", period=minute),
            threshold=2,
            evaluation_periods=5,
            datapoints_to_alarm=4,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return [failing, slow]

    def _make_api(self, tasks: Tasks) -> ecs.FargateService:
        task = tasks.define(
            Program(
                name="api",
                command=["api"],
                environment=environment.api(self._around),
                port=environment.API_PORT,
            ),
            self._stage.api,
        )
        if self._stage.provider is not None:
            give_client_secret(task, self._stage.provider)
        allow_login(task, self._data.database)
        rights.grant_receiving(task.task_role, self._stage.files_arn, self._ingest.key)
        blue, green = self._target_group("Blue"), self._target_group("Green")
        rule = self._listen(blue, green)
        service = ecs.FargateService(
            self,
            "Api",
            service_name="api",
            cluster=self.cluster,
            task_definition=task,
            vpc_subnets=self._network.api_subnets,
            security_groups=[self._network.api],
            min_healthy_percent=100,
            max_healthy_percent=200,
            # The circuit breaker is for rolling deployments only, and no tool refuses both: a
            # test does. A switch is undone by the alarms (`monitoring.py`).
            deployment_strategy=ecs.DeploymentStrategy.BLUE_GREEN,
            bake_time=_BAKE,
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[alarm.alarm_name for alarm in self.alarms],
                behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
            ),
            health_check_grace_period=Duration.seconds(60),
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
        )
        target = service.load_balancer_target(
            container_name="api",
            container_port=environment.API_PORT,
            alternate_target=ecs.AlternateTarget(
                "Green",
                alternate_target_group=green,
                production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(rule),
            ),
        )
        target.attach_to_application_target_group(blue)
        return service

    def _target_group(self, id: str) -> elb.ApplicationTargetGroup:
        return elb.ApplicationTargetGroup(
            self,
            id,
            vpc=self._network.vpc,
            port=environment.API_PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            target_type=elb.TargetType.IP,
            deregistration_delay=_TO_LEAVE,
            load_balancing_algorithm_type=(
                elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS
            ),
            health_check=elb.HealthCheck(
                path="/readyz",
                interval=_ASKED_EVERY,
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=_REFUSALS,
            ),
        )

    def _listen(
        self, blue: elb.ApplicationTargetGroup, green: elb.ApplicationTargetGroup
    ) -> elb.ApplicationListenerRule:
        listener = self.balancer.add_listener(
            "Https",
            port=443,
            open=False,
            certificates=[
                acm.Certificate.from_certificate_arn(self, "Certificate", self._stage.certificate)
            ],
            ssl_policy=elb.SslPolicy.TLS13_RES,
            default_action=elb.ListenerAction.fixed_response(404),
        )
        return elb.ApplicationListenerRule(
            self,
            "Everything",
            listener=listener,
            priority=100,
            conditions=[elb.ListenerCondition.path_patterns(["/*"])],
            action=elb.ListenerAction.weighted_forward(
                [
                    elb.WeightedTargetGroup(target_group=blue, weight=100),
                    elb.WeightedTargetGroup(target_group=green, weight=0),
                ]
            ),
        )

    def _make_worker(self, tasks: Tasks) -> ecs.FargateService:
        task = tasks.define(
            Program(
                name="worker",
                command=["worker"],
                environment=environment.worker(self._around),
                port=environment.WORKER_PORT,
            ),
            self._stage.worker,
        )
        allow_login(task, self._data.database)
        rights.grant_proving(task.task_role, self._stage.files_arn, self._ingest.key)
        rights.grant_working(task.task_role, self._ingest.jobs, self._ingest.notices)
        return ecs.FargateService(
            self,
            "Worker",
            service_name="worker",
            cluster=self.cluster,
            task_definition=task,
            vpc_subnets=self._network.app_subnets,
            security_groups=[self._network.worker],
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            # Those that must be there are not Spot's to take; the rest may go at any time, and
            # their jobs are taken up by others.
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(
                    capacity_provider="FARGATE", base=self._stage.worker.least, weight=1
                ),
                ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=3),
            ],
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
        )

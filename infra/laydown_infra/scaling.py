"""How many tasks run: the api by its load, workers by what waits and by what has been announced.

A batch says how many files it has before the first byte comes. Starting workers on that number
hides the minute that a task needs to start (docs/decisions, and the simulation in the proposal).
"""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from laydown_infra.collector import ANNOUNCED, DIMENSION
from laydown_infra.config import Fleet, StageConfig

_BUSY = 55  # percent of CPU: what a deployment or a lost zone leaves is enough
_OUT = 60  # seconds before more are started again
_IN = 300  # seconds before some are stopped

_Policy = autoscaling.CfnScalingPolicy


def scale_api(api: ecs.FargateService, fleet: Fleet) -> None:
    """Keep the api's CPU at about half."""
    count = api.auto_scale_task_count(min_capacity=fleet.least, max_capacity=fleet.most)
    count.scale_on_cpu_utilization(
        "Busy",
        target_utilization_percent=_BUSY,
        scale_out_cooldown=Duration.seconds(_OUT),
        scale_in_cooldown=Duration.seconds(_IN),
    )


def scale_workers(
    scope: Construct,
    worker: ecs.FargateService,
    cluster: ecs.ICluster,
    *,
    stage: StageConfig,
    jobs: sqs.IQueue,
) -> None:
    """Keep what waits for each worker below its bounds; of two policies the larger fleet wins."""
    count = worker.auto_scale_task_count(
        min_capacity=stage.worker.least, max_capacity=stage.worker.most
    )
    target = count.node.find_child("Target")
    assert isinstance(target, autoscaling.ScalableTarget)
    running = _stat(
        "running",
        "ECS/ContainerInsights",
        "RunningTaskCount",
        {"ClusterName": cluster.cluster_name, "ServiceName": worker.service_name},
    )
    waiting = _stat(
        "waiting",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": jobs.queue_name},
    )
    announced = _stat("announced", stage.prefix, ANNOUNCED.metric, DIMENSION)
    for id, what, bound in (
        ("Backlog", waiting, stage.backlog_per_worker),
        ("Announced", announced, stage.announced_per_worker),
    ):
        # The construct for target tracking takes no metric maths; CloudFormation does.
        _Policy(
            scope,
            id,
            policy_name=f"{stage.prefix}-{id.lower()}",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.scalable_target_id,
            target_tracking_scaling_policy_configuration=_Policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=bound,
                scale_out_cooldown=_OUT,
                scale_in_cooldown=_IN,
                customized_metric_specification=_Policy.CustomizedMetricSpecificationProperty(
                    metrics=[
                        what,
                        running,
                        _Policy.TargetTrackingMetricDataQueryProperty(
                            id="each",
                            expression=f"{what.id} / FILL(running, 1)",
                            label=f"{what.id} for each worker",
                            return_data=True,
                        ),
                    ]
                ),
            ),
        )


def _stat(
    id: str,
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
) -> autoscaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty:
    return _Policy.TargetTrackingMetricDataQueryProperty(
        id=id,
        return_data=False,
        metric_stat=_Policy.TargetTrackingMetricStatProperty(
            stat="Maximum",
            metric=_Policy.TargetTrackingMetricProperty(
                namespace=namespace,
                metric_name=name,
                dimensions=[
                    _Policy.TargetTrackingMetricDimensionProperty(name=key, value=value)
                    for key, value in dimensions.items()
                ],
            ),
        ),
    )

"""What comes before a release is switched to: the task that changes the schema, and its cluster.

A stack of its own, because it has to run with the new image while the services still have the old
one: `deploy.yml` deploys this stack, runs the task, and only then deploys the services.
"""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from laydown_infra import environment
from laydown_infra.config import Fleet, StageConfig
from laydown_infra.data import DataStack
from laydown_infra.images import ImagesStack
from laydown_infra.network import NetworkStack
from laydown_infra.tasks import Program, Tasks, give_master_password


class MigrationStack(Stack):
    """The cluster of everything that runs, and the task that runs once a release."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: StageConfig,
        network: NetworkStack,
        images: ImagesStack,
        data: DataStack,
        around: environment.Surroundings,
    ) -> None:
        super().__init__(scope, id)
        self.around = around
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=stage.prefix,
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENHANCED,
            enable_fargate_capacity_providers=True,
        )
        task = Tasks(self, stage=stage, images=images).define(
            Program(
                name="migrate",
                command=["migrate", "--login", environment.LOGIN],
                environment=environment.migrate(around),
                is_traced=False,
            ),
            Fleet(cpu=256, memory=512, least=0, most=1),
        )
        give_master_password(task, data.database, data.key)
        # For the workflow that runs it from CDK's file of outputs; the network says the rest.
        CfnOutput(self, "MigrationTask", value=task.task_definition_arn)

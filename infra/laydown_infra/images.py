"""Where images come from: two repositories of our own, nothing from the internet at run time."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from constructs import Construct

from laydown_infra.config import StageConfig

_UNTAGGED_FOR = Duration.days(14)
_RELEASES = 50  # that can be rolled back to


class ImagesStack(Stack):
    """The repositories of laydown's image and of the collector that runs beside it.

    The collector is mirrored by the release workflow. A pull-through cache would not do: its first
    pull of an image needs a way to the internet, which the app subnets do not have.
    """

    def __init__(self, scope: Construct, id: str, *, stage: StageConfig) -> None:
        super().__init__(scope, id, termination_protection=stage.is_protected)
        self._stage = stage
        self._key = kms.Key(
            self,
            "Key",
            description="laydown: images",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.laydown = self._repository("Laydown", stage.prefix)
        self.collector = self._repository("Collector", f"{stage.prefix}-collector")

    def _repository(self, id: str, name: str) -> ecr.Repository:
        return ecr.Repository(
            self,
            id,
            repository_name=name,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=self._key,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                ecr.LifecycleRule(
                    rule_priority=1,
                    tag_status=ecr.TagStatus.UNTAGGED,
                    max_image_age=_UNTAGGED_FOR,
                ),
                # A release's manifests and attestations are untagged images, and none of the count.
                ecr.LifecycleRule(
                    rule_priority=2,
                    tag_status=ecr.TagStatus.TAGGED,
                    tag_pattern_list=["*"],
                    max_image_count=_RELEASES,
                ),
            ],
        )

"""Who may deploy: one repository's workflows on GitHub, in one environment, without any key."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from laydown_infra.config import StageConfig
from laydown_infra.images import ImagesStack

_ISSUER = "token.actions.githubusercontent.com"


class DeployerStack(Stack):
    """GitHub's identity provider, and the two roles that its workflows may take.

    The account's CDK bootstrap has roles that may change stacks; ours may only take those, and
    run the migration, which no stack does. Releasing may only push images.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: StageConfig,
        images: ImagesStack,
    ) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self._github = iam.OidcProviderNative(
            self, "GitHub", url=f"https://{_ISSUER}", client_ids=["sts.amazonaws.com"]
        )
        self.releaser = self._role("releaser", "Pushes images")
        for repository in (images.laydown, images.collector):
            repository.grant_pull_push(self.releaser)
        self.deployer = self._role("deployer", "Deploys stacks and migrates the database")
        self.deployer.add_to_policy(
            iam.PolicyStatement(
                sid="TakeTheRolesOfTheBootstrap",
                actions=["sts:AssumeRole"],
                resources=[f"arn:aws:iam::{stage.account}:role/cdk-*"],
                conditions={
                    "StringEquals": {
                        "iam:ResourceTag/aws-cdk:bootstrap-role": [
                            "deploy",
                            "file-publishing",
                            "lookup",
                        ]
                    }
                },
            )
        )
        self._allow_migrating()

    def _allow_migrating(self) -> None:
        stage = self._stage
        place = f"{stage.region}:{stage.account}"
        self.deployer.add_to_policy(
            iam.PolicyStatement(
                sid="RunTheMigration",
                actions=["ecs:RunTask"],
                resources=[f"arn:aws:ecs:{place}:task-definition/{stage.prefix}-migrate:*"],
                conditions={
                    "ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{place}:cluster/{stage.prefix}"}
                },
            )
        )
        self.deployer.add_to_policy(
            iam.PolicyStatement(
                sid="WatchIt",
                actions=["ecs:DescribeTasks"],
                resources=[f"arn:aws:ecs:{place}:task/{stage.prefix}/*"],
            )
        )
        self.deployer.add_to_policy(
            iam.PolicyStatement(
                sid="GiveItItsRoles",
                actions=["iam:PassRole"],
                resources=[f"arn:aws:iam::{stage.account}:role/{stage.prefix}-migrate-*"],
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            )
        )

    def _role(self, name: str, purpose: str) -> iam.Role:
        subject = f"repo:{self._stage.repository}:environment:{self._stage.name}"
        return iam.Role(
            self,
            name.capitalize(),
            role_name=f"{self._stage.prefix}-{name}",
            description=purpose,
            max_session_duration=Duration.hours(1),
            assumed_by=iam.OpenIdConnectPrincipal(self._github).with_conditions(
                {
                    "StringEquals": {
                        f"{_ISSUER}:aud": "sts.amazonaws.com",
                        f"{_ISSUER}:sub": subject,
                    }
                }
            ),
        )

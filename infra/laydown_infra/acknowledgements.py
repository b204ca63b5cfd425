"""What cdk-nag and the CDK find and we looked at: each with the reason why it is right here."""

from aws_cdk import Acknowledgment, Validations
from constructs import Construct, IConstruct

from laydown_infra.cell import Cell
from laydown_infra.copies import bucket_name
from laydown_infra.rights import OBJECTS


def acknowledge(cell: Cell) -> None:
    """Tell both what has been decided about a cell."""
    _about_network(cell)
    _about_ingest(cell)
    _about_data(cell)
    _about_service(cell)
    _about_deployer(cell)
    _about_edge(cell)
    if cell.copies is not None:
        _accept(cell.copies, "Objects", "AwsSolutions-S1", "S3 is its only writer, people none")
        _accept(cell.copies, "Objects", "CloudFormation-Validate::W9003", _NUMBER)
    if not cell.config.is_protected:
        why = "a stage that can be made again from nothing"
        _accept(cell.data, "Ledger", "AwsSolutions-RDS10", why)
        _accept(cell.data, "Ledger", "AwsSolutions-RDS3", why)


_NUMBER = "the CDK writes a number where CloudFormation takes a number or text"
_NO_RESOURCES = "neither X-Ray's puts nor ecr:GetAuthorizationToken can be narrowed to resources"


def _about_network(cell: Cell) -> None:
    why = "which zones a stage uses is its configuration: it must not change with the account"
    _accept(cell.network, "Vpc", "CloudFormation-Validate::W3010", why)


def _about_ingest(cell: Cell) -> None:
    stage = cell.config
    objects = f"{stage.files_arn}/{OBJECTS}"
    _accept(cell.ingest, "Files", "CloudFormation-Validate::W9003", _NUMBER)
    if cell.ingest.scan_role is not None:
        _accept(cell.ingest, "Scanner", _wildcard(objects), "it scans every object of laydown's")
        rule = (
            f"arn:aws:events:{stage.region}:{stage.account}:rule/"
            "DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*"
        )
        _accept(cell.ingest, "Scanner", _wildcard(rule), "GuardDuty names its rule so")
    if stage.copy_region:
        why = "every object of laydown's is copied"
        abroad = f"arn:aws:s3:::{bucket_name(stage)}/{OBJECTS}"
        key = f"arn:aws:kms:{stage.copy_region}:{stage.account}:key/*"
        _accept(cell.ingest, "Replication", _wildcard(objects), why)
        _accept(cell.ingest, "Replication", _wildcard(abroad), why)
        _accept(cell.ingest, "Replication", _wildcard(key), "a condition names the key's alias")


def _about_data(cell: Cell) -> None:
    _accept(
        cell.data,
        "Ledger",
        "AwsSolutions-RDS11",
        "who gets to the port is decided by security groups, not by guessing it",
    )
    for child, policy in (
        ("Ledger", "AmazonRDSEnhancedMonitoringRole"),
        ("Daily", "AWSBackupServiceRolePolicyForBackup"),
    ):
        _accept(
            cell.data, child, _managed(f"service-role/{policy}"), "AWS keeps it for its service"
        )


def _about_service(cell: Cell) -> None:
    service, objects = cell.service, f"{cell.config.files_arn}/{OBJECTS}"
    for stack, name in ((service, "Api"), (service, "Worker"), (cell.migration, "Migrate")):
        why = "what is there is no secret: a test holds the variables to a list"
        _accept(stack, f"{name}Task", "AwsSolutions-ECS2", why)
        _accept(stack, f"{name}ExecutionRole", _wildcard("*"), _NO_RESOURCES)
    for name in ("Api", "Worker"):
        _accept(service, f"{name}TaskRole", _wildcard("*"), _NO_RESOURCES)
        _accept(
            service, f"{name}TaskRole", _wildcard(objects), "it serves every object of laydown's"
        )
    _accept(
        service,
        "Api",
        _managed("AmazonECSInfrastructureRolePolicyForLoadBalancers"),
        "what AWS asks for to shift traffic between two colours",
    )
    _accept(
        service,
        "Api",
        "Annotation::@aws-cdk/aws-ecs:shouldUseCircuitBreaker",
        "it is for rolling deployments: blue/green goes back on alarms and while it bakes",
    )
    _accept(service, "BalancerLog", "AwsSolutions-S1", "it is the log")


def _about_deployer(cell: Cell) -> None:
    stage = cell.config
    place = f"{stage.region}:{stage.account}"
    _accept(cell.deployer, "Releaser", _wildcard("*"), _NO_RESOURCES)
    for resource, why in (
        (f"arn:aws:iam::{stage.account}:role/cdk-*", "a condition narrows it to the bootstrap's"),
        (f"arn:aws:ecs:{place}:task-definition/{stage.prefix}-migrate:*", "every revision of it"),
        (f"arn:aws:ecs:{place}:task/{stage.prefix}/*", "tasks have ids that nobody knows before"),
        (f"arn:aws:iam::{stage.account}:role/{stage.prefix}-migrate-*", "its two roles"),
    ):
        _accept(cell.deployer, "Deployer", _wildcard(resource), why)


def _about_edge(cell: Cell) -> None:
    _accept(cell.edge, "Log", "AwsSolutions-S1", "it is the log")
    _accept(
        cell.edge, "Distribution", "AwsSolutions-CFR1", "people travel, and deliver from anywhere"
    )


def _wildcard(resource: str) -> str:
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def _managed(policy: str) -> str:
    return f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]"


def _accept(stack: Construct, child: str, finding: str, reason: str) -> None:
    place: IConstruct = stack.node.find_child(child)
    Validations.of(place).acknowledge(Acknowledgment(id=finding, reason=reason))

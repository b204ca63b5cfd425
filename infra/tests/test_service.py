"""What runs, and what each of it may touch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laydown_infra.ingest import SCAN_TAG
from tests.conftest import Templates
from tests.reading import actions, only, resources, statements, texts


def test_only_one_service_has_the_circuit_breaker(templates: Templates, cell: str) -> None:
    """Blue/green goes back on alarms; the breaker beside it is refused, but by no tool."""
    services = resources(templates[f"{cell}-service"], "AWS::ECS::Service")
    found = {
        service["ServiceName"]: (
            service["DeploymentConfiguration"].get("Strategy", "ROLLING"),
            service["DeploymentConfiguration"].get("DeploymentCircuitBreaker", {}).get("Enable"),
        )
        for service in services.values()
    }
    assert found == {"api": ("BLUE_GREEN", None), "worker": ("ROLLING", True)}


def test_a_deployment_takes_no_task_from_a_spike(templates: Templates, cell: str) -> None:
    """How many tasks there are is the scaling's to say, not the template's."""
    for service in resources(templates[f"{cell}-service"], "AWS::ECS::Service").values():
        assert "DesiredCount" not in service


def test_a_failover_of_the_database_replaces_no_task(templates: Templates, cell: str) -> None:
    """Nobody is ready for up to two minutes, and new tasks would be no better."""
    groups = resources(templates[f"{cell}-service"], "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert len(groups) == 2
    for group in groups.values():
        assert group["HealthCheckIntervalSeconds"] * group["UnhealthyThresholdCount"] > 120


def test_an_api_that_is_not_there_at_all_fails(templates: Templates, cell: str) -> None:
    """The balancer's own answers are no task's, and it counts no request to which it gives one."""
    (alarm,) = (
        each
        for each in resources(templates[f"{cell}-service"], "AWS::CloudWatch::Alarm").values()
        if each["AlarmName"].endswith("ApiFails")
    )
    seen = {
        query["Id"]: query["MetricStat"]["Metric"]["MetricName"]
        for query in alarm["Metrics"]
        if "MetricStat" in query
    }
    assert seen == {
        "failed": "HTTPCode_Target_5XX_Count",
        "unserved": "HTTPCode_ELB_5XX_Count",
        "asked": "RequestCount",
    }


def test_what_is_mounted_to_be_written_is_a_volume_of_the_image(
    templates: Templates, cell: str
) -> None:
    """Fargate gives it to the image's user only then, and to root otherwise."""
    image = (Path(__file__).parents[2] / "deploy" / "Dockerfile").read_text()
    (said,) = (line for line in image.splitlines() if line.startswith("VOLUME "))
    for task in resources(templates[f"{cell}-service"], "AWS::ECS::TaskDefinition").values():
        mounted = {
            point["ContainerPath"]
            for container in task["ContainerDefinitions"]
            for point in container.get("MountPoints", [])
        }
        assert mounted == set(json.loads(said.removeprefix("VOLUME ")))


def test_no_task_can_write_to_its_image_or_is_root(templates: Templates, cell: str) -> None:
    """Every container has a read-only root, no capability and a number for its user."""
    tasks = _tasks(templates, cell)
    containers = [each for task in tasks.values() for each in task["ContainerDefinitions"]]
    assert len(containers) == 5
    for container in containers:
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == "10001:10001"
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}


def test_tasks_run_on_graviton(templates: Templates, cell: str) -> None:
    """The image is built for arm64 alone."""
    for task in _tasks(templates, cell).values():
        assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"


def test_a_stopping_task_has_longer_than_it_needs(templates: Templates, cell: str) -> None:
    """LAYDOWN_DRAIN is 20 s; Fargate kills after 120 at the latest."""
    for task in _tasks(templates, cell).values():
        ours = task["ContainerDefinitions"][0]
        assert 20 < ours["StopTimeout"] <= 120


def test_no_variable_holds_a_secret(templates: Templates, cell: str) -> None:
    """What is one comes as an ECS secret: the owner's password, and the api's at the provider."""
    tasks = _tasks(templates, cell)
    secret = {
        container["Name"]: [given["Name"] for given in container.get("Secrets", [])]
        for task in tasks.values()
        for container in task["ContainerDefinitions"]
    }
    provider = {"api": ["LAYDOWN_OIDC_CLIENT_SECRET"]} if "production" in cell else {}
    assert {name: given for name, given in secret.items() if given} == {
        "migrate": ["LAYDOWN_DATABASE_PASSWORD"],
        **provider,
    }
    for task in tasks.values():
        said = json.dumps([each.get("Environment") for each in task["ContainerDefinitions"]])
        assert "resolve:secretsmanager" not in said
        assert "password=" not in said


def test_the_api_can_neither_delete_nor_tag(templates: Templates, cell: str) -> None:
    """It signs, serves and sees which parts came; all else is the worker's."""
    granted = _granted(templates, cell, "ApiTaskRole")
    assert {action for action in granted if action.startswith("s3:")} == {
        "s3:PutObject",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:ListBucket",
    }
    assert not [action for action in granted if action.startswith("sqs:")]


def test_nobody_of_ours_can_set_the_scanners_tag(templates: Templates, cell: str) -> None:
    """Only the worker tags, and only with laydown's own tag."""
    allowing = {
        name: statement
        for name in ("ApiTaskRole", "WorkerTaskRole")
        for statement in statements(
            templates[f"{cell}-service"], "AWS::IAM::Policy", f"{name}DefaultPolicy"
        )
        if any("Tagging" in action and "Put" in action for action in actions(statement))
    }
    assert list(allowing) == ["WorkerTaskRole"]
    condition = allowing["WorkerTaskRole"]["Condition"]
    assert condition == {
        "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["laydown-verdict"]},
        "Null": {"s3:RequestObjectTagKeys": "false"},
    }
    assert SCAN_TAG not in json.dumps(condition)


def test_no_role_of_a_task_has_a_wildcard_action(templates: Templates, cell: str) -> None:
    """Every action is spelt; `*` as resource is only for what can't be narrowed."""
    for name, policy in resources(templates[f"{cell}-service"], "AWS::IAM::Policy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert not [action for action in actions(statement) if "*" in action], name
            if "*" in texts(statement["Resource"]):
                assert actions(statement) <= {
                    "ecr:GetAuthorizationToken",
                    "xray:PutTraceSegments",
                    "xray:PutTelemetryRecords",
                }, name


def test_idle_streams_outlive_the_balancer(templates: Templates, cell: str) -> None:
    """An event stream speaks every 15 s: nothing between may take that for silence."""
    balancer = only(templates[f"{cell}-service"], "AWS::ElasticLoadBalancingV2::LoadBalancer")
    given = {each["Key"]: each["Value"] for each in balancer["LoadBalancerAttributes"]}
    assert int(given["idle_timeout.timeout_seconds"]) > 2 * 15
    assert balancer["Scheme"] == "internal"
    assert given["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert given["access_logs.s3.enabled"] == "true"


def test_workers_follow_the_backlog_and_what_is_announced(templates: Templates, cell: str) -> None:
    """Two policies, each a number for every worker that runs."""
    policies = resources(templates[f"{cell}-service"], "AWS::ApplicationAutoScaling::ScalingPolicy")
    measured = {
        policy["PolicyName"]: [
            query["MetricStat"]["Metric"]["MetricName"]
            for query in policy["TargetTrackingScalingPolicyConfiguration"][
                "CustomizedMetricSpecification"
            ]["Metrics"]
            if "MetricStat" in query
        ]
        for policy in policies.values()
        if "CustomizedMetricSpecification"
        in policy.get("TargetTrackingScalingPolicyConfiguration", {})
    }
    assert measured == {
        f"{cell}-backlog": ["ApproximateNumberOfMessagesVisible", "RunningTaskCount"],
        f"{cell}-announced": ["laydown_announced_files", "RunningTaskCount"],
    }


def test_the_migration_can_run_before_the_services_change(templates: Templates, cell: str) -> None:
    """Its stack names nothing of theirs, and says what whoever runs it has to know."""
    template = templates[f"{cell}-migration"]
    assert not resources(template, "AWS::ECS::Service")
    assert f"{cell}-service" not in list(texts(template))
    assert "MigrationTask" in template["Outputs"]
    where = set(templates[f"{cell}-network"]["Outputs"])
    assert {"MigrationGroup", "MigrationSubnet0", "MigrationSubnet1"} <= where


def _tasks(templates: Templates, cell: str) -> Mapping[str, Mapping[str, Any]]:
    """Return every task definition of a cell."""
    found: dict[str, Mapping[str, Any]] = {}
    for stack in ("migration", "service"):
        found |= resources(templates[f"{cell}-{stack}"], "AWS::ECS::TaskDefinition")
    return found


def _granted(templates: Templates, cell: str, role: str) -> set[str]:
    found = statements(templates[f"{cell}-service"], "AWS::IAM::Policy", f"{role}DefaultPolicy")
    return {action for statement in found for action in actions(statement)}

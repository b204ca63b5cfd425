"""Who can speak to whom."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.conftest import Templates
from tests.reading import resources


def test_in_production_what_reads_files_has_no_way_out(templates: Templates) -> None:
    """No route of its subnets leads out of the VPC, and no rule of its group names the internet."""
    network = templates["laydown-production-c1-network"]
    for rule in _rules(network, "Egress"):
        assert "0.0.0.0/0" not in str(rule) or (_of(rule), rule["FromPort"]) == ("Api", 443)
    routes = resources(network, "AWS::EC2::Route")
    assert {name for name in routes if name.startswith(("Vpcapp", "Vpcdata"))} == set()
    assert {name[:9] for name, route in routes.items() if "GatewayId" in route} == {"Vpcpublic"}
    assert {name[:8] for name, route in routes.items() if "NatGatewayId" in route} == {"Vpcfront"}


def test_sign_ins_reach_the_provider(templates: Templates) -> None:
    """The api, and nothing else, is in the subnets that have a way out."""
    service = templates["laydown-production-c1-service"]
    placed = {
        each["ServiceName"]: {str(each["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"])}
        for each in resources(service, "AWS::ECS::Service").values()
    }
    assert all("Vpcfront" in where for where in placed["api"])
    assert all("Vpcapp" in where for where in placed["worker"])


def test_only_cloudfront_reaches_the_balancer(templates: Templates, cell: str) -> None:
    """Its group takes TLS from CloudFront's addresses, and nothing from anybody else."""
    network = templates[f"{cell}-network"]
    rules = [rule for rule in _rules(network, "Ingress") if _of(rule).startswith("Balancer")]
    assert [(rule["SourcePrefixListId"], rule["FromPort"]) for rule in rules] == [
        ("pl-3b927c52", 443)
    ]


@pytest.mark.parametrize(
    ("group", "sources"),
    [("Database", {"Api", "Worker", "Migration"}), ("Api", {"Balancer"}), ("Worker", set())],
)
def test_a_group_is_entered_by_those_and_no_others(
    templates: Templates, cell: str, group: str, sources: set[str]
) -> None:
    """Postgres by tasks, the api by the balancer, a worker by nobody."""
    rules = [rule for rule in _rules(templates[f"{cell}-network"], "Ingress") if _of(rule) == group]
    assert {_named(rule["SourceSecurityGroupId"]) for rule in rules} == sources


def test_the_endpoint_of_s3_leads_to_buckets_of_this_account(
    templates: Templates, cell: str
) -> None:
    """What a task was talked into sending elsewhere does not get there."""
    gateways = [
        endpoint
        for endpoint in resources(templates[f"{cell}-network"], "AWS::EC2::VPCEndpoint").values()
        if endpoint["VpcEndpointType"] == "Gateway"
    ]
    assert len(gateways) == 1
    for statement in gateways[0]["PolicyDocument"]["Statement"]:
        is_ours = "aws:ResourceAccount" in str(statement.get("Condition"))
        assert is_ours or "starport-layer-bucket" in str(statement["Resource"])


def test_refused_connections_are_logged(templates: Templates, cell: str) -> None:
    """For three months, so that somebody can look."""
    network = templates[f"{cell}-network"]
    assert [log["TrafficType"] for log in resources(network, "AWS::EC2::FlowLog").values()] == [
        "REJECT"
    ]
    assert [
        log["RetentionInDays"] for log in resources(network, "AWS::Logs::LogGroup").values()
    ] == [90]


def _rules(template: Mapping[str, Any], way: str) -> list[dict[str, Any]]:
    """Return the rules of all groups, those written into them included."""
    found = [
        {**rule, "GroupId": {"Fn::GetAtt": [name, "GroupId"]}}
        for name, group in resources(template, "AWS::EC2::SecurityGroup").items()
        for rule in group.get(f"SecurityGroup{way}", [])
    ]
    apart = resources(template, f"AWS::EC2::SecurityGroup{way}").values()
    return found + [dict(rule) for rule in apart]


def _of(rule: Mapping[str, Any]) -> str:
    return _named(rule["GroupId"])


def _named(reference: Mapping[str, Any]) -> str:
    """Return the group's name in the code: its logical id without the hash of eight."""
    return str(reference["Fn::GetAtt"][0])[:-8]

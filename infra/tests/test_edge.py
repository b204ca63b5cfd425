"""What the internet sees."""

from tests.conftest import Templates
from tests.reading import only


def test_nobody_gets_another_ones_answer(templates: Templates, cell: str) -> None:
    """Only the console's files are cached; answers of the API never are."""
    given = only(templates[f"{cell}-edge"], "AWS::CloudFront::Distribution")["DistributionConfig"]
    never = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS's policy CachingDisabled
    assert given["DefaultCacheBehavior"]["CachePolicyId"] == never
    assert [each["PathPattern"] for each in given["CacheBehaviors"]] == ["/assets/*"]


def test_everything_is_tls_and_to_one_origin(templates: Templates, cell: str) -> None:
    """People are redirected to TLS; the balancer is reached inside the VPC, with TLS as well."""
    edge = templates[f"{cell}-edge"]
    given = only(edge, "AWS::CloudFront::Distribution")["DistributionConfig"]
    for behavior in (given["DefaultCacheBehavior"], *given["CacheBehaviors"]):
        assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
        assert behavior["Compress"] is False
    origin = only(edge, "AWS::CloudFront::VpcOrigin")["VpcOriginEndpointConfig"]
    assert origin["OriginProtocolPolicy"] == "https-only"


def test_streams_are_not_taken_for_dead(templates: Templates, cell: str) -> None:
    """They speak every 15 s; CloudFront waits for longer."""
    given = only(templates[f"{cell}-edge"], "AWS::CloudFront::Distribution")["DistributionConfig"]
    for origin in given["Origins"]:
        assert origin["VpcOriginConfig"]["OriginReadTimeout"] > 2 * 15


def test_no_file_is_taken_for_an_attack(templates: Templates, cell: str) -> None:
    """Rules about bodies count, and those about names that people look for; all others block."""
    acl = only(templates[f"{cell}-edge"], "AWS::WAFv2::WebACL")
    counting = {
        override["Name"]
        for rule in acl["Rules"]
        for override in rule["Statement"]
        .get("ManagedRuleGroupStatement", {})
        .get("RuleActionOverrides", [])
        if override["ActionToUse"] == {"Count": {}}
    }
    assert "SizeRestrictions_BODY" in counting
    assert {name for name in counting if not name.endswith("_BODY")} == {
        "RestrictedExtensions_QUERYARGUMENTS"
    }
    assert acl["Scope"] == "CLOUDFRONT"


def test_no_secret_is_in_the_firewalls_log(templates: Templates, cell: str) -> None:
    """Tokens and sessions are left out."""
    logging = only(templates[f"{cell}-edge"], "AWS::WAFv2::LoggingConfiguration")
    hidden = {field["SingleHeader"]["Name"] for field in logging["RedactedFields"]}
    assert hidden == {"authorization", "cookie"}
    assert ":*" not in str(logging["LogDestinationConfigs"])

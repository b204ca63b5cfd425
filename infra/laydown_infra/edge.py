"""The edge: CloudFront and its web ACL in front of the load balancer.

Uploads do not pass here: they go to S3 straight, as do downloads, by URLs that live for minutes
(docs/decisions/0023). What passes is the console, whose files are cached, and the API, which isn't.
"""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from laydown_infra.config import StageConfig

_SILENCE = Duration.seconds(60)
"""Of the origin, before CloudFront gives up: event streams speak every 15 s, and a statement of
the database ends after 60."""

_REQUESTS = 20_000
"""Of one address in five minutes: a whole site office behind one router, with a push going on."""

_GROUPS = {
    "AWSManagedRulesAmazonIpReputationList": (),
    # 5,000 entries are 800 KB of JSON; laydown has its own limit for each body.
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "EC2MetaDataSSRF_BODY",
        "RestrictedExtensions_QUERYARGUMENTS",  # who looks for `survey.log` means no harm
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ),
}
"""Groups of rules of AWS's, and those of their rules that only count: nearly all about bodies.

Bodies are the names of people's files, and in forms the files. A drawing that looks like an attack
is to go in all the same.
"""

_Acl = waf.CfnWebACL


class EdgeStack(Stack):
    """What the internet sees."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: StageConfig,
        balancer: elb.ApplicationLoadBalancer,
    ) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self.acl = self._make_acl()
        self.distribution = self._make_distribution(balancer)

    def _make_distribution(self, balancer: elb.ApplicationLoadBalancer) -> cloudfront.Distribution:
        kept = s3.Bucket(
            self,
            "Log",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.OBJECT_WRITER,  # CloudFront's logs come with ACLs
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        origin = origins.VpcOrigin.with_application_load_balancer(
            balancer,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            read_timeout=_SILENCE,
            keepalive_timeout=_SILENCE,
        )
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{self._stage.prefix}: console and API",
            domain_names=[self._stage.domain],
            certificate=acm.Certificate.from_certificate_arn(
                self, "Certificate", self._stage.certificate
            ),
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            web_acl_id=self.acl.attr_arn,
            log_bucket=kept,
            log_file_prefix="edge/",
            # Answers depend on who asks, and CloudFront does not look at who that is.
            default_behavior=_behavior(origin, cloudfront.CachePolicy.CACHING_DISABLED),
            additional_behaviors={
                "/assets/*": _behavior(origin, cloudfront.CachePolicy.CACHING_OPTIMIZED)
            },
        )

    def _make_acl(self) -> waf.CfnWebACL:
        acl = _Acl(
            self,
            "Acl",
            name=self._stage.prefix,
            scope="CLOUDFRONT",
            default_action=_Acl.DefaultActionProperty(allow={}),
            visibility_config=_seen_as("everything"),
            rules=[
                *(
                    _managed(name, place, counting)
                    for place, (name, counting) in enumerate(_GROUPS.items())
                ),
                _Acl.RuleProperty(
                    name="too-many",
                    priority=len(_GROUPS),
                    action=_Acl.RuleActionProperty(
                        block=_Acl.BlockActionProperty(
                            custom_response=_Acl.CustomResponseProperty(response_code=429)
                        )
                    ),
                    statement=_Acl.StatementProperty(
                        rate_based_statement=_Acl.RateBasedStatementProperty(
                            limit=_REQUESTS, aggregate_key_type="IP", evaluation_window_sec=300
                        )
                    ),
                    visibility_config=_seen_as("too-many"),
                ),
            ],
        )
        kept = logs.LogGroup(
            self,
            "AclLog",
            log_group_name=f"aws-waf-logs-{self._stage.prefix}",  # WAF insists on the beginning
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        waf.CfnLoggingConfiguration(
            self,
            "AclLogging",
            resource_arn=acl.attr_arn,
            # WAF wants the group's ARN without the `:*` that its own attribute ends with.
            log_destination_configs=[
                self.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=kept.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            # A session or a token in a log is as good as the person.
            redacted_fields=[
                waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
                for name in ("authorization", "cookie")
            ],
        )
        return acl


def _behavior(
    origin: cloudfront.IOrigin, caching: cloudfront.ICachePolicy
) -> cloudfront.BehaviorOptions:
    return cloudfront.BehaviorOptions(
        origin=origin,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
        cache_policy=caching,
        origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER,
        compress=False,  # laydown sends its page compressed; streams must not be gathered
    )


def _managed(name: str, place: int, counting: tuple[str, ...]) -> waf.CfnWebACL.RuleProperty:
    return _Acl.RuleProperty(
        name=name,
        priority=place,
        override_action=_Acl.OverrideActionProperty(none={}),
        statement=_Acl.StatementProperty(
            managed_rule_group_statement=_Acl.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=name,
                rule_action_overrides=[
                    _Acl.RuleActionOverrideProperty(
                        name=rule, action_to_use=_Acl.RuleActionProperty(count={})
                    )
                    for rule in counting
                ]
                or None,
            )
        ),
        visibility_config=_seen_as(name),
    )


def _seen_as(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return _Acl.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )

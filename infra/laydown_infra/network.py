"""The network: where things stand, and who may speak to whom.

People come through CloudFront to a load balancer that has no address on the internet. In
production AWS's services are reached by endpoints, and what reads files has no way out: a worker
that was fooled by one can tell nobody. The api has one, because sign-ins need people's provider.
Every security group and every rule between them is here.
"""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from laydown_infra.config import Egress, StageConfig
from laydown_infra.environment import API_PORT, DATABASE_PORT

_ENDPOINTS = {
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrImages": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Secrets": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "Traces": ec2.InterfaceVpcEndpointAwsService.XRAY,
}
"""Metrics go out as logs, and S3 and SQS ask KMS themselves: neither needs an endpoint more."""


class NetworkStack(Stack):
    """The VPC, its endpoints and its security groups."""

    def __init__(self, scope: Construct, id: str, *, stage: StageConfig) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self.vpc = self._make_vpc()
        self.app_subnets = ec2.SubnetSelection(subnet_group_name="app")
        self.data_subnets = ec2.SubnetSelection(subnet_group_name="data")
        self.api_subnets = (
            ec2.SubnetSelection(subnet_group_name="front")
            if stage.api_goes_out
            else self.app_subnets
        )
        self._log_flows()

        self.balancer = self._group("Balancer", "Takes requests from CloudFront")
        self.api = self._group("Api", "Tasks of the api")
        self.worker = self._group("Worker", "Tasks that do jobs")
        self.migration = self._group("Migration", "The task that changes the schema")
        self.database = self._group("Database", "Postgres")
        self._allow()
        self._tell_where_to_migrate()
        self._open_s3()
        if stage.egress is Egress.ENDPOINTS:
            self._open_endpoints()

    def _make_vpc(self) -> ec2.Vpc:
        has_nat = self._stage.egress is Egress.NAT
        inside = ec2.SubnetType.PRIVATE_WITH_EGRESS if has_nat else ec2.SubnetType.PRIVATE_ISOLATED
        front = ec2.SubnetConfiguration(
            name="front", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=22
        )
        return ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(self._stage.cidr),
            availability_zones=list(self._stage.zones),
            # One, also in production: without it nobody signs in anew, and nothing else stops.
            nat_gateways=1 if has_nat or self._stage.api_goes_out else 0,
            # Nothing of ours uses the default group, and emptying it would take a Lambda function.
            restrict_default_security_group=False,
            subnet_configuration=[
                # Empty but for the NAT gateway. With them comes the internet
                # gateway, which CloudFront's way into a VPC asks for and never uses.
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(name="app", subnet_type=inside, cidr_mask=20),
                ec2.SubnetConfiguration(
                    name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
                *([front] if self._stage.api_goes_out else []),
            ],
        )

    def _log_flows(self) -> None:
        kept = logs.LogGroup(
            self,
            "RefusedFlows",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "Refused",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(kept),
            traffic_type=ec2.FlowLogTrafficType.REJECT,  # what is let through, S3 and ALB log
        )

    def _tell_where_to_migrate(self) -> None:
        """Say what the workflow needs that runs the migration's task."""
        CfnOutput(self, "MigrationGroup", value=self.migration.security_group_id)
        for index, subnet in enumerate(self.vpc.select_subnets(subnet_group_name="app").subnets):
            CfnOutput(self, f"MigrationSubnet{index}", value=subnet.subnet_id)

    def _group(self, name: str, purpose: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, name, vpc=self.vpc, description=purpose, allow_all_outbound=False
        )

    def _allow(self) -> None:
        https, postgres = ec2.Port.HTTPS, ec2.Port.tcp(DATABASE_PORT)
        self.balancer.add_ingress_rule(
            ec2.Peer.prefix_list(self._stage.prefix_lists.cloudfront), https, "CloudFront"
        )
        self._join(self.balancer, self.api, ec2.Port.tcp(API_PORT), "requests")
        for tasks in (self.api, self.worker, self.migration):
            self._join(tasks, self.database, postgres, "Postgres")
            tasks.add_egress_rule(
                ec2.Peer.prefix_list(self._stage.prefix_lists.s3), https, "S3, and image layers"
            )
            if self._stage.egress is Egress.NAT:
                tasks.add_egress_rule(ec2.Peer.any_ipv4(), https, "AWS, through the NAT gateway")
        if self._stage.api_goes_out:
            self.api.add_egress_rule(ec2.Peer.any_ipv4(), https, "The identity provider")

    def _join(
        self, who: ec2.SecurityGroup, whom: ec2.SecurityGroup, port: ec2.Port, what: str
    ) -> None:
        who.add_egress_rule(whom, port, what)
        whom.add_ingress_rule(who, port, what)

    def _open_s3(self) -> None:
        endpoint = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        everyone = iam.AnyPrincipal()  # roles decide who; this says where to
        endpoint.add_to_policy(
            iam.PolicyStatement(
                sid="BucketsOfThisAccount",
                principals=[everyone],
                actions=["s3:*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:ResourceAccount": self._stage.account}},
            )
        )
        endpoint.add_to_policy(
            iam.PolicyStatement(
                sid="LayersOfImages",
                principals=[everyone],
                actions=["s3:GetObject"],
                resources=[f"arn:aws:s3:::prod-{self._stage.region}-starport-layer-bucket/*"],
            )
        )

    def _open_endpoints(self) -> None:
        door = self._group("Endpoints", "Endpoints of AWS")
        for tasks in (self.api, self.worker, self.migration):
            self._join(tasks, door, ec2.Port.HTTPS, "Endpoints of AWS")
        for name, service in _ENDPOINTS.items():
            endpoint = self.vpc.add_interface_endpoint(
                name,
                service=service,
                subnets=self.app_subnets,
                security_groups=[door],
                private_dns_enabled=True,
                open=False,
            )
            endpoint.add_to_policy(
                iam.PolicyStatement(
                    sid="ByThisAccount",
                    principals=[iam.AnyPrincipal()],
                    actions=["*"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:PrincipalAccount": self._stage.account}},
                )
            )

"""Stages as typed values: everything in which one deployment of laydown differs from another.

Nothing here is secret. The account numbers, domains and certificates are examples until somebody
puts their own in; `infra/README.md` says which, and in what order. Both stages live in us-east-1,
where CloudFront wants its certificate and its web ACL. A cell elsewhere needs the stack `edge` made
there for it, which is not written.
"""

from dataclasses import dataclass
from enum import StrEnum


class Egress(StrEnum):
    """How what runs in the app subnets reaches AWS's own services."""

    ENDPOINTS = "endpoints"
    """Interface endpoints: what reads files, which may be hostile, has no way to the internet. The
    api has one, for sign-ins, if the stage has a provider. About 88 dollars a month for two zones,
    and 33 for the way out."""
    NAT = "nat"
    """One NAT gateway, for a stage that has to be cheap and holds nobody's only copy."""


class Scanner(StrEnum):
    """Who looks through files for malware, as `LAYDOWN_SCANNER` says it."""

    GUARDDUTY = "guardduty"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The OpenID Connect provider whose people are let in (docs/howto/oidc.md)."""

    issuer: str  # an https URL
    client_id: str
    secret: str | None  # ARN of the client's secret in Secrets Manager; None: PKCE alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How large the tasks of one service are, and how many of them there may be."""

    cpu: int  # CPU units; 1024 are one vCPU
    memory: int  # MiB
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSize:
    """The Postgres instance."""

    instance: str  # an RDS class without its `db.`, such as `t4g.medium`
    storage: int  # GiB at first
    storage_most: int  # GiB that it may grow to by itself
    multi_az: bool
    backup_days: int  # for which any second can be restored
    connections: int  # that it takes: about what RDS gives the class, 1 for 9.5 MB of its memory


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixLists:
    """Addresses of AWS's own; `aws ec2 describe-managed-prefix-lists` tells a region's ids."""

    s3: str  # com.amazonaws.REGION.s3
    cloudfront: str  # com.amazonaws.global.cloudfront.origin-facing


US_EAST_1 = PrefixLists(s3="pl-63a5400a", cloudfront="pl-3b927c52")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """One cell of laydown: its place, its sizes, and how much it is protected."""

    name: str
    cell: str
    account: str
    region: str
    zones: tuple[str, ...]
    cidr: str
    egress: Egress
    domain: str  # what people type
    certificate: str  # ARN, in the stage's region: CloudFront and the load balancer show it
    prefix_lists: PrefixLists
    page_origins: tuple[str, ...]  # pages of others that may send files; the domain is always one
    provider: Provider | None  # None: only tokens and links of laydown's own let anybody in
    scanner: Scanner
    database: DatabaseSize
    api: Fleet
    worker: Fleet
    backlog_per_worker: int  # jobs waiting for each worker that runs, above which more are started
    announced_per_worker: int  # files declared and not yet settled, likewise
    on_call: str  # an address for alarms
    monthly_budget: int  # dollars
    is_protected: bool  # nothing that holds data goes away with its stack, or by a slip
    copy_region: str | None  # where backups and objects are copied to
    repository: str  # on GitHub, the only one that may deploy: `owner/name`
    image_tag: str

    @property
    def prefix(self) -> str:
        """What every name begins with: `laydown-STAGE-CELL`."""
        return f"laydown-{self.name}-{self.cell}"

    @property
    def api_goes_out(self) -> bool:
        """Whether the api alone has a way to the internet: its people's provider is there."""
        return self.egress is Egress.ENDPOINTS and self.provider is not None

    @property
    def files_arn(self) -> str:
        """The bucket of people's files. Its name is fixed: it will never be replaced by another."""
        return f"arn:aws:s3:::{self.files_bucket}"

    @property
    def files_bucket(self) -> str:
        """The name of that bucket."""
        return f"{self.prefix}-files-{self.account}"


DEV = StageConfig(
    name="dev",
    cell="c1",
    account="111111111111",
    region="us-east-1",
    zones=("us-east-1a", "us-east-1b"),
    cidr="10.41.0.0/16",
    egress=Egress.NAT,
    domain="laydown.dev.example.com",
    certificate=(
        "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-0000-0000-000000000001"
    ),
    prefix_lists=US_EAST_1,
    page_origins=("http://localhost:5173",),
    provider=None,
    scanner=Scanner.GUARDDUTY,
    database=DatabaseSize(
        instance="t4g.micro",
        storage=20,
        storage_most=100,
        multi_az=False,
        backup_days=3,
        connections=110,
    ),
    api=Fleet(cpu=512, memory=1024, least=1, most=2),
    worker=Fleet(cpu=512, memory=1024, least=1, most=4),
    backlog_per_worker=600,
    announced_per_worker=2_500,
    on_call="laydown-dev@example.com",
    monthly_budget=250,
    is_protected=False,
    copy_region=None,
    repository="example/laydown",
    image_tag="unreleased",
)

PRODUCTION = StageConfig(
    name="production",
    cell="c1",
    account="222222222222",
    region="us-east-1",
    zones=("us-east-1a", "us-east-1b"),
    cidr="10.40.0.0/16",
    egress=Egress.ENDPOINTS,
    domain="laydown.example.com",
    certificate=(
        "arn:aws:acm:us-east-1:222222222222:certificate/00000000-0000-0000-0000-000000000002"
    ),
    prefix_lists=US_EAST_1,
    page_origins=(),
    provider=Provider(
        issuer="https://login.example.com",
        client_id="laydown",
        secret="arn:aws:secretsmanager:us-east-1:222222222222:secret:laydown-oidc-AbCdEf",  # noqa: S106 - where it is
    ),
    scanner=Scanner.GUARDDUTY,
    database=DatabaseSize(
        instance="t4g.medium",
        storage=100,
        storage_most=1_000,
        multi_az=True,
        backup_days=14,
        connections=420,
    ),
    api=Fleet(cpu=1024, memory=2048, least=2, most=8),
    worker=Fleet(cpu=1024, memory=4096, least=1, most=16),
    backlog_per_worker=600,
    announced_per_worker=2_500,
    on_call="laydown-on-call@example.com",
    monthly_budget=1_000,
    is_protected=True,
    copy_region="us-west-2",
    repository="example/laydown",
    image_tag="unreleased",
)

STAGES = (DEV, PRODUCTION)

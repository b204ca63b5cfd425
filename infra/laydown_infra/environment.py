"""What the containers are told, as `LAYDOWN_*` variables: the one place where these are spelt.

Free of CDK, so that a test can hold every name and value against laydown's own settings. No
secret is ever among them: the password of the database's owner reaches the migration, and only
that, as an ECS secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass

API_PORT = 8383
WORKER_PORT = 8384
DATABASE = "laydown"
DATABASE_PORT = 5432
LOGIN = "laydown"
"""The role that api and worker log in as, with IAM; it can only take laydown's own two roles."""
OWNER = "laydown_owner"
"""The instance's master, who owns the schema; only the migration logs in as it."""
MASTER_PASSWORD = "LAYDOWN_DATABASE_PASSWORD"  # noqa: S105 - the variable's name
CLIENT_SECRET = "LAYDOWN_OIDC_CLIENT_SECRET"  # noqa: S105 - the variable's name
ROOT_CERTIFICATES = "/etc/ssl/rds/global-bundle.pem"
"""Where the image keeps the authorities that sign RDS's certificates."""
API_CONNECTIONS = 10
WORKER_CONNECTIONS = 4
"""To Postgres, for requests or jobs of organizations: a worker does two groups of jobs at once."""
CONNECTIONS_BESIDE = {"api": 4, "worker": 6}
"""What a process may open beside them: for what is asked across organizations, and for offices."""
COLLECTOR = "http://127.0.0.1:4318"
"""The collector beside each task, where OTLP over HTTP is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a stage's containers have to know of it; values may be CDK's tokens."""

    region: str
    cidr: str  # of the VPC: the load balancer's addresses are in it
    domain: str
    page_origins: tuple[str, ...]
    database_host: str
    bucket: str
    jobs: str  # the queue's name
    notices: str
    scanner: str
    issuer: str | None = None  # of the identity provider, where there is one
    client_id: str | None = None


def api(around: Surroundings) -> Mapping[str, str]:
    """Return what an api is told."""
    provider = (
        {"LAYDOWN_OIDC_ISSUER": around.issuer, "LAYDOWN_OIDC_CLIENT_ID": around.client_id}
        if around.issuer and around.client_id
        else {}
    )
    return (
        _shared(around)
        | provider
        | {
            "LAYDOWN_HOST": "0.0.0.0",  # noqa: S104 - the task's own interface; its group lets only the balancer in
            "LAYDOWN_PORT": str(API_PORT),
            "LAYDOWN_DATABASE_CONNECTIONS": str(API_CONNECTIONS),
            "LAYDOWN_PROXIES": around.cidr,
            "LAYDOWN_ORIGINS": ",".join((f"https://{around.domain}", *around.page_origins)),
        }
    )


def worker(around: Surroundings) -> Mapping[str, str]:
    """Return what a worker is told."""
    return _shared(around) | {
        "LAYDOWN_DATABASE_CONNECTIONS": str(WORKER_CONNECTIONS),
        "LAYDOWN_QUEUE": f"sqs://{around.jobs}?region={around.region}",
        "LAYDOWN_NOTICES": f"sqs://{around.notices}?region={around.region}",
        "LAYDOWN_WORKER_METRICS": f"0.0.0.0:{WORKER_PORT}",
    }


def migrate(around: Surroundings) -> Mapping[str, str]:
    """Return what the migration is told, beside the secret `MASTER_PASSWORD`."""
    return {"LAYDOWN_DATABASE": _database(around, OWNER)}


def _shared(around: Surroundings) -> dict[str, str]:
    return {
        "LAYDOWN_DATABASE": _database(around, LOGIN),
        "LAYDOWN_DATABASE_IAM": around.region,
        "LAYDOWN_STORE": f"s3://{around.bucket}?region={around.region}",
        "LAYDOWN_SCANNER": around.scanner,
        "LAYDOWN_OTLP": COLLECTOR,
    }


def _database(around: Surroundings, user: str) -> str:
    return (
        f"host={around.database_host} port={DATABASE_PORT} dbname={DATABASE} user={user} "
        f"sslmode=verify-full sslrootcert={ROOT_CERTIFICATES}"
    )

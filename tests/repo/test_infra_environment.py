"""What `infra/` tells the containers is what laydown reads."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from laydown.bootstrap.database import SYSTEM_CONNECTIONS
from laydown.bootstrap.login import login_of
from laydown.objects.s3_address import parse_address as parse_store
from laydown.ports import Office
from laydown.queues.address import parse_address as parse_queue
from laydown.settings import Settings

ROOT = Path(__file__).parents[2]
PLACE = "laydown-production-c1.abc.us-east-1.rds.amazonaws.com"


@pytest.fixture(scope="module")
def environment() -> ModuleType:
    """Load the module by its path: `infra/` has an environment of its own, and this needs none."""
    path = ROOT / "infra" / "laydown_infra" / "environment.py"
    spec = importlib.util.spec_from_file_location("laydown_infra_environment", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def around(environment):
    """Return a stage's facts as they are once it is deployed."""
    return environment.Surroundings(
        region="us-east-1",
        cidr="10.40.0.0/16",
        domain="laydown.example.com",
        page_origins=("https://portal.example",),
        database_host=PLACE,
        bucket="laydown-production-c1-files-222222222222",
        jobs="laydown-production-c1-jobs",
        notices="laydown-production-c1-notices",
        scanner="guardduty",
        issuer="https://login.example.com",
        client_id="laydown",
    )


def settings_of(variables: Mapping[str, str]) -> Settings:
    """Read them as a container's process does; a name we don't know is an error."""
    return Settings.from_env(variables)


def test_an_api_is_told_what_it_needs(environment, around):
    """Where bytes and ledger are, who stands before it, and whose pages may call."""
    settings = settings_of(environment.api(around))
    assert settings.port == environment.API_PORT
    assert settings.proxies == ("10.40.0.0/16",)
    assert settings.origins == ("https://laydown.example.com", "https://portal.example")
    assert settings.scanner_name == "guardduty"
    assert settings.oidc_issuer == around.issuer
    assert settings.oidc_client_id == around.client_id
    assert login_of(settings).password is not None
    assert parse_store(settings.store or "").bucket == around.bucket


def test_a_worker_is_told_what_it_needs(environment, around):
    """The same, and both queues."""
    settings = settings_of(environment.worker(around))
    assert parse_queue(settings.queue or "").name == around.jobs
    assert parse_queue(settings.notices or "").name == around.notices
    assert settings.worker_metrics == f"0.0.0.0:{environment.WORKER_PORT}"


def test_connections_are_counted_as_laydown_opens_them(environment, around):
    """Beside those for organizations: one pool across them, and in a worker one for each office."""
    assert settings_of(environment.api(around)).database_connections == environment.API_CONNECTIONS
    told = settings_of(environment.worker(around))
    assert told.database_connections == environment.WORKER_CONNECTIONS
    assert {
        "api": SYSTEM_CONNECTIONS,
        "worker": SYSTEM_CONNECTIONS + len(Office),
    } == environment.CONNECTIONS_BESIDE


def test_only_the_migration_is_the_owner(environment, around):
    """It has the owner's password as a secret; the others log in as somebody else, with IAM."""
    variables = environment.migrate(around) | {environment.MASTER_PASSWORD: "a secret"}
    settings = settings_of(variables)
    assert f"user={environment.OWNER}" in (settings.database or "")
    for others in (environment.api(around), environment.worker(around)):
        assert f"user={environment.LOGIN} " in others["LAYDOWN_DATABASE"]
        assert environment.MASTER_PASSWORD not in others


def test_no_variable_of_infra_is_a_password(environment, around):
    """What is in a task definition is read by everybody who may look at the account."""
    for made in (environment.api, environment.worker, environment.migrate):
        for name, value in made(around).items():
            assert "password" not in f"{name}{value}".lower()

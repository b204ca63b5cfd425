"""What runs on GitHub: nothing that others can change, and no key that lasts."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
_PINNED = re.compile(r"uses: (?:\./\S+|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$")


def jobs() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every job, after its workflow's name and its own."""
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items():
            yield f"{path.stem}/{name}", job


def test_nothing_is_known_to_be_unsafe():
    """zizmor, which knows how workflows were attacked, finds nothing."""
    program = Path(sys.executable).with_name("zizmor")
    done = subprocess.run(
        [program, "--offline", "--quiet", "--no-progress", ROOT / ".github"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_one_commit(path):
    """What we use of others is named by its hash, with the version for people."""
    used = [line.strip(" -") for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    assert [line for line in used if not _PINNED.search(line)] == []


def test_one_action_has_one_hash():
    """Every workflow uses the same version of an action."""
    text = "\n".join(path.read_text("utf-8") for path in WORKFLOWS)
    found = set(re.findall(r"uses: ([\w/-]+)@(\w{40})", text))
    assert len(found) == len({name for name, _ in found})


def test_no_job_has_more_rights_than_it_says():
    """No workflow gives rights to all its jobs; only those that take a role may ask for a token."""
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text("utf-8"))["permissions"] == {}, path.name
    for name, job in jobs():
        rights = {"contents": "read"}
        if name.split("/")[0].startswith("deploy") or name == "release/push":
            rights["id-token"] = "write"
        assert job["permissions"] == rights, name


def test_there_is_no_secret():
    """AWS is reached with a role by OIDC: nothing is kept that could be stolen."""
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        assert "secrets." not in text, path.name
        assert "access-key" not in text, path.name


def test_the_migration_comes_before_what_needs_it():
    """A stage's services change only after its migration has ended well."""
    ((_, job),) = [(name, job) for name, job in jobs() if name == "deploy-stage/deploy"]
    ran = [step["run"] for step in job["steps"] if "run" in step]
    order = [
        index
        for wanted in ('"$PREFIX/migration"', "migrate-on-aws.sh", '"$PREFIX/*"')
        for index, text in enumerate(ran)
        if wanted in text
    ]
    assert len(order) == 3
    assert order == sorted(order)


def test_the_roles_are_those_that_infra_makes():
    """Their names are made of the stage's prefix, there as here."""
    made = (ROOT / "infra" / "laydown_infra" / "deployer.py").read_text("utf-8")
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        for role in re.findall(r"role/\$\{\{ env\.PREFIX \}\}-(\w+)", text):
            assert f'_role("{role}"' in made

"""One synthesis for all tests: it takes some seconds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from app import build

Template: TypeAlias = Mapping[str, Any]
Templates: TypeAlias = Mapping[str, Template]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Return every stack's template, by the stack's name."""
    out = tmp_path_factory.mktemp("cdk")
    build(outdir=str(out)).synth()
    found = sorted(Path(out).glob("**/*.template.json"))
    return {_name(path): json.loads(path.read_text()) for path in found}


def _name(path: Path) -> str:
    # assembly-laydown-dev-c1/laydowndevc1data1B2C.template.json: the manifest has the stack's name.
    manifest = json.loads((path.parent / "manifest.json").read_text())
    for artifact in manifest["artifacts"].values():
        if artifact.get("properties", {}).get("templateFile") == path.name:
            return str(artifact["properties"]["stackName"])
    raise AssertionError(f"no stack has {path.name}")


@pytest.fixture(params=["laydown-dev-c1", "laydown-production-c1"])
def cell(request: pytest.FixtureRequest) -> str:
    """Return what the names of a cell's stacks begin with: each test runs for every stage."""
    return str(request.param)

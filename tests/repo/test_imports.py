"""Who may import whom, and that importing does nothing."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has after a statement."""
    code = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout))


def test_the_import_contracts_hold():
    """import-linter finds every contract kept."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_package_loads_the_sdk_only_when_it_is_asked_for():
    """`import laydown` brings no HTTP library; naming the client does."""
    assert "aiohttp" not in loaded_by("import laydown")
    assert "aiohttp" in loaded_by("from laydown import AsyncClient")


def test_the_sdk_brings_no_server():
    """A client loads no driver, no web framework and none of the server's packages."""
    modules = loaded_by("from laydown import AsyncClient, Client")
    servers = ("psycopg", "fastapi", "uvicorn", "starlette", "structlog", "laydown.services")
    assert not modules & set(servers)


def test_the_core_is_pure():
    """The domain needs nothing but the standard library."""
    modules = loaded_by("import laydown.domain.verdicts, laydown.domain.sniffing")
    foreign = {
        name.partition(".")[0]
        for name in modules
        if name.partition(".")[0] not in sys.stdlib_module_names
    }
    assert {name for name in foreign if not name.startswith("_")} <= {"laydown", "sitecustomize"}

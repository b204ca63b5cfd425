"""Watching processes from outside, and running code as another process or another user."""

import asyncio
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import laydown

SOURCE = Path(laydown.__file__).parents[1]
PATIENCE = 20.0  # seconds; what is awaited takes milliseconds on a quiet machine


def alive(pid: int) -> bool:
    """Tell whether *pid* runs; one that is dead and unmourned doesn't."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


async def until(claim: Callable[[], object], *, what: str) -> None:
    """Wait until *claim* holds; fail with *what* was expected otherwise."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not claim():  # noqa: ASYNC110 - other processes don't set our events
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"never happened: {what}")


def python(
    code: str, *arguments: object, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Run *code* as another process, in a session of its own; its output is ours to read."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=env,
    )


def kill_now(process: subprocess.Popen[str]) -> None:
    """End *process* as a power cut would, and wait until it is gone."""
    process.kill()
    process.communicate(timeout=PATIENCE)


def interpreter_for_nobody() -> str:
    """Return a Python that the user nobody can run with our package; skip when there is none."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    for python_path in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin")):
        if python_path and can_run_ours(python_path):
            return python_path
    return missing("no Python that the user nobody can run with this package")


def can_run_ours(python_path: str) -> bool:
    """Tell whether nobody can import our package and find Postgres with that interpreter."""
    code = "from laydown.embedded.installation import find_installation; find_installation()"
    try:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            [python_path, "-c", code], **as_nobody(), check=False
        )
    except PermissionError:
        return False
    return done.returncode == 0


def as_nobody() -> dict[str, Any]:
    """Return the options that run a process as nobody, with our package on its path."""
    nobody = pwd.getpwnam("nobody")
    installed = next(p for p in sys.path if p.endswith("site-packages"))
    return {
        "user": nobody.pw_uid,
        "group": nobody.pw_gid,
        "extra_groups": [],
        "cwd": "/",
        "env": {"PYTHONPATH": f"{SOURCE}{os.pathsep}{installed}", "PATH": os.defpath},
    }


def missing(reason: str) -> str:
    """Skip for *reason* on a laptop; fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)

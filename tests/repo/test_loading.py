"""Who starts on a disk with a Postgres beside it waits for no library of AWS, OIDC or telemetry."""

import subprocess
import sys

import pytest

# What other stores, queues, logins, providers and collectors take; together half of a start.
ELSEWHERE = ("aiobotocore", "aiohttp", "botocore", "joserfc", "opentelemetry.sdk")


@pytest.mark.parametrize("process", ["api", "worker"])
def test_what_is_not_configured_is_not_loaded(process: str):
    """The program of a process loads none of what only some settings ask for."""
    asked = (
        f"import sys, laydown.bootstrap.{process}; "
        f"print(*(name for name in {ELSEWHERE} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []

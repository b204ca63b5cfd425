#!/usr/bin/env bash
# Everything that must pass: first all, where the suites of the ports and the end-to-end tests take
# up every engine themselves; then the API once more, on S3 and SQS.
# Arguments go to pytest, which then runs once, on the engines that TEST_ENGINE names.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/check.sh
bash scripts/engines.sh
if (($#)); then
    exec .venv/bin/pytest -q "$@"
fi
TEST_ENGINE=embedded .venv/bin/pytest -q
TEST_ENGINE=distributed .venv/bin/pytest -q tests/api

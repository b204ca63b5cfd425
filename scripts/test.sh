#!/usr/bin/env bash
# Everything that must pass. The suites of the ports and the end-to-end tests take up every engine
# themselves; the API's tests run twice, the second time on S3 and SQS. Two sessions run side by
# side, because most tests wait for a server more than they compute; each has servers of its own.
# Arguments go to pytest, which then runs once, on the engines that TEST_ENGINE names.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/check.sh
bash scripts/engines.sh
if (($#)); then
    exec .venv/bin/pytest -q "$@"
fi

said=$(mktemp)
trap 'rm -f "$said"' EXIT
(
    TEST_ENGINE=embedded .venv/bin/pytest -q tests/contract tests/api
    TEST_ENGINE=distributed .venv/bin/pytest -q tests/api
) >"$said" 2>&1 &
beside=$!
trap 'kill -INT "$beside" 2>/dev/null || true; rm -f "$said"' INT TERM

status=0
TEST_ENGINE=embedded .venv/bin/pytest -q tests/unit tests/repo tests/e2e || status=$?
wait "$beside" || status=$?
printf '\nBeside these, contract and API, and the API on S3 and SQS:\n'
cat "$said"
exit "$status"

#!/usr/bin/env bash
# Everything that must pass. Three suites run with TEST_ENGINE=embedded and with =distributed: the
# API's tests and the kills on one engine after the other; the contracts of the ports once in all,
# because each of their tests is about one engine, and runs where that is the one chosen. Of the
# rest nothing depends on the choice. Sessions run side by side, because most tests wait for a
# server more than they compute; each has servers of its own. Arguments go to pytest, which then
# runs once, on the engines that TEST_ENGINE names.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/check.sh
bash scripts/engines.sh
if (($#)); then
    exec .venv/bin/pytest -q "$@"
fi

said=$(mktemp -d)
beside=()
trap 'rm -rf "$said"' EXIT
trap 'kill -INT "${beside[@]}" 2>/dev/null || true; rm -rf "$said"' INT TERM
TEST_ENGINE=distributed .venv/bin/pytest -q tests/api >"$said/1" 2>&1 &
beside+=($!)
(
    failed=0
    TEST_ENGINE=embedded .venv/bin/pytest -q tests/api || failed=$?
    TEST_ENGINE=distributed .venv/bin/pytest -q tests/e2e/test_kills.py || failed=$?
    exit "$failed"
) >"$said/2" 2>&1 &
beside+=($!)

(
    failed=0
    if [ -d console/node_modules ]; then
        npm --prefix console run --silent test -- --reporter=dot || failed=$?
    fi
    TEST_ENGINE=embedded .venv/bin/pytest -q tests/browser || failed=$?
    TEST_ENGINE=distributed .venv/bin/pytest -q tests/contract || failed=$?
    exit "$failed"
) >"$said/3" 2>&1 &
beside+=($!)

status=0
TEST_ENGINE=embedded .venv/bin/pytest -q tests/unit tests/repo tests/contract tests/e2e || status=$?
for session in "${beside[@]}"; do
    wait "$session" || status=$?
done
printf '\nBeside these, the API on S3 and SQS; the API; kills on S3 and SQS; the console; contracts:\n'
cat "$said"/*
exit "$status"

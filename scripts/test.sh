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
# run_beside NAME COMMAND…: runs commands one after the other, whatever comes of them.
run_beside() {
    local file=$said/$1 failed=0 command
    shift
    {
        for command in "$@"; do
            bash -c "$command" || failed=$?
        done
        exit "$failed"
    } >"$file" 2>&1 &
    beside+=($!)
}
on() { printf 'TEST_ENGINE=%s .venv/bin/pytest -q %s' "$1" "$2"; }

alone=tests/browser/test_many.py # times the page's tasks, so nothing may run beside it
rough=(tests/e2e/test_{kills,form_kills,cuts,quota,spike,full_disk,distributed}.py) # half of e2e
console=true # without Node there is none, and that was said
[ ! -d console/node_modules ] || console='npm --prefix console run --silent test -- --reporter=dot'
run_beside 1 "$(on distributed tests/api)" "$(on embedded tests/unit)"
run_beside 2 "bash scripts/infra.sh" "$(on embedded tests/api)"
run_beside 3 "$console" "$(on embedded "tests/browser tests/contract --ignore=$alone")" \
    "$(on distributed tests/contract)"
run_beside 4 "$(on embedded "tests/e2e ${rough[*]/#/--ignore=}")"

status=0
TEST_ENGINE=embedded .venv/bin/pytest -q "${rough[@]}" tests/repo || status=$?
TEST_ENGINE=distributed .venv/bin/pytest -q tests/e2e/test_kills.py || status=$?
for session in "${beside[@]}"; do
    wait "$session" || status=$?
done
TEST_ENGINE=embedded .venv/bin/pytest -q "$alone" || status=$?
printf '\nBeside these, the API on S3 and SQS, and units; infra and the API; the console and contracts; processes:\n'
cat "$said"/*
exit "$status"

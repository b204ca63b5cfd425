#!/usr/bin/env bash
# Everything about infra/ that can be known without an AWS account: it is synthesized, asked about
# by cdk-nag and cfn-lint, typed, and held to its assertions; then laydown's own processes deliver
# through the ingest stack's template, made in an emulator. Arguments go to the assertions' pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'infra: %s\n' "$*" >&2; }

bin=$PWD/infra/.venv/bin
if ! "$bin/python" -c '' 2>/dev/null; then
    say "making infra/.venv (430 MB)"
    rm -rf infra/.venv
    .venv/bin/uv venv -q --python .venv/bin/python infra/.venv
fi
if ! cmp -s requirements/infra.txt infra/.venv/installed.txt; then
    say "installing the locked packages"
    if ! VIRTUAL_ENV=$PWD/infra/.venv .venv/bin/uv pip sync -q --require-hashes requirements/infra.txt; then
        say "the packages can't be installed, so nothing of infra/ is checked"
        [ "${CI:-}" != true ] || exit 1
        exit 0
    fi
    cp requirements/infra.txt infra/.venv/installed.txt
fi

export PATH=$bin:$PATH # for jsii: the Node that it calls current
cd infra
mypy --no-error-summary
python app.py
cfn-lint
pytest -q "$@"

# With laydown's environment, not infra's: the trial needs no CDK, only what was synthesized.
cd ..
.venv/bin/pytest -q tests/infra

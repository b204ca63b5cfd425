#!/usr/bin/env bash
# Makes .venv with the locked dependencies and laydown itself, on a machine that has only Python.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null || stop "there is no $python: install Python 3.11 or later"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$("$python" --version) is too old: laydown needs 3.11 or later; say which with PYTHON=…"

if ! .venv/bin/python -c '' 2>/dev/null; then
    say "making .venv"
    rm -rf .venv
    if ! "$python" -m venv .venv 2>/dev/null; then
        # Debian ships venv without pip unless python3-venv is installed; a system pip will do.
        rm -rf .venv
        "$python" -m venv --without-pip .venv
    fi
fi

# uv resolves nothing here: it only installs what the lock names, with the hashes it names.
if ! .venv/bin/uv --version >/dev/null 2>&1; then
    say "installing uv"
    uv=$(grep -E '^uv==' requirements/uv.txt | cut -d' ' -f1)
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip --python .venv/bin/python install -q --disable-pip-version-check "$uv"
    else
        stop "$python has no pip: run 'apt-get install python3-venv' and try again"
    fi
fi

say "installing the locked dependencies"
export VIRTUAL_ENV=$PWD/.venv
.venv/bin/uv pip sync -q --compile-bytecode --require-hashes requirements/uv.txt requirements/dev.txt
.venv/bin/uv pip install -q --no-deps --no-build-isolation -e .
# Compiled once here, not at every start, even where Python is told to write no bytecode.
.venv/bin/python -m compileall -q src
say "done: .venv/bin/laydown"

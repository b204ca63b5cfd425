#!/usr/bin/env bash
# What reading alone can find: format, lint, types, who imports whom.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/ruff format --check -q . || { echo "run 'make format'" >&2; exit 1; }
.venv/bin/ruff check -q .
.venv/bin/mypy
.venv/bin/lint-imports --no-logo
if [ -d console/node_modules ]; then # without Node the console was not set up, and that was said
    npm --prefix console run --silent check
fi

#!/usr/bin/env bash
# Chooses versions (at least a week old, see pyproject.toml) and writes them down with their hashes.
# The files name no package index, so that a mirror serves as well as the public one.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(.venv/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade)
"${compile[@]}" pyproject.toml -o requirements/run.txt
"${compile[@]}" pyproject.toml --group dev -o requirements/dev.txt
"${compile[@]}" --group infra -o requirements/infra.txt
echo uv | "${compile[@]}" - -o requirements/uv.txt

#!/usr/bin/env bash
# Everything that must pass. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/check.sh
bash scripts/engines.sh
exec .venv/bin/pytest -q "$@"

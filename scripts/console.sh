#!/usr/bin/env bash
# Builds the console into the package, where Node is. Without Node laydown runs without its page,
# which then says how to get it; where CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../console"

say() { printf 'console: %s\n' "$*" >&2; }
without() {
    say "$*; laydown will run without its page"
    [ "${CI:-}" != true ] || exit 1
    exit 0
}

command -v node >/dev/null && command -v npm >/dev/null ||
    without "there is no Node here: install Node 20.19 or later, then run 'make setup' again"
node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)' ||
    without "Node $(node --version) is too old to build it: install 20.19 or later"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() { "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; without "'$*' failed (see above)"; }; }

if ! cmp -s package-lock.json node_modules/.laydown-lock; then
    say "installing the locked packages"
    run npm ci --no-audit --no-fund
    cp package-lock.json node_modules/.laydown-lock
fi
say "building"
run npm run build
say "done"

#!/usr/bin/env bash
# Builds the console into the package, where Node is. Without it laydown runs, and says at its first
# page how to get one; where CI=true, or when a wheel is made, that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../console"

say() { printf 'console: %s\n' "$*" >&2; }
without() {
    case ${CI:-} in true | True | 1) say "$*" && exit 1 ;; esac
    if [ -f ../src/laydown/console/index.html ]; then
        say "$*; laydown runs with the page that was built before"
    else
        say "$*; laydown runs without its page"
    fi
    exit 0
}

hint="install Node 20.19 or later with npm, then run 'make setup' again"
command -v node >/dev/null || without "there is no Node: $hint"
command -v npm >/dev/null || without "there is no npm: $hint"
node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
    without "Node $(node --version) is too old: $hint"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() { "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; without "'$*' failed, see above"; }; }

# The lock that was installed is kept beside what it names. No package runs scripts of its own.
if ! cmp -s package-lock.json node_modules/.laydown-lock; then
    say "installing the locked packages"
    run npm ci --ignore-scripts
    cp package-lock.json node_modules/.laydown-lock
fi
say "building"
run npm run build
say "done"

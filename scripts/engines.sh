#!/usr/bin/env bash
# Installs what the tests need beyond Python packages: ClamAV's daemon. Never fails: a test that
# misses it skips, or fails under CI=true, and says why.
set -uo pipefail

say() { printf 'engines: %s\n' "$*" >&2; }
without() { say "the tests of the malware scanner can't run: $*"; exit 0; }

PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v clamd >/dev/null && exit 0

command -v apt-get >/dev/null ||
    without "there is no clamd here, and no apt-get to install it with (install ClamAV's daemon)"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null ||
        without "there is no clamd here, and installing it needs root: 'sudo apt-get install clamav-daemon'"
    as_root=(sudo -n)
fi

# The daemon alone: no service is started and no signatures are fetched, because the tests bring
# their own. Debian asks this file what may start; where there is one, it has its reasons.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null &&
        "${as_root[@]}" chmod 755 "$policy" ||
        without "$policy can't be written, so the service would start"
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=120 clamav-daemon >"$log" 2>&1
}
say "installing clamav-daemon"
log=$(mktemp)
# The list of packages may be missing, or name a version that is gone: then it is fetched once.
if ! install && ! { "${as_root[@]}" apt-get update -q >/dev/null 2>&1 && install; }; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    without "clamav-daemon can't be installed (see above)"
fi
rm -f "$log"
say "done: $(command -v clamd)"

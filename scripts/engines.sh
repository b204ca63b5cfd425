#!/usr/bin/env bash
# Installs what the tests need beyond Python packages: ClamAV's daemon, a browser, and Prometheus's
# promtool. Never fails: a test that misses one skips, or fails under CI=true, and says why.
set -uo pipefail

say() { printf 'engines: %s\n' "$*" >&2; }
PATH=$PATH:/usr/sbin:/usr/local/sbin
policy=/usr/sbin/policy-rc.d
as_root=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$1" >"$log" 2>&1
}

# A daemon alone: no service is started. Debian asks this file what may start; where there is one,
# it has its reasons.
forbid_services() {
    [ -e "$policy" ] && return 0
    trap 'rm -f "$log"; "${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null &&
        "${as_root[@]}" chmod 755 "$policy"
}

# need PROGRAM PACKAGE WHOSE: has a program installed, or says whose tests can't run without it.
need() {
    command -v "$1" >/dev/null && return
    local without="the tests of $3 can't run: there is no $1 here,"
    if ! command -v apt-get >/dev/null; then
        say "$without and no apt-get to install it with"
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "$without and installing it needs root: 'sudo apt-get install $2'"
            return
        fi
        as_root=(sudo -n)
    fi
    if ! forbid_services; then
        say "$without and $policy can't be written, so a service would start"
        return
    fi
    say "installing $2"
    # The list of packages may be missing, or name a version that is gone: then it is fetched once.
    if ! install "$2" && ! { "${as_root[@]}" apt-get update -q >/dev/null 2>&1 && install "$2"; }; then
        tail -n 5 "$log" >&2
        say "$without and it can't be installed (see above)"
        return
    fi
    say "done: $(command -v "$1")"
}

need clamd clamav-daemon "the malware scanner" # signatures are not fetched: the tests bring theirs
need chromium chromium "the console in a browser"
need promtool prometheus "alerting rules and dashboards"

#!/bin/sh
# Installs Debian packages without questions: scripts/apt-install.sh PACKAGE... (as root)
set -eu
export DEBIAN_FRONTEND=noninteractive

command -v apt-get >/dev/null || { echo "no apt-get here: install by hand: $*" >&2; exit 1; }
echo "Installing with apt-get: $*"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A list that cannot be refreshed is no reason to stop: the packages may still be had.
apt-get update -qq -o DPkg::Lock::Timeout=300 >"$log" 2>&1 || tail -n 5 "$log" >&2
# Somebody else (unattended upgrades, a parallel build) may hold the lock: wait for it.
if ! apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    exit 1
fi

#!/bin/sh
# Builds the control plane and installs the servers and the browser that the tests run against, where that
# is possible (a network; root and apt-get). Where it is not, says so and succeeds: the tests that need
# them skip, or fail with CI=true.
set -eu
cd "$(dirname "$0")/.."

if ! sh scripts/cluster-parts.sh >/dev/null; then
    echo "kube-apiserver could not be built and its tests will skip: sh scripts/cluster-parts.sh" >&2
fi

missing=''
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing="$missing prometheus"
[ -n "$(command -v postgres; ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || missing="$missing postgresql"
command -v chromium >/dev/null || missing="$missing chromium"
# Playwright's own driver, with which the tests steer Chromium, is linked against it.
/sbin/ldconfig -p | grep -q libatomic.so.1 || missing="$missing libatomic1"
# What the guides of the API are written with; a bare Debian has neither.
command -v curl >/dev/null || missing="$missing curl"
command -v jq >/dev/null || missing="$missing jq"

[ -n "$missing" ] || exit 0
# One at a time: one package that cannot be had must not cost the others.
for package in $missing; do
    if [ "$(id -u)" != 0 ] || ! sh scripts/apt-install.sh "$package"; then
        echo "$package is not here and its tests will skip: sudo apt-get install $package" >&2
    fi
done

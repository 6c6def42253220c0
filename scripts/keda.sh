#!/bin/sh
# Builds the real KEDA operator for tests/cluster/keda_beside.py into a cache outside the checkout, once per version
# (about half an hour on two cores, since KEDA links every cloud's library). Prints the folder, which holds
# `keda` and its custom kinds. With --find it builds nothing and fails where there is none.
# Needs Go 1.26. KEDA_PARTS=dir puts the cache elsewhere.
set -eu

version=v2.21.0
cache=${KEDA_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/predictive-autoscaler}
parts="$cache/keda-${version#v}"

if [ -x "$parts/keda" ]; then
    echo "$parts"
    exit 0
fi
[ "${1:-}" != --find ] || exit 1

command -v go >/dev/null || { echo "go is not here: KEDA is built with Go 1.26 or newer" >&2; exit 1; }
building="$parts.building"
chmod -R u+w "$building" 2>/dev/null || true
rm -rf "$building"
mkdir -p "$building"
cd "$building"
# Its go.mod replaces modules, so it cannot be installed by path: it is built where its source is.
source=$(go mod download -json "github.com/kedacore/keda/v2@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cp -r "$source" source
chmod -R u+w source
echo "Building KEDA ${version#v} into $parts: about half an hour, once" >&2
(cd source && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o ../keda ./cmd/operator) >&2
cp -r source/config/crd/bases kinds
rm -rf source
mv "$building" "$parts"
echo "$parts"

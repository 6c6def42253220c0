#!/bin/sh
# Builds the operator's image without an image registry, on a base of Debian's packages, and tries it as an
# unknown user with a read-only root: scripts/image.sh (as root, with buildah and debootstrap; about five
# minutes the first time, two after that). Prints its size and start times.
# IMAGE_CACHE=dir puts the base elsewhere, IMAGE_EXTRAS=postgres builds without Prophet,
# IMAGE_ARCHIVE=file.tar also writes the image where `docker load` and `ctr images import` take it.
set -eu
cd "$(dirname "$0")/.."

suite=bookworm
cache=${IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/predictive-autoscaler}
base="$cache/base-$suite.tar"
image=localhost/predictive-autoscaler
uid=54321
EXTRAS=${IMAGE_EXTRAS:-prophet,postgres}

for tool in buildah debootstrap unshare curl pkill; do
    command -v "$tool" >/dev/null || { echo "$tool is not here: apt-get install buildah debootstrap" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "needs root: the base is made with chroot" >&2; exit 1; }

work=$(mktemp -d)
# A storage of its own: what the machine keeps for its containers is neither used nor touched.
ours() { buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
clean() {
    ours rm --all >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

mkdir -p "$cache"
if [ ! -e "$base" ]; then
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$work/base" >"$work/log" 2>&1 ||
        { tail -n 5 "$work/log" >&2; exit 1; }
    rm -rf "$work/base/var/cache/apt/archives" "$work/base/var/lib/apt/lists"
    tar -C "$work/base" -cf "$base.part" .
    mv "$base.part" "$base"
    rm -rf "$work/base"
fi
container=$(ours from scratch)
ours add --quiet "$container" "$base" / >/dev/null
ours commit --quiet "$container" localhost/python-base >/dev/null
ours rm "$container" >/dev/null

# How pip reaches its index here: its settings and the authorities it trusts.
set --
for path in /etc/pip.conf /etc/ssl/certs; do
    [ ! -e "$path" ] || set -- "$@" --volume "$path:$path:ro"
done
ours build --quiet --isolation chroot "$@" --build-arg PYTHON_IMAGE=localhost/python-base \
    --build-arg EXTRAS="$EXTRAS" --tag "$image" . >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }

container=$(ours from "$image")
root=$(ours mount "$container")
sample=$(find "$root/opt/autoscaler" -name ms_mongo_app_04_1min.csv.gz)
sample=${sample#"$root"}
echo "size: $(du -sm "$root" | cut -f1) MB, of it $(du -sm "$root/opt/autoscaler" | cut -f1) MB the operator"

# As the cluster runs it: nothing writable but /tmp and the shared memory that every runtime provides, a uid that
# /etc/passwd does not know, the image's environment.
environment=$(ours inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$image")
run() {
    # shellcheck disable=SC2086  # one word per variable is what is wanted
    ROOT=$root UID_=$uid unshare --mount --pid --fork --kill-child sh -euc '
        mount --bind "$ROOT" "$ROOT"
        mount -o remount,ro,bind "$ROOT"
        mount -t tmpfs tmpfs "$ROOT/tmp"
        mount --bind /dev "$ROOT/dev"
        mount -t tmpfs tmpfs "$ROOT/dev/shm"
        mount -t proc proc "$ROOT/proc"
        exec chroot --userspec="$UID_:$UID_" "$ROOT" env -i "$@"' run $environment "$@"
}
timed() {
    started=$(date +%s%N)
    run "$@" >"$work/out" || { echo "failed in the image: $*" >&2; exit 1; }
    took=$((($(date +%s%N) - started) / 10000000))
    printf '%s: %d.%02d s\n' "$*" $((took / 100)) $((took % 100))
}
run sh -c '! touch /opt/autoscaler/probe 2>/dev/null && touch /tmp/probe' ||
    { echo "the root is not read-only, or /tmp not writable" >&2; exit 1; }
run sh -c '! command -v gcc cc make pip' || { echo "tools for building are in the image" >&2; exit 1; }
timed autoscaler --version
timed autoscaler crd
cmp "$work/out" operator/crd/predictive-autoscaler.dev_predictiveautoscalers.yaml
# What writes temporary files when it is imported or run shows here: plots, and the model that runs a program.
timed autoscaler demo --report /tmp/report.html
[ "${EXTRAS#*prophet}" = "$EXTRAS" ] || timed autoscaler forecast "$sample" --model prophet --quiet --json /tmp/f.json

# The operator with no API server and no Prometheus to reach: it lives, says that it is not ready, and waits for them.
port=18080
started=$(date +%s%N)
run sh -euc '
    printf "{sources: [{name: default, url: \"http://127.0.0.1:9\"}], server: {port: %s}}" "$1" > /tmp/config.yaml
    printf "{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: \"https://127.0.0.1:9\"}}],
        users: [{name: u, user: {token: none}}], contexts: [{name: c, context: {cluster: c, user: u}}]}" > /tmp/kubeconfig.yaml
    exec autoscaler run --config /tmp/config.yaml --kubeconfig /tmp/kubeconfig.yaml' sh "$port" >"$work/out" 2>&1 &
operator=$!
health() { curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/$1"; }
# unshare and the operator are children of that shell. Asked to end, the operator has ten seconds.
end() { pkill "$1" --parent "$(pgrep --parent "$operator")" 2>/dev/null || true; }
trap 'end -KILL; clean' EXIT
until [ "$(health healthz)" = 200 ]; do
    kill -0 "$operator" 2>/dev/null || { tail -n 5 "$work/out" >&2; exit 1; }
    sleep 0.05
done
took=$((($(date +%s%N) - started) / 10000000))
printf 'autoscaler run, until it is alive: %d.%02d s\n' $((took / 100)) $((took % 100))
[ "$(health readyz)" = 503 ] || { echo "ready without an API server" >&2; exit 1; }
started=$(date +%s)
end -TERM
wait "$operator" || { tail -n 5 "$work/out" >&2; exit 1; }
[ $(($(date +%s) - started)) -le 10 ] || { echo "took more than 10 s to end" >&2; exit 1; }

[ -z "${IMAGE_ARCHIVE:-}" ] || ours push --quiet "$image" "docker-archive:$IMAGE_ARCHIVE:predictive-autoscaler:latest"

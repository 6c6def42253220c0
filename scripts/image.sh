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

for tool in buildah debootstrap unshare; do
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
    --build-arg EXTRAS="${IMAGE_EXTRAS:-prophet,postgres}" --tag "$image" . >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }

container=$(ours from "$image")
root=$(ours mount "$container")
echo "size: $(du -sm "$root" | cut -f1) MB, of it $(du -sm "$root/opt/autoscaler" | cut -f1) MB the operator"

# As the cluster runs it: nothing writable but /tmp, a uid that /etc/passwd does not know, the image's environment.
environment=$(ours inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$image")
run() {
    # shellcheck disable=SC2086  # one word per variable is what is wanted
    ROOT=$root UID_=$uid unshare --mount --pid --fork sh -euc '
        mount --bind "$ROOT" "$ROOT"
        mount -o remount,ro,bind "$ROOT"
        mount -t tmpfs tmpfs "$ROOT/tmp"
        mount -t proc proc "$ROOT/proc"
        exec chroot --userspec="$UID_:$UID_" "$ROOT" env -i "$@"' run $environment "$@"
}
seconds() {
    started=$(date +%s%N)
    run "$@" >"$work/out"
    echo "$(((($(date +%s%N) - started) / 10000000)))" | sed 's/\(..\)$/.\1 s/; s/^\./0./'
}
run sh -c '! touch /opt/autoscaler/probe 2>/dev/null && touch /tmp/probe' ||
    { echo "the root is not read-only, or /tmp not writable" >&2; exit 1; }
run sh -c '! command -v gcc cc make' || { echo "a compiler is in the image" >&2; exit 1; }
echo "autoscaler --version: $(seconds autoscaler --version), $(cat "$work/out")"
echo "autoscaler crd: $(seconds autoscaler crd), $(wc -l <"$work/out") lines"
cmp "$work/out" operator/crd/predictive-autoscaler.dev_predictiveautoscalers.yaml
# Loads every model, draws the plots: what writes temporary files when it is imported shows here.
echo "autoscaler demo: $(seconds sh -c 'cd /tmp && autoscaler demo --report /tmp/report.html')"

[ -z "${IMAGE_ARCHIVE:-}" ] || ours push --quiet "$image" "docker-archive:$IMAGE_ARCHIVE:predictive-autoscaler:latest"

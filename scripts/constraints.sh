#!/bin/sh
# Writes constraints.txt: the exact versions that `make`, CI and the image install, for every Python and platform
# that is supported. Run it to take in newer libraries, then the tests. The wheel itself states floors only.
set -eu
cd "$(dirname "$0")/.."

trap 'rm -f constraints.part' EXIT
{
    echo "# What scripts/install.sh and the Dockerfile install. Written by scripts/constraints.sh; do not edit."
    "${VENV:-.venv}/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
        --all-extras --group dev pyproject.toml
} > constraints.part
mv constraints.part constraints.txt

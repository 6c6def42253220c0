#!/bin/sh
# All static checks; runs every one and fails at the end if any failed.
set -u
cd "$(dirname "$0")/.."

bin=${VENV:-.venv}/bin
failed=''

check() {
    printf '%s\n' "$*"
    "$bin/$@" || failed="$failed, $*"
}

check ruff check .
check ruff format --check .
check mypy
check lint-imports --no-cache
check python scripts/check_docs.py

[ -z "$failed" ] || { echo "failed: ${failed#, }" >&2; exit 1; }

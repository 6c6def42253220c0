#!/bin/sh
# Prints the interpreter to build the virtual environment with: $PYTHON, or the newest suitable one on PATH.
set -eu

suitable='import sys; sys.exit(sys.version_info < (3, 11))'

if [ -n "${PYTHON:-}" ]; then
    if ! "$PYTHON" -c "$suitable" 2>/dev/null; then
        echo "PYTHON=$PYTHON is not a Python 3.11 or newer: point PYTHON at one that is" >&2
        exit 1
    fi
    command -v "$PYTHON"
    exit 0
fi

# An interpreter that can make virtual environments goes before a newer one that cannot.
for needed in 'import ensurepip' 'pass'; do
    for candidate in python3.13 python3.12 python3.11 python3; do
        # Running it is the test: a version manager's shim exists on PATH without a Python behind it.
        if "$candidate" -c "$suitable" 2>/dev/null && "$candidate" -c "$needed" 2>/dev/null; then
            command -v "$candidate"
            exit 0
        fi
    done
done

found=$(python3 --version 2>/dev/null || echo "no python3")
echo "Python 3.11 or newer is needed, found $found: install one, or name it with PYTHON=/path/to/python" >&2
exit 1

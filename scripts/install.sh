#!/bin/sh
# Makes the virtual environment and installs the package into it: scripts/install.sh run|dev
# "run" is what a user needs, "dev" adds what the tests and checks need. Does nothing when what
# pyproject.toml and constraints.txt say about installing is what it was last time, so warm runs need no network.
set -eu
cd "$(dirname "$0")/.."

profile=$1
venv=${VENV:-.venv}
python=$venv/bin/python
version='import sys; print("%d.%d.%d" % sys.version_info[:3])'

# Settings of tools are left out: changing one is no reason to install again.
describe() {
    "$python" -c '
import tomllib
with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)
print(project["build-system"], project["project"], project["dependency-groups"], project["tool"]["hatch"])
'
    cksum scripts/install.sh constraints.txt
    pwd
}

usable() {
    "$python" -c 'import tomllib' 2>/dev/null || return 1
    [ -z "${PYTHON:-}" ] || [ "$("$python" -c "$version")" = "$("$PYTHON" -c "$version" 2>/dev/null)" ]
}

create() {
    base=$(sh scripts/python.sh)
    if ! "$base" -c 'import ensurepip' 2>/dev/null; then
        package=$("$base" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if [ "$(id -u)" != 0 ] || ! sh scripts/apt-install.sh "$package"; then
            echo "$base cannot make virtual environments: run 'sudo apt-get install $package', then make again" >&2
            exit 1
        fi
    fi
    "$base" -m venv --clear "$venv"
}

if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
    echo "$venv exists and is not a virtual environment: remove it, or choose another place with VENV=..." >&2
    exit 1
fi
usable || create
wanted=$(describe)
[ "$(cat "$venv/installed-$profile" 2>/dev/null)" != "$wanted" ] || exit 0

rm -f "$venv/installed-run" "$venv/installed-dev"
echo "Installing into $venv with $("$python" --version); the first time takes about a minute"
"$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
# Installing a dependency group needs pip 25.1; Debian 12 brings an older one.
"$python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
if [ "$profile" = dev ]; then
    "$python" -m pip install --quiet --constraint constraints.txt --editable '.[prophet]' --group dev
    echo "$wanted" > "$venv/installed-dev"
else
    "$python" -m pip install --quiet --constraint constraints.txt --editable '.[prophet]'
fi
# The learned model needs OpenMP, which a bare Debian lacks.
if ! "$python" -c 'import lightgbm' 2>/dev/null; then
    if [ "$(id -u)" != 0 ] || ! sh scripts/apt-install.sh libgomp1; then
        echo "libgomp1 is not here, so forecasts do without the learned model: sudo apt-get install libgomp1" >&2
    fi
fi
echo "$wanted" > "$venv/installed-run"

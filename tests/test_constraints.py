"""The exact versions that are installed here and in the image fit what the package asks for."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
STATED = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
]


def asked_for() -> list[Requirement]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = document["project"]
    lines = chain(
        project["dependencies"],
        *project["optional-dependencies"].values(),
        document["dependency-groups"]["dev"],
    )
    return [Requirement(line) for line in lines]


def test_every_line_is_one_exact_version() -> None:
    by_name: dict[str, list[Requirement]] = defaultdict(list)
    for line in STATED:
        assert [one.operator for one in line.specifier] == ["=="], line
        by_name[canonicalize_name(line.name)].append(line)
    for name, lines in by_name.items():
        assert len(lines) == 1 or all(line.marker for line in lines), name


@pytest.mark.parametrize("asked", asked_for(), ids=str)
def test_what_the_package_asks_for_is_there_in_a_version_that_it_takes(asked: Requirement) -> None:
    stated = [one for one in STATED if canonicalize_name(one.name) == canonicalize_name(asked.name)]
    assert stated, "run sh scripts/constraints.sh"
    for one in stated:
        (exact,) = one.specifier
        assert asked.specifier.contains(exact.version, prereleases=True), one


def test_what_is_installed_here_is_what_it_says() -> None:
    for one in STATED:
        if one.marker is not None and not one.marker.evaluate():
            continue
        try:
            found = version(one.name)
        except PackageNotFoundError:
            continue  # of an extra that tests do without
        assert one.specifier.contains(found, prereleases=True), f"{one.name} {found}: make install-dev"

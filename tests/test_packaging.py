"""What reaches a user who installs the wheel, and what the tree may hold."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel built from this checkout, without network: the build backend is a development dependency."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def _dist_info(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = (n for n in wheel.namelist() if n.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


def _tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_the_wheel_says_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "autoscaler/py.typed" in wheel.namelist()


def test_the_wheel_brings_the_autoscaler_command(wheel: zipfile.ZipFile) -> None:
    entry_points = ConfigParser()
    entry_points.read_string(_dist_info(wheel, "entry_points.txt"))
    assert entry_points["console_scripts"]["autoscaler"] == "autoscaler.cli:main"


def test_the_wheel_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    assert "Apache License" in _dist_info(wheel, "licenses/LICENSE")
    assert Parser().parsestr(_dist_info(wheel, "METADATA"))["License-Expression"] == "Apache-2.0"


def test_the_wheel_brings_the_recorded_traces_of_the_demo_and_their_licence(wheel: zipfile.ZipFile) -> None:
    samples = [n for n in wheel.namelist() if n.startswith("autoscaler/backtest/samples/")]
    assert sum(n.endswith(".csv.gz") for n in samples) >= 2
    assert any("LICENSE" in Path(n).name.upper() for n in samples)


@pytest.mark.parametrize("folder", ["models", "operator", "dashboards"])
def test_the_wheel_ships_every_file_of(folder: str, wheel: zipfile.ZipFile) -> None:
    there = {
        f"autoscaler/_shipped/{path.relative_to(ROOT)}" for path in _tracked_files() if _top(path) == folder
    }
    assert there
    assert there <= set(wheel.namelist())


def _top(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"autoscaler"}


@pytest.mark.parametrize("folder", ["operator", "models", "dashboards"])
def test_no_python_lives_in(folder: str) -> None:
    assert [path for path in (ROOT / folder).rglob("*.py*") if "__pycache__" not in path.parts] == []


def test_the_version_has_one_source(wheel: zipfile.ZipFile) -> None:
    from autoscaler import __version__

    assert Parser().parsestr(_dist_info(wheel, "METADATA"))["Version"] == __version__


# Spelled apart so that this file does not hold what it looks for.
_FORBIDDEN = {
    "a path of one machine": re.compile("|".join(rf"/{top}/" for top in ("work", "farm"))),
    "a package registry's host": re.compile(
        "|".join(
            rf"\b{name}\.{tld}\b"
            for name, tld in (
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("npmjs", "(?:org|com)"),
                (r"proxy\.golang", "org"),
                ("crates", "io"),
                ("anaconda", "(?:org|com)"),
            )
        )
    ),
}


@pytest.mark.parametrize("what", _FORBIDDEN)
def test_no_tracked_text_file_names(what: str) -> None:
    found = []
    for path in _tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = enumerate(text.splitlines(), 1)
        found += [f"{path.relative_to(ROOT)}:{n}" for n, line in lines if _FORBIDDEN[what].search(line)]
    assert found == []

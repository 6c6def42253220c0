"""The scripts behind make: which Python is taken, what the docs check finds."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
_SH = shutil.which("sh") or "/bin/sh"


def _interpreter(folder: Path, name: str, *, suitable: bool = True, ensurepip: bool = True) -> None:
    """A stand-in that answers the script's two questions about an interpreter."""
    script = folder / name
    script.write_text(
        f"#!{_SH}\n"
        'case "$*" in\n'
        "  --version) echo Python 3.9.2 ;;\n"
        f"  *version_info*) exit {int(not suitable)} ;;\n"
        f"  *ensurepip*) exit {int(not ensurepip)} ;;\n"
        "esac\n"
    )
    script.chmod(0o755)


def _chosen(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_SH, str(ROOT / "scripts" / "python.sh")],
        env={"PATH": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_newest_python_is_taken(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12"):
        _interpreter(tmp_path, name)
    assert _chosen(tmp_path).stdout == f"{tmp_path}/python3.12\n"


def test_a_name_on_path_without_a_python_behind_it_is_passed_over(tmp_path: Path) -> None:
    _interpreter(tmp_path, "python3.13", suitable=False)
    _interpreter(tmp_path, "python3")
    assert _chosen(tmp_path).stdout == f"{tmp_path}/python3\n"


def test_one_that_can_make_environments_goes_before_a_newer_one_that_cannot(tmp_path: Path) -> None:
    _interpreter(tmp_path, "python3.12", ensurepip=False)
    _interpreter(tmp_path, "python3.11")
    assert _chosen(tmp_path).stdout == f"{tmp_path}/python3.11\n"


def test_without_ensurepip_anywhere_a_suitable_one_is_still_taken(tmp_path: Path) -> None:
    _interpreter(tmp_path, "python3", ensurepip=False)
    assert _chosen(tmp_path).stdout == f"{tmp_path}/python3\n"


def test_a_chosen_python_overrides_the_search(tmp_path: Path) -> None:
    _interpreter(tmp_path, "python3.13")
    _interpreter(tmp_path, "mine")
    assert _chosen(tmp_path, PYTHON="mine").stdout == f"{tmp_path}/mine\n"


@pytest.mark.parametrize("environment", [{}, {"PYTHON": "python3"}], ids=["found", "chosen"])
def test_a_python_that_is_too_old_is_one_clear_line(tmp_path: Path, environment: dict[str, str]) -> None:
    _interpreter(tmp_path, "python3", suitable=False)
    result = _chosen(tmp_path, **environment)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "3.11" in result.stderr


def _check_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_docs", ROOT / "scripts" / "check_docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "problems"),
    [
        ("[a](docs/a.md) [b](docs/a.md#two-words) [c](#here) [d](https://example.org/x)\n# Here\n", 0),
        ("[a](docs/b.md)", 1),
        ("[a](docs/a.md#three-words)", 1),
        ("[a](#nowhere)", 1),
        ("```\n[a](docs/b.md)\n```\n", 0),
        ("run `make demo`, and make sure of it\n", 0),
        ("make sure of it\n", 0),
        ("run `make coffee`", 1),
        ("```\nmake coffee\n```\n", 1),
    ],
)
def test_the_docs_check_finds_what_does_not_exist(page: str, problems: int, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A\n## Two words!\n")
    (tmp_path / "README.md").write_text(page)
    (tmp_path / "Makefile").write_text("demo:\n\ttrue\n")
    assert len(_check_docs().problems(tmp_path)) == problems

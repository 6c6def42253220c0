"""What a skipped test means: said at the end on a laptop, a failure in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Each test runs pytest in a process of its own.
pytestmark = pytest.mark.slow

_CONFTEST = Path(__file__).with_name("conftest.py")

_CASES = {
    "a skip inside a test": "import pytest\ndef test_it():\n    pytest.skip('no such server')\n",
    "a skip mark": "import pytest\n@pytest.mark.skip(reason='no such server')\ndef test_it():\n    pass\n",
    "a whole module": "import pytest\npytest.skip('no such server', allow_module_level=True)\n",
}
_XFAIL = "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
_BROWSER = "import pytest\n@pytest.mark.browser\ndef test_it():\n    pass\n"


def _run(folder: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(_CONFTEST.read_text())
    (folder / "test_it.py").write_text(source)
    # A passing test beside it: nothing collected would be an exit code of its own.
    (folder / "test_other.py").write_text("def test_other():\n    pass\n")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = browser\n")
    clean = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("source", _CASES.values(), ids=_CASES)
def test_a_skip_is_named_in_the_closing_lines(source: str, tmp_path: Path) -> None:
    result = _run(tmp_path, source)
    assert result.returncode == 0
    *_, heading, said, closing = (line for line in result.stdout.splitlines() if line.strip())
    assert "not tested here" in heading
    assert said == "1 skipped: no such server"
    assert "1 passed, 1 skipped" in closing


@pytest.mark.parametrize("source", _CASES.values(), ids=_CASES)
def test_a_skip_fails_in_ci(source: str, tmp_path: Path) -> None:
    result = _run(tmp_path, source, CI="true")
    assert result.returncode != 0
    assert "with CI=true nothing may skip: no such server" in result.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert "1 passed, 1 xfailed" in _run(tmp_path, _XFAIL, CI="true").stdout


def test_a_test_whose_real_part_is_missing_skips_with_what_to_install(tmp_path: Path) -> None:
    result = _run(tmp_path, _BROWSER, PATH=str(tmp_path))
    said = "1 skipped: no chromium on PATH, or no libatomic (apt-get install chromium libatomic1)"
    assert said in result.stdout

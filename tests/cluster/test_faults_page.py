"""docs/faults.md says by which test each of its claims is proved; those tests have to be there."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "faults.md").read_text()


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", _PAGE))
    found = {
        name
        for file in (_ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named and not named - found


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(tests/\S+?\.py)`", _PAGE)
    assert named and not [name for name in named if not (_ROOT / name).is_file()]
